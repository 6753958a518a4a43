"""`one_edit_apart` compared with the textbook's optimal string alignment, on every pair of short texts."""

from itertools import product

from auditkit.warehouse.schema import rebuild_schema
from tests.world import workbench


def alignment(a: str, b: str) -> int:
    """The smallest number of characters changed, inserted, deleted or swapped with a neighbor."""
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


def test_one_edit_apart_means_an_alignment_distance_of_1():
    texts = ["".join(letters) for length in range(5) for letters in product("ab1", repeat=length)]
    with workbench() as draft:
        rebuild_schema(draft)
        draft.query("create temp table text (txt varchar)")
        draft.insert("text", {"txt": texts})
        found = draft.query("select a.txt, b.txt from text as a, text as b where one_edit_apart(a.txt, b.txt)").rows
        nothing = draft.query("select one_edit_apart(null, 'a'), one_edit_apart('a', null)").rows
    assert set(found) == {(a, b) for a, b in product(texts, repeat=2) if alignment(a, b) == 1}
    assert ("ab1", "ba1") in found
    assert nothing == [(False, False)]
