"""What auditors ask of any table: stratify, age, gaps, summarize, cross-tabulate, cut-off.

The words are those of ACL (Analytics) and IDEA; each function makes one SELECT, which can be looked at and asked again.
`table` is a public table or view, or a SELECT of your own. Every record counts once, and a total row, taken from the
whole table and not from the rows above it, stands last, so that they tie.

Money stays DECIMAL, and NULL adds nothing to a total; a percentage is a DOUBLE, rounded to its hundredth, NULL where
the whole is 0. Not here: duplicates (`duplicates.py`), and what is a finding (the rules).
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from auditkit.aging_bands import ENDS, FUTURE, NO_DATE
from auditkit.analysis.question import AMOUNT, DATE, WHOLE, Question, Source, as_day, as_days, names_of, quoted
from auditkit.errors import QuestionRefused
from auditkit.values import cents, quantity
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["MOST_BANDS", "MOST_COLUMNS", "age", "crosstab", "cutoff", "gaps", "stratify", "summarize"]

MOST_COLUMNS = 200
MOST_BANDS = 1000


# ── Bands of a number ───────────────────────────────────────────────────────────────────────────────────────────────


def stratify(
    snapshot: Snapshot,
    column: str = "total",
    *,
    bands: int | Sequence[Decimal | int | str] = 10,
    amount: str | None = None,
    table: str = "nrb_status",
) -> Question:
    """Records by size of a number: how many in each band, and what they add up to.

    `bands` are the limits, ascending: a band holds its lower limit and not its upper one, the last band both (ACL's
    STRATIFY). Or how many bands of equal width between least and greatest value, to the cent. `amount` is what is
    totalled, by default the column itself.

    Rows: band, lower, upper, count, percent_of_count, total, percent_of_total, min, max (of the column); first what is
    below, then the bands, what is above, what is NULL ("no value"), and "total". Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    value, added = source.column(column, AMOUNT), source.column(amount or column, AMOUNT)
    limits = _equal(snapshot, source, value, bands) if isinstance(bands, int) else _ascending(bands, "bands")
    if len(limits) < 2:
        raise QuestionRefused(f"bands: expected two limits or more, found {len(limits)}")
    *inner, last = [_Band(f"{lower} to {upper}", "<", upper, lower, upper) for lower, upper in pairwise(limits)]
    steps = [_Band(f"below {limits[0]}", "<", limits[0], None, limits[0]), *inner, last.closed]
    rows = [*steps, _Band(f"above {limits[-1]}", lower=limits[-1]), _Band("no value")]
    return _profile(source, f"s.{value}", added, rows, {})


def age(
    snapshot: Snapshot,
    date: str = "accounting_date",
    amount: str = "total",
    *,
    as_of: datetime.date | str | None = None,
    buckets: Sequence[int] = ENDS,
    table: str = "nrb_status",
) -> Question:
    """Records by age: days from a date to `as_of`, by default the day that the snapshot's audit looked from.

    A bucket ends with its number of days: 0-30, 31-60 … over 180. (The intervals of ACL's AGE are first days: 0, 31.)
    Rows as `stratify` has them, lower, upper, min and max in days: first "future", then the buckets, "no date" and
    "total". Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    on, added = source.column(date, DATE), source.column(amount, AMOUNT)
    ends = _ascending(buckets, "buckets")
    if not ends or ends[0] < 0:
        raise QuestionRefused(f"buckets: expected days from 0 upwards, found {list(buckets)}")
    starts = [Decimal(0), *(end + 1 for end in ends)]
    steps = [
        _Band(FUTURE, "<", Decimal(0), None, Decimal(-1)),
        *(_Band(f"{start}-{end}", "<=", end, start, end) for start, end in zip(starts, ends, strict=False)),
    ]
    day = as_day(as_of, "as_of") if as_of else snapshot.query("select as_of from audit_run").scalar()
    days = f"days_between(s.{on}, $as_of)"
    bands = [*steps, _Band(f"over {ends[-1]}", lower=starts[-1]), _Band(NO_DATE)]
    return _profile(source, days, added, bands, {"as_of": day})


@dataclass(frozen=True)
class _Band:
    """A row of a profile: it holds what is `test` (< or <=) `limit` and not in a band before."""

    label: str
    test: str = ""
    limit: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def closed(self) -> "_Band":
        return _Band(self.label, "<=", self.limit, self.lower, self.upper)


def _profile(source: Source, value: str, amount: str, bands: Sequence[_Band], values: Mapping[str, Any]) -> Question:
    """The bands as rows, the last of them for NULL, the last but one for what no test took."""
    *steps, _, _ = bands
    tests = "\n".join(f"            when {value} {band.test} $limit_{n} then {n}" for n, band in enumerate(steps))
    rows = ",\n        ".join(f"({n}, $label_{n}, $lower_{n}, $upper_{n})" for n in range(len(bands)))
    sql = f"""
with record as (
    select {value} as value, s.{amount} as amount,
        case
            when {value} is null then {len(bands) - 1}
{tests}
            else {len(steps)}
        end as place
    from {source.sql} as s
), band(place, band, lower, upper) as (
    values
        {rows}
), whole as (
    select count(*) as count, coalesce(sum(amount), 0) as total, min(value) as min, max(value) as max from record
), filled as (
    select place, count(*) as count, coalesce(sum(amount), 0) as total, min(value) as min, max(value) as max
    from record group by place
), line as (
    select b.place, b.band, b.lower, b.upper, coalesce(f.count, 0) as count, coalesce(f.total, 0) as total, f.min, f.max
    from band as b left join filled as f on f.place = b.place
    union all
    select {len(bands)}, 'total', null, null, count, total, min, max from whole
)
select l.band, l.lower, l.upper, l.count, round_to(100 * ratio(l.count, w.count), 100) as percent_of_count,
    l.total, round_to(100 * ratio(l.total, w.total), 100) as percent_of_total, l.min, l.max
from line as l cross join whole as w
order by l.place
"""
    shown = {f"{part}_{n}": getattr(band, part) for n, band in enumerate(bands) for part in ("label", "lower", "upper")}
    return Question(sql, {**values, **shown, **{f"limit_{n}": band.limit for n, band in enumerate(steps)}})


def _equal(snapshot: Snapshot, source: Source, value: str, bands: int) -> list[Decimal]:
    """The limits of so many bands of equal width; fewer where a cent is wider than a band."""
    if not 1 <= bands <= MOST_BANDS:
        raise QuestionRefused(f"bands: expected 1 to {MOST_BANDS}, found {bands}")
    ((least, greatest),) = snapshot.query(f"select min({value}), max({value}) from {source.sql} as s").rows
    first, last = (Decimal(0) if limit is None else Decimal(limit) for limit in (least, greatest))
    between = [cents(first + (last - first) * n / bands) for n in range(1, bands)]
    return [first, *(limit for limit in dict.fromkeys(between) if first < limit < last), last]


def _ascending(numbers: Sequence[Decimal | int | str], what: str) -> list[Decimal]:
    if not isinstance(numbers, Sequence) or isinstance(numbers, str) or len(numbers) > MOST_BANDS:
        raise QuestionRefused(f"{what}: expected up to {MOST_BANDS} numbers in a list, found {numbers!r:.60}")
    given = [quantity(number, what) or Decimal(0) for number in numbers]
    if any(upper <= lower for lower, upper in pairwise(given)):
        raise QuestionRefused(f"{what}: expected ascending numbers, found {', '.join(map(str, given))}")
    return given


# ── By key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def summarize(
    snapshot: Snapshot, by: str | Iterable[str], amount: str | Iterable[str] = "total", *, table: str = "nrb_status"
) -> Question:
    """One row for each key: how many records, and the sum, least and greatest of each amount (ACL's SUMMARIZE).

    Keys are told apart as they are written; a NULL is a key of its own. Rows: `level` ("key", or "total" for the last
    row, whose keys are NULL), the keys, count, and sum_…, min_…, max_… for each amount. Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    names, amounts = names_of(by), names_of(amount)
    keys = source.columns(names)
    if not keys:
        raise QuestionRefused("by: expected one column or more")
    parts = [f"{part}_{name}" for name in amounts for part in ("sum", "min", "max")]
    source.refuse(names, ["level", "count", *parts])
    figures = "".join(
        f",\n    coalesce(sum(s.{column}), 0) as {quoted(f'sum_{name}')}"
        f", min(s.{column}) as {quoted(f'min_{name}')}, max(s.{column}) as {quoted(f'max_{name}')}"
        for name, column in zip(amounts, source.columns(amounts, AMOUNT), strict=True)
    )
    listed = ", ".join(f"s.{key}" for key in keys)
    return Question(
        f"""
select case when grouping(s.{keys[0]}) = 0 then 'key' else 'total' end as level, {listed}, count(*) as count{figures}
from {source.sql} as s
group by grouping sets (({listed}), ())
order by grouping(s.{keys[0]}), {", ".join(f"s.{key} nulls last" for key in keys)}
""",
        {},
    )


def crosstab(
    snapshot: Snapshot,
    rows: str | Iterable[str],
    columns: str,
    amount: str | None = None,
    *,
    table: str = "nrb_status",
) -> Question:
    """One row for each key of `rows`, one column for each value of `columns`: the sum of `amount`, else how many.

    The columns stand in the order of their values, headed by them as text, "(none)" for NULL; a header that occurs
    twice, or is a key's, has a number added. Then `total`, of the row. `level` and the last row are as in `summarize`;
    a cell without records is 0. Raises `QuestionRefused`, also beyond 200 columns.
    """
    source = Source.of(snapshot, table)
    names = names_of(rows)
    keys, across = source.columns(names), source.column(columns)
    if not keys:
        raise QuestionRefused("rows: expected one column or more")
    source.refuse(names, ["level", "total"])
    added = f"s.{source.column(amount, AMOUNT)}" if amount else "1"
    found = snapshot.query(
        f"select distinct s.{across}, cast(s.{across} as varchar) from {source.sql} as s order by 1 nulls last"
        f" limit {MOST_COLUMNS + 1}"
    ).rows
    if len(found) > MOST_COLUMNS:
        raise QuestionRefused(
            f"{columns} has more than {MOST_COLUMNS} values, too many to stand side by side: put it in rows"
        )
    headers = _headers([text for _, text in found], ["level", "total", *names])
    cells = "".join(
        f",\n    coalesce(sum({added}) filter (s.{across} is not distinct from $column_{n}), 0) as {quoted(header)}"
        for n, header in enumerate(headers)
    )
    listed = ", ".join(f"s.{key}" for key in keys)
    return Question(
        f"""
select case when grouping(s.{keys[0]}) = 0 then 'key' else 'total' end as level, {listed}{cells},
    coalesce(sum({added}), 0) as total
from {source.sql} as s
group by grouping sets (({listed}), ())
order by grouping(s.{keys[0]}), {", ".join(f"s.{key} nulls last" for key in keys)}
""",
        {f"column_{n}": value for n, (value, _) in enumerate(found)},
    )


def _headers(texts: Iterable[str | None], taken: Iterable[str]) -> list[str]:
    """Values as names of columns: none empty, and no two equal."""
    used = set(taken)
    headers = []
    for text in texts:
        plain = "(none)" if text is None else text.replace("\0", "�") or "(empty)"
        header, number = plain, 1
        while header in used:
            number += 1
            header = f"{plain} ({number})"
        used.add(header)
        headers.append(header)
    return headers


# ── Series and periods ──────────────────────────────────────────────────────────────────────────────────────────────


def gaps(snapshot: Snapshot, column: str = "number", *, prefix: str | None = None, table: str = "invoice") -> Question:
    """Missing numbers of each series, as ranges (ACL's GAPS).

    In text the number is the digits at the end, 37 at most without leading zeros, and the series is what stands before
    them, trimmed and case-folded: INV-0009 and inv-10 are neighbours. With `prefix`, only what begins with it (case
    aside) and goes on in digits alone: the series 2026 of 20260001. A column of numbers is one series. NULL, and text
    without digits at its end, is in no series; a number that occurs twice counts once.

    Rows: series, first_missing, last_missing, missing (how many), before and after (the neighbours as written); in the
    order of series and number. Raises `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    name = source.column(column, WHOLE)
    is_text = source.types[column] == "VARCHAR"
    if prefix is not None and not is_text:
        raise QuestionRefused(f"prefix is for text, and {column} is {source.types[column]}")
    if not is_text:
        parts = f"'' as series, cast(s.{name} as hugeint) as number"
    elif prefix is None:
        digits = f"regexp_extract(folded(s.{name}), '[0-9]+$')"
        parts = f"regexp_replace(folded(s.{name}), '[0-9]+$', '') as series, try_cast({digits} as hugeint) as number"
    else:
        rest = f"substr(folded(s.{name}), length($prefix) + 1)"
        number = f"case when regexp_full_match({rest}, '[0-9]+') then try_cast({rest} as hugeint) end"
        parts = f"case when starts_with(folded(s.{name}), $prefix) then $prefix end as series, {number} as number"
    return Question(
        f"""
with identifier as (
    select cast(s.{name} as varchar) as written, {parts}
    from {source.sql} as s
), place as (
    select series, number, min(written) as written
    from identifier where series is not null and number is not null
    group by series, number
), step as (
    select series, number, written, lag(number) over one as number_before, lag(written) over one as before
    from place
    window one as (partition by series order by number)
)
select series, number_before + 1 as first_missing, number - 1 as last_missing, number - number_before - 1 as missing,
    before, written as after
from step
where number - number_before > 1
order by series, number
""",
        {} if prefix is None else {"prefix": prefix.lower()},
    )


def cutoff(
    snapshot: Snapshot,
    day: datetime.date | str,
    *,
    date: str = "vendor_invoice_date",
    recorded: str = "created_on",
    days: int | None = None,
    table: str = "nrb",
) -> Question:
    """Records on both sides of a period's end: `day` is the last day of the period.

    `date` is when it happened, `recorded` when it was booked: one is on or before `day`, the other after it. With
    `days`, only what was recorded so many days before or after `day` at most. NULL in either column is on no side.

    Rows: side ("recorded late": it belongs to the period, and was booked after it; or "recorded early"), days_late
    (from date to recorded; below 0 where early), both dates, all other columns; sorted by these. Raises
    `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    source.refuse(source.types, ["side", "days_late"])
    happened, booked = source.column(date, DATE), source.column(recorded, DATE)
    values: dict[str, Any] = {"day": as_day(day, "day")}
    near = ""
    if days is not None:
        values["days"] = as_days(days)
        near = f" and abs(days_between(s.{booked}, $day)) <= $days"
    shown = ",\n    ".join(f"s.{column}" for column in source.columns(dict.fromkeys([date, recorded, *source.types])))
    return Question(
        f"""
select case when s.{happened} <= $day then 'recorded late' else 'recorded early' end as side,
    days_between(s.{happened}, s.{booked}) as days_late,
    {shown}
from {source.sql} as s
where (s.{happened} <= $day) <> (s.{booked} <= $day){near}
order by side, days_late,
    {shown}
""",
        values,
    )
