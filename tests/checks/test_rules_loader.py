"""Reading rule files: every refusal names the file, the line and what to write instead."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from auditkit.checks import rules as rules_module
from auditkit.checks.rules import load_rules, load_steps, read_rule, read_step
from auditkit.errors import RuleError, SettingsError
from tests.world import audited, findings, unbilled

RULE = """\
-- id: own-rule
-- title: Anything above a limit
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- param: min_amount money = 10.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text
-- why: It matters here.
-- remedy: Look at it.
-- note: The first line of a note
--   and its second.
select guid as subject_id, job_number, total as amount_at_risk, 'above the limit' as reason,
    vendor_code
from nrb_status
where total > $min_amount
"""
PATH = "rules/own-rule.sql"
SHIPPED = {path.stem for path in Path(rules_module.__file__).parents[1].glob("sql/rules/*.sql")}


def line_of(text, part):
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def read(text):
    return read_rule("own-rule", text, PATH)


def test_a_rule_is_its_header_and_its_select():
    rule = read(RULE)
    assert (rule.name, rule.title, rule.severity, rule.subject) == ("own-rule", "Anything above a limit", "low", "nrb")
    assert rule.note == "The first line of a note and its second."
    assert rule.columns[2:4] == (("amount_at_risk", "money"), ("reason", "text"))
    (parameter,) = rule.parameters
    assert (parameter.name, parameter.type, parameter.default) == ("min_amount", "money", Decimal("10.00"))


def test_parameters_become_typed_literals():
    text = read(RULE).executed({"min_amount": Decimal("0.10")})
    assert "total > cast('0.10' as decimal(24, 6))" in text
    assert "cast(amount_at_risk as decimal(38, 2)) as amount_at_risk" in text


@pytest.mark.parametrize(
    ("declared", "value", "literal"),
    [
        ("int = 3", 3, "total > 3"),
        ("int = -3", -3, "total > (-3)"),
        ("date = 2026-09-30", date(2026, 9, 30), "total > cast('2026-09-30' as date)"),
        ("flag = true", True, "total > true"),
        ("text = it's", "it's", "total > 'it''s'"),
        ("qty = 0.000001", Decimal("0.000001"), "total > cast('0.000001' as decimal(24, 6))"),
    ],
)
def test_each_type_of_parameter(declared, value, literal):
    rule = read(RULE.replace("money = 10.00", declared))
    assert rule.parameters[0].default == value
    assert literal in rule.executed(rule.values({}, {}))


# The header

KEYS = ("id", "title", "assertion", "severity", "subject", "out", "why", "remedy")


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key(key):
    lines = [line for line in RULE.splitlines() if not line.startswith(f"-- {key}:")]
    with pytest.raises(RuleError, match=rf"^{PATH}:1: the header has no '-- {key}:' line$"):
        read("\n".join(lines))


@pytest.mark.parametrize("key", ["param", "note"])
def test_parameters_and_note_may_be_missing(key):
    text = "\n".join(line for line in RULE.splitlines() if f"-- {key}:" not in line and "--   " not in line)
    assert read(text.replace("> $min_amount", "> 0" if key == "param" else "> $min_amount"))


# (what is replaced, by what, the part of the text on whose line it shall be refused, with what words)
HEADERS = [
    ("-- why:", "-- wy:", "-- wy:", "unknown key 'wy'; known are id, title"),
    ("-- why:", "-- title: Again\n-- why:", "Again", "key 'title' occurs twice"),
    ("-- why: It matters here.", "-- why:", "-- why:", "key 'why' is empty"),
    ("-- why: It matters here.", "-- It matters here.", "It matters", "expected '-- key: value'"),
    ("-- id: own-rule", "-- id: other-rule", "other-rule", "id is 'other-rule', but the file is own-rule.sql"),
    ("accuracy", "acuracy", "acuracy", "assertion must be one of existence, completeness"),
    ("severity: low", "severity: mild", "mild", "severity must be one of high, medium, low"),
    ("out: subject_id text", "out: subject_id words", "out:", "out: expected 'name type', found 'subject_id words'"),
    ("vendor_code text", "vendor_code", "out:", "out: expected 'name type', found 'vendor_code'"),
    ("vendor_code text", "reason text", "out:", "out: a column is declared twice"),
    ("money = 10.00", "money", "param:", "expected '-- param: name type = default', found 'min_amount money'"),
    ("money = 10.00", "cash = 10.00", "param:", "expected '-- param: name type = default'"),
    ("money = 10.00", "money = ten", "param:", "min_amount: expected money, found 'ten'"),
    ("money = 10.00", "money = NaN", "param:", "min_amount: expected money, found 'NaN'"),
    ("money = 10.00", "int = 1.5", "param:", "min_amount: expected int, found '1.5'"),
    ("money = 10.00", "date = 30.9.2026", "param:", "min_amount: expected date, found '30.9.2026'"),
    ("money = 10.00", "flag = yes", "param:", "min_amount: expected true or false, found 'yes'"),
    ("> $min_amount", "> 0", None, "parameter min_amount is declared, but not used"),
    ("> $min_amount", "> $min_amount + $limit", None, "parameter $limit is used, but not declared"),
    ("10.00\n", "10.00\n-- param: min_amount money = 1\n", None, "a parameter is declared twice"),
    *[
        (f"{column}, ", "", "out:", f"out must declare '{column}'")
        for column in ("subject_id text", "job_number text", "amount_at_risk money", "reason text")
    ],
    ("amount_at_risk money", "amount_at_risk ratio", "out:", "out must declare 'amount_at_risk money'"),
    (",\n    vendor_code\n", "\n", None, "out declares vendor_code, which the select does not give"),
    (",\n    vendor_code\n", ",\n    vendor_code, guid\n", None, "the select gives guid, which out does not declare"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "where", "words"), HEADERS, ids=[case[3] for case in HEADERS])
def test_a_wrong_header_is_refused_with_file_and_line(before, after, where, words):
    text = RULE.replace(before, after, 1) if before in RULE else pytest.fail(before)
    with pytest.raises(RuleError) as caught:
        read(text)
    number = line_of(text, where) if where else 1
    assert str(caught.value).startswith(f"{PATH}:{number}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# The SQL

EXPRESSIONS = [
    ("total / 2", "use ratio(a, b) or money_div(amount, n)"),
    ("total // 2", "use money_div(amount, n)"),
    ("avg(total)", "use money_div(sum(x), count(*))"),
    ("round(cast(total as double), 2)", "use round_to(x, 100)"),
    ("round(ratio(total, 3), 2)", "use round_to(x, 100)"),
    ("cast(cast(total as double) as decimal(18, 2))", ""),
    ("cast(ratio(total, 3) as decimal(18, 2))", ""),
    ("cast(1.5 as int)", ""),
    ("date_diff('month', month, accounting_date)", "use days_between(a, b)"),
    ("regexp_replace(vendor_code, 'x', '')", "give the flag 'g'"),
    ("log(total)", "log is not in the portable subset"),
    ("log10(total)", "not in the portable subset"),
    ("percentile_cont(0.5) within group (order by total)", "not in the portable subset"),
    ("list(vendor_code)", "not in the portable subset"),
    ("isodow(month)", "not in the portable subset"),
    ("sum(total) over (order by month range between interval 1 day preceding and current row)", "join on the dates"),
    ("first(vendor_code order by month)", "not in the portable subset"),
    ("vendor_code[1:2]", "list slices are not portable"),
    ('"vendor_code"', "write names in lower case, without quotes"),
    ("Vendor_Code", "write names in lower case, without quotes"),
    ("random()", "not in the portable subset"),
    ("now()", "not in the portable subset"),
    ("current_date", "not in the portable subset"),
    ("getenv('HOME')", "not in the portable subset"),
    ("unnest([1, 2])", ""),
    ("row_number() over ()", "write order by, with a full tie-break, inside over"),
    ("row_number() over (partition by month)", "write order by"),
    ("lag(guid ignore nulls) over (partition by month)", "write order by"),
    ("sum(total) over (rows between 1 preceding and current row)", "write order by"),
    ("string_agg(vendor_code, ' ')", "write string_agg(x, ', ' order by x)"),
]


@pytest.mark.parametrize(("expression", "words"), EXPRESSIONS, ids=[case[0] for case in EXPRESSIONS])
def test_an_expression_that_is_not_portable(expression, words):
    text = RULE.replace("    vendor_code\n", f"    {expression} as vendor_code\n")
    with pytest.raises(RuleError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{PATH}:{line_of(text, 'as vendor_code')}: ")
    assert words in str(caught.value)


SELECT = RULE[RULE.index("select") :]
QUERIES = [
    (SELECT.replace("select guid", "select distinct on (guid) guid"), "use row_number()"),
    (SELECT + "qualify row_number() over (order by guid) = 1", "filter in an outer select"),
    (SELECT + "group by all", "name the columns"),
    (SELECT + "order by all", "order by all is not portable: name the columns"),
    (SELECT + "limit 5", "limit keeps whichever rows come first"),
    (SELECT + "offset 5", "offset drops whichever rows come first"),
    (SELECT + "fetch first 5 rows only", "fetch first keeps whichever rows come first"),
    (SELECT.replace("nrb_status", "(select * from nrb_status order by guid limit 5) as n"), "limit keeps whichever"),
    (SELECT.replace("vendor_code\n", "* exclude (guid)\n"), "name the columns"),
    (SELECT.replace("vendor_code\n", "upper(reason) as vendor_code\n"), "alias of the same select list"),
    (SELECT.replace("nrb_status", "nrb_status asof join invoice on invoice.created_on >= month"), "use (not) exists"),
    (SELECT.replace("nrb_status", "nrb_status semi join invoice on invoice.jnid = found_jnid"), "use (not) exists"),
    (SELECT.replace("nrb_status", "nrb_status, lateral (select guid as g) as x"), "join on a condition"),
    (SELECT.replace("nrb_status", "nrb_status pivot (sum(total) for month in (1))"), "use sum(case when"),
    (SELECT.replace("nrb_status", "nrb_status using sample 5"), "not repeatable"),
    ("with recursive r as (select 1 as one union all select one from r) " + SELECT, "with recursive is not portable"),
    (SELECT.replace("nrb_status", "read_csv('secrets.csv')"), "read_csv is not in the portable subset"),
    (SELECT.replace("nrb_status", "'secrets.csv'"), "write names in lower case, without quotes"),
    ("delete from nrb", "expected exactly one select"),
    (SELECT + "; " + SELECT, "expected exactly one select"),
    ("attach 'other.duckdb' as other", "expected exactly one select"),
    ("", "expected exactly one select"),
    ("select from where", "the SQL cannot be read"),
]


@pytest.mark.parametrize(("query", "words"), QUERIES, ids=[case[1] for case in QUERIES])
def test_a_query_that_is_not_portable(query, words):
    with pytest.raises(RuleError) as caught:
        read(RULE.replace(SELECT, query))
    assert str(caught.value).startswith(f"{PATH}:")
    assert words in str(caught.value)


def test_sql_that_cannot_be_read_names_its_line():
    text = RULE.replace("from nrb_status", "from nrb_status)")
    with pytest.raises(RuleError, match=rf"^{PATH}:{line_of(text, 'nrb_status)')}: the SQL cannot be read"):
        read(text)


# Files


def test_every_shipped_rule_and_step_is_loaded():
    rules = load_rules(Path("nowhere"))
    assert {rule.name for rule in rules} == SHIPPED
    assert [rule.name for rule in rules] == sorted(rule.name for rule in rules)
    assert [step.name for step in load_steps("reconcile")][-1] == "job_reconciliation"


@pytest.mark.parametrize("rule", load_rules(Path("nowhere")), ids=lambda rule: rule.name)
def test_a_shipped_rule_is_portable(rule):
    """An audit does not check the shipped files, so this test does."""
    assert read_rule(rule.name, rule.text, rule.path) == rule


@pytest.mark.parametrize("folder", ["link", "reconcile"])
def test_the_shipped_steps_are_portable(folder):
    for step in load_steps(folder):
        assert read_step(step.name, step.text, step.path) == step


def test_what_only_looks_like_a_parameter_is_left_alone():
    text = RULE.replace(
        "where total", "where reason <> '$min_amount' -- $min_amount; it's here\n    and total"
    ).rstrip()
    assert (
        read(f"{text};\n")
        .executed({"min_amount": Decimal("1.00")})
        .endswith(
            "where reason <> '$min_amount' -- $min_amount; it's here\n"
            "    and total > cast('1.00' as decimal(24, 6))\n) as result"
        )
    )


def test_another_way_to_write_a_parameter_is_refused():
    with pytest.raises(RuleError, match=rf"^{PATH}:1: write \$min_amount where the parameter is used"):
        read(RULE.replace("$min_amount", ":min_amount"))


def test_every_shipped_rule_has_a_test_of_its_own():
    here = Path(__file__).parent / "rules"
    assert {rule.name for rule in load_rules(Path("nowhere"))} == {
        path.stem.removeprefix("test_").replace("_", "-") for path in here.glob("test_*.py")
    }


def test_a_rule_of_a_shipped_name_is_refused(tmp_path):
    (tmp_path / "nrb-unbilled.sql").write_text(RULE)
    with pytest.raises(RuleError, match="nrb-unbilled is there already; give yours another id"):
        load_rules(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "own-rule.sql").write_bytes(b"-- id: \xff")
    with pytest.raises(RuleError, match=r"own-rule\.sql:1: cannot be read as UTF-8 text"):
        load_rules(tmp_path)


def test_a_wrong_file_is_named_by_its_path(tmp_path):
    (tmp_path / "own-rule.sql").write_text(RULE.replace("-- why:", "-- wy:"))
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'own-rule.sql'}:8: ")


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("not SQL")
    assert len(load_rules(tmp_path)) == len(SHIPPED)


def test_a_step_has_no_parameters_of_its_own():
    text = "-- A step.\n-- out: guid text\nselect guid from nrb where total_after_markup > $min_amount"
    with pytest.raises(RuleError, match=r"^link/x\.sql:1: parameter \$min_amount is used, but not declared"):
        read_step("x", text, "link/x.sql")


def test_a_step_without_out_is_refused():
    with pytest.raises(RuleError, match=r"^link/x\.sql:1: the header has no '-- out:' line"):
        read_step("x", "-- A step.\nselect guid from nrb", "link/x.sql")


# Thresholds and rules of one's own, through an audit

NRBS = [unbilled("small", "10.00"), unbilled("large", "10.01")]


@pytest.fixture(scope="module")
def own_rules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "own-rule.sql").write_text(RULE)
    return folder


def test_a_rule_of_ones_own_is_an_equal(tmp_path, own_rules):
    with audited(tmp_path, NRBS, own_rules=own_rules) as snapshot:
        hits = findings(snapshot, "own-rule")
        row = snapshot.query("select title, parameters, executed, sql from rule where rule_id = 'own-rule'").rows
    assert set(hits) == {"large"}
    assert (hits["large"]["severity"], hits["large"]["subject_type"]) == ("low", "nrb")
    assert hits["large"]["evidence"] == {"vendor_code": "BIT"}
    ((title, parameters, executed, sql),) = row
    assert (title, parameters, sql) == ("Anything above a limit", '{"min_amount": "10.00"}', RULE)
    assert "$" not in executed


TWICE = [
    ("nrb_status cross join (select 1 as one union all select 2 as one) as two", "subject 'large' 2 times"),
    ("(select cast(null as text) as guid, job_number, total, vendor_code from nrb_status) as n", "without subject_id"),
]


@pytest.mark.parametrize(("source", "words"), TWICE, ids=["twice", "null"])
def test_a_rule_gives_one_row_for_each_subject(tmp_path, source, words):
    (tmp_path / "own-rule.sql").write_text(RULE.replace("nrb_status", source))
    with pytest.raises(RuleError, match=rf"own-rule\.sql: rule own-rule gives .*{words}"):
        audited(tmp_path, NRBS, own_rules=tmp_path)


def test_a_threshold_from_the_settings_counts_and_is_kept(tmp_path, own_rules):
    thresholds = {"own-rule": {"min_amount": "10.01"}, "nrb-unbilled": {"min_amount": 10}}
    with audited(tmp_path, NRBS, own_rules=own_rules, thresholds=thresholds) as snapshot:
        assert findings(snapshot, "own-rule") == {}
        assert set(findings(snapshot, "nrb-unbilled")) == {"large"}
        rows = dict(snapshot.query("select rule_id, parameters->>'min_amount' from rule").rows)
    assert (rows["own-rule"], rows["nrb-unbilled"], rows["nrb-exported-unbilled"]) == ("10.01", "10", "0.00")


def test_a_threshold_of_an_unknown_rule_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no rule is called nrb-unbiled"):
        audited(tmp_path, thresholds={"nrb-unbiled": {"min_amount": "1"}})


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ({"min_amont": "1"}, r"rule nrb-unbilled has no parameter 'min_amont' \(it has: min_amount, days\)"),
        ({"min_amount": "much"}, "rule nrb-unbilled, min_amount: expected decimal, found 'much'"),
        ({"tolerance": "1"}, "has no parameter 'tolerance'"),
    ],
)
def test_a_threshold_that_does_not_fit_its_rule_is_refused(thresholds, words):
    (rule,) = [rule for rule in load_rules(Path("nowhere")) if rule.name == "nrb-unbilled"]
    with pytest.raises(RuleError, match=f"^auditkit.toml: .*{words}"):
        rule.values({}, thresholds)
