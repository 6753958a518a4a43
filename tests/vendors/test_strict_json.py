import json
import string
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.errors import BadAnswer, ValueRefused
from auditkit.vendors.strict_json import MAX_DEPTH, MAX_DIGITS, CutShort, dump, loose_value, parse, split_rows


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"nrbRate": 862.50}', {"nrbRate": Decimal("862.50")}),
        ("15438.99", Decimal("15438.99")),
        ("0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
        ("1e3", Decimal("1E+3")),
        ("9007199254740993", 9007199254740993),
        ("9" * MAX_DIGITS, int("9" * MAX_DIGITS)),
        (' [true, null, "x"]\r\n\t', [True, None, "x"]),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
    ],
)
def test_parsing_loses_nothing(text, value):
    assert parse(text, "Aimsio") == value
    assert type(parse(text, "Aimsio")) is type(value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "expected JSON"),
        ("<html>", "expected JSON"),
        ("\ufeff{}", "expected JSON"),
        ('{"a": 1', "expected JSON"),
        ("{} {}", "expected JSON"),
        ('{"a": 1, "a": 2}', "'a' more than once"),
        ('[{"deep": {"b": 1, "c": 2, "b": 1}}]', "'b' more than once"),
        ("[NaN]", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("9" * (MAX_DIGITS + 1), f"{MAX_DIGITS + 1} digits"),
        ("-" + "9" * 5000, "5001 digits"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "levels"),
        ('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1), "levels"),
        ("[" * 100_000 + "]" * 100_000, "levels"),
        ('"\n"', "expected JSON"),
    ],
)
def test_a_surprise_is_refused_with_its_place(text, found):
    with pytest.raises(BadAnswer, match=r"^Aimsio: GET /x: ") as refused:
        parse(text, "Aimsio: GET /x")
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


LONG = '[{"a": [1, {"b}": "x]}"}], "c": true, "d": -1.5, "e": "\\u00e9\\n", "f": null}, {}]'


@pytest.mark.parametrize("end", range(1, len(LONG)))
def test_a_text_cut_at_any_place_is_known_to_be_cut(end):
    with pytest.raises(CutShort, match="expected JSON"):
        parse(LONG[:end], "Aimsio")


@pytest.mark.parametrize(
    "text", ["", " ", "<html", '"ok', "nul", "{}x", "[]]", "{oops}", '{"a": 1,}', "[\0\0]\0\0\0\0\0\0"]
)
def test_text_that_is_not_json_is_not_taken_for_a_cut_one(text):
    with pytest.raises(BadAnswer) as refused:
        parse(text, "Aimsio")
    assert type(refused.value) is BadAnswer


def test_a_duplicate_key_among_many_is_found_quickly():
    keys = ",".join(f'"k{number}":0' for number in range(100_000))
    with pytest.raises(BadAnswer, match="'k99999' more than once"):
        parse(f'{{{keys},"k99999":0}}', "Aimsio")


SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
SPACE = st.text(alphabet=" \t\n\r", max_size=3)


@given(VALUES)
def test_a_written_value_reads_back_exactly(value):
    assert parse(dump(value), "here") == value


@given(st.text(alphabet=string.printable, max_size=40))
def test_any_text_gives_a_value_or_a_bad_answer(text):
    try:
        parse(text, "here")
    except BadAnswer as refused:
        assert str(refused).startswith("here: ")


@given(st.lists(VALUES, max_size=5), st.dictionaries(st.text(max_size=4), VALUES, max_size=3), SPACE, st.booleans())
def test_slices_are_the_source_of_each_element(array, others, space, indented):
    def loose(value: object) -> object:
        return json.loads(dump(value))

    indent = 2 if indented else None
    separators = (space + "," + space, space + ":" + space)
    under = {**loose(others), "results": loose(array)}
    wrapped = space + json.dumps(under, indent=indent, separators=separators, ensure_ascii=False) + space
    envelope, slices = split_rows(wrapped, "results", "here")
    assert [json.loads(one) for one in slices] == loose(array)
    assert all(one in wrapped and one == one.strip(" \t\n\r") for one in slices)
    assert envelope == {**parse(json.dumps(loose(others)), "here"), "results": []}


def test_a_slice_keeps_spelling_and_space():
    text = '{"count": 2, "results" : [ {"a": 1.50,  "b":"\\u00e9"} ,[] ], "x": [9]}'
    envelope, slices = split_rows(text, "results", "here")
    assert (envelope, slices) == ({"count": 2, "results": [], "x": [9]}, ['{"a": 1.50,  "b":"\\u00e9"}', "[]"])


BAD_ROWS = ['{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\udcff"}', '{"a": "\x07"}', '{"a": ' + "9" * 50 + "}"]


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_row_leaves_the_others_readable(row):
    text = f'{{"count": 3, "results": [{{"b": 1}},{row},{{"b": 2}}]}}'
    with pytest.raises(BadAnswer):
        parse(text, "here")
    envelope, slices = split_rows(text, "results", "here")
    assert (envelope, slices) == ({"count": 3, "results": []}, ['{"b": 1}', row, '{"b": 2}'])
    assert set(loose_value(row)) == {"a"}
    with pytest.raises(BadAnswer, match=r"^row 1: expected"):
        parse(row, "row 1")


@pytest.mark.parametrize("member", BAD_ROWS)
def test_a_bad_member_beside_the_rows_is_a_bad_answer(member):
    with pytest.raises(BadAnswer, match=r"^here: expected"):
        split_rows(f'{{"x": {member}, "results": []}}', "results", "here")


@pytest.mark.parametrize(
    "text",
    [
        '{"results": [1',
        '{"results": [1 2]}',
        '{"results": [1,]}',
        '{"results": []',
        '{"results": []} x',
        '{"results" []}',
    ],
)
def test_text_that_is_not_json_is_a_bad_answer(text):
    with pytest.raises(BadAnswer, match=r"^here: expected"):
        split_rows(text, "results", "here")


@given(st.text(alphabet='{}[]:,"ae1 results', max_size=30))
def test_splitting_raises_nothing_but_a_bad_answer(text):
    try:
        split_rows('{"results":' + text, "results", "here")
    except BadAnswer as refused:
        assert str(refused).startswith("here: ")


@pytest.mark.parametrize(
    ("text", "key"),
    [("{}", "results"), ('{"results": {}}', "results"), ("[]", "results"), ("null", "x"), ("1", "x"), ("[[]]", "x")],
)
def test_a_missing_array_is_a_bad_answer_never_an_empty_one(text, key):
    with pytest.raises(BadAnswer, match="here: expected an array"):
        split_rows(text, key, "here")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("862.50"), "862.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-349.52"), "-349.52"),
        ({"a": [1, "é\n", None, True], "b": ()}, '{"a":[1,"\\u00e9\\n",null,true],"b":[]}'),
    ],
)
def test_decimals_are_written_digit_by_digit(value, text):
    assert dump(value) == text


@pytest.mark.parametrize("value", [862.5, Decimal("NaN"), Decimal("Infinity"), {1: 2}, b"x", {"a": [{"b": 1.0}]}, {1}])
def test_a_value_that_cannot_be_written_exactly_is_refused(value):
    with pytest.raises(ValueRefused):
        dump(value)
