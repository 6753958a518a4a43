"""one_edit_apart is held against the textbook's optimal string alignment, on every pair of short texts."""

from itertools import product

from auditkit.warehouse.schema import rebuild_schema
from tests.world import workbench


def alignment(a: str, b: str) -> int:
    """Least number of characters changed, put in, left out, or swapped with their neighbour."""
    best = {(-1, -1): 0}
    for i in range(-1, len(a)):
        for j in range(-1, len(b)):
            ways = []
            if i >= 0:
                ways.append(best[i - 1, j] + 1)
            if j >= 0:
                ways.append(best[i, j - 1] + 1)
            if i >= 0 and j >= 0:
                ways.append(best[i - 1, j - 1] + (a[i] != b[j]))
            if i > 0 and j > 0 and a[i - 1 : i + 1] == b[j - 1 : j + 1][::-1]:
                ways.append(best[i - 2, j - 2] + 1)
            best[i, j] = min(ways, default=0)
    return best[len(a) - 1, len(b) - 1]


def test_one_edit_apart_is_an_alignment_of_1():
    texts = ["".join(letters) for length in range(5) for letters in product("ab1", repeat=length)]
    with workbench() as draft:
        rebuild_schema(draft)
        draft.query("create temp table said (txt varchar)")
        draft.insert("said", {"txt": texts})
        found = draft.query("select a.txt, b.txt from said as a, said as b where one_edit_apart(a.txt, b.txt)").rows
        nothing = draft.query("select one_edit_apart(null, 'a'), one_edit_apart('a', null)").rows
    assert set(found) == {(a, b) for a, b in product(texts, repeat=2) if alignment(a, b) == 1}
    assert ("ab1", "ba1") in found
    assert nothing == [(False, False)]
