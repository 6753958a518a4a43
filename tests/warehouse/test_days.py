"""Which calendar day an instant is: of the account's zone, or, for a date without a time, of the zone that sent it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from auditkit.warehouse.snapshots import Draft
from tests.world import invoice, nrb, typed, workbench

MONTH_ENDS = [date(2025, month + 1, 1) - timedelta(1) for month in range(1, 12)]
CHICAGO, EDMONTON = "America/Chicago", "America/Edmonton"


@pytest.fixture(scope="module")
def bench() -> Iterator[Draft]:
    with workbench() as draft:
        yield draft


def midnights(days, zone):
    """Epoch seconds at which the days begin in a zone."""
    return [int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp()) for day in days]


def at(days, hours):
    """Epoch seconds of the days at so many hours UTC."""
    return [seconds + round(hours * 3600) for seconds in midnights(days, "UTC")]


def invoiced(bench, instants, zone=EDMONTON, due=()):
    """The invoice dates that these instants are read as, and the row of date_zone."""
    bodies = [
        invoice([], f"{n:03}", date_invoice=instant, date_due=due[n] if due else None)
        for n, instant in enumerate(instants)
    ]
    typed(bench, [], bodies, zone=zone)
    found = bench.query("select zone, value_count, midnight_count from date_zone where subject_type = 'invoice'").rows
    return [day for (day,) in bench.query("select invoice_date from invoice order by jnid").rows], found


@pytest.mark.parametrize(
    ("zone", "day"), [(EDMONTON, date(2023, 5, 10)), (CHICAGO, date(2023, 5, 11)), ("UTC", date(2023, 5, 11))]
)
def test_the_accounts_zone_decides_the_day(bench, zone, day):
    """05:00 UTC, as in the vendor's own sample: midnight in Chicago, the evening before in Edmonton."""
    when = 1_683_781_200
    bodies = (
        [nrb(nrbInvoiceDate=when * 1000, nrbCreatedAt=when * 1000)],
        [invoice(date_invoice=when, date_due=when, date_created=when)],
    )
    typed(bench, *bodies, zone=zone)
    assert bench.query("select vendor_invoice_date, created_on from nrb").rows == [(day, day)]
    assert bench.query("select invoice_date, due_date, created_on from invoice").rows == [(day, day, day)]
    instants = bench.query("select n.created_at, i.invoice_at from nrb as n, invoice as i").rows
    assert set(instants[0]) == {datetime(2023, 5, 11, 5, tzinfo=UTC)}


@pytest.mark.parametrize(
    "sender", [CHICAGO, EDMONTON, "America/New_York", "America/St_Johns", "Pacific/Honolulu", "UTC"]
)
def test_midnights_of_another_zone_are_read_as_its_days(bench, sender):
    """In summer and in winter; read in the account's zone, most would be the last day but one of the month."""
    days, found = invoiced(bench, midnights(MONTH_ENDS, sender))
    assert days == MONTH_ENDS
    assert found == [(sender, 11, 11)]


def test_one_time_of_day_all_year_is_a_zone_without_daylight_saving(bench):
    days, found = invoiced(bench, at(MONTH_ENDS, 5))
    assert (days, found) == (MONTH_ENDS, [("Etc/GMT+5", 11, 11)])


def test_midnights_of_the_accounts_own_zone_are_its_days(bench):
    """In winter they are midnights in Phoenix, too."""
    days, found = invoiced(bench, midnights(MONTH_ENDS[:2], "America/Denver"), zone="America/Denver")
    assert (days, found) == (MONTH_ENDS[:2], [("America/Denver", 2, 2)])


@pytest.mark.parametrize("hours", [12, 18, 17.6, 10.5, 23])
def test_another_time_of_day_is_no_midnight(bench, hours):
    instants = at(MONTH_ENDS, hours)
    days, found = invoiced(bench, instants)
    assert found == [(None, 11, 0)]
    assert days == [datetime.fromtimestamp(seconds, ZoneInfo(EDMONTON)).date() for seconds in instants]


@pytest.mark.parametrize(("others", "zone"), [(1, CHICAGO), (2, None)])
def test_nearly_all_dates_must_be_midnights(bench, others, zone):
    """19 of 20 are; what is no midnight is read in the account's zone."""
    midnight = midnights([date(2025, 9, 1) + timedelta(n) for n in range(20 - others)], CHICAGO)
    evening = at([date(2025, 10, 1)], 3.25) * others
    days, found = invoiced(bench, midnight + evening)
    assert found == [(zone, 20, len(midnight) if zone else 0)]
    assert days[-1] == date(2025, 9, 30)
    assert days[0] == (date(2025, 9, 1) if zone else date(2025, 8, 31))


@pytest.mark.parametrize(("count", "zone"), [(2, None), (3, CHICAGO)])
def test_two_dates_are_no_evidence(bench, count, zone):
    assert invoiced(bench, midnights(MONTH_ENDS[:count], CHICAGO))[1] == [(zone, count, count if zone else 0)]


def test_due_dates_are_read_like_invoice_dates(bench):
    invoiced(bench, midnights(MONTH_ENDS, CHICAGO), due=midnights(MONTH_ENDS, CHICAGO))
    assert [day for (day,) in bench.query("select due_date from invoice order by jnid").rows] == MONTH_ENDS


def test_instants_that_are_no_dates_are_days_of_the_accounts_zone(bench):
    seconds = midnights(MONTH_ENDS, CHICAGO)
    typed(bench, [], [invoice([], str(n), date_invoice=n, date_created=n) for n in seconds])
    rows = bench.query("select invoice_date - created_on from invoice").rows
    assert rows == [(1,)] * 11


def test_vendor_invoice_dates_have_a_zone_of_their_own(bench):
    sent = zip(midnights(MONTH_ENDS, CHICAGO), midnights(MONTH_ENDS, "America/New_York"), strict=True)
    bodies = [
        (nrb(f"{n:03}", nrbInvoiceDate=a * 1000), invoice([], str(n), date_invoice=b)) for n, (a, b) in enumerate(sent)
    ]
    typed(bench, *zip(*bodies, strict=True))
    found = bench.query("select subject_type, field, zone, account_zone from date_zone order by 1").rows
    assert found == [
        ("invoice", "date_invoice", "America/New_York", EDMONTON),
        ("nrb", "nrbInvoiceDate", CHICAGO, EDMONTON),
    ]
    assert [day for (day,) in bench.query("select vendor_invoice_date from nrb order by guid").rows] == MONTH_ENDS


def test_aimsios_half_past_ten_is_the_same_day_in_all_of_north_america(bench):
    """As its sample shows, Aimsio rewrites the time of day to 10:30 UTC."""
    for zone in (EDMONTON, "America/St_Johns", "Pacific/Honolulu"):
        typed(bench, [nrb(f"{n:03}", nrbInvoiceDate=s * 1000) for n, s in enumerate(at(MONTH_ENDS, 10.5))], zone=zone)
        assert [day for (day,) in bench.query("select vendor_invoice_date from nrb order by guid").rows] == MONTH_ENDS


def test_without_dates_nothing_is_recognized(bench):
    assert invoiced(bench, [None, 0, None]) == ([None, None, None], [])
