"""Which NRB is on which line, and in which state it is. Each case is a job of its own; one snapshot holds them all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.checks.link_thresholds import CHANCE
from auditkit.sandbox.dataset import build
from auditkit.sandbox.wire import dumps
from auditkit.warehouse.snapshots import Draft, Snapshot
from tests.world import JOB, audited, invoice, line, nrb, reconciled, related, unbilled, workbench

Body = dict[str, Any]
Pair = tuple[str, str, int | None]


@dataclass(frozen=True)
class Case:
    """`states` of each NRB; `links` as (nrb, invoice, line, method); `charged` of NRBs, where it is not the total."""

    job: str
    nrbs: Sequence[Body]
    invoices: Sequence[Body]
    states: Mapping[str, str]
    links: Sequence[tuple[str, str, int, str]] = ()
    charged: Mapping[str, str] = field(default_factory=dict)
    confirmed: Sequence[Pair] = ()
    forbidden: Sequence[Pair] = ()


def case(
    job: str,
    nrbs: Sequence[Body],
    invoices: Sequence[Body],
    states: Mapping[str, str] | str,
    *links: Any,
    **others: Any,
) -> Case:
    """Bodies that name no job of their own belong to the case's. One state for all NRBs may be given as a text."""
    every = {body["nrbGuid"]: states for body in nrbs} if isinstance(states, str) else states
    return Case(
        job,
        [{**body, "nrbJobOrderNumber": job} if body["nrbJobOrderNumber"] == JOB else body for body in nrbs],
        [{**body, "related": [related(job, job)]} if body["related"] == [related()] else body for body in invoices],
        every,
        links,
        **others,
    )


def on(jnid: str, *lines: Body, **changes: Any) -> Body:
    return invoice(lines, jnid, **changes)


def other(jnid: str, **changes: Any) -> Body:
    """An invoice with a line that is no cost of anybody."""
    return invoice([line("Crew day", "7.77", item_type="labor")], jnid, **changes)


VOID = {"is_active": False}
DRAFT = {"status_name": "Draft"}
RECEIPT = {"nrbDocumentType": "RECEIPT_AP_INVOICE"}
NAMELESS = {"nrbOriginReference": None, "nrbInvoiceNumber": None}

# ── What a mark finds ───────────────────────────────────────────────────────────────────────────────────────────────
MARKS = [
    case("M-101", [unbilled("ma1", nrbBilledInGuid=" guid-MA1 ")], [other("ma1")], "not_on_invoice"),
    case("M-102", [nrb("ma2", nrbBilledInName="inv-MA2 ")], [other("ma2")], "not_on_invoice"),
    case("M-103", [nrb("ma3", nrbBilledInName="QB-7003")], [other("ma3", external_id="QB-7003")], "not_on_invoice"),
    case("M-104", [nrb("ma4", nrbBilledInName="INV-40404")], [other("ma4")], "not_found"),
    case("M-105", [nrb("ma5", nrbBilledInName="INV 7105")], [other("ma5", number="7105")], "not_on_invoice"),
    case("M-106", [nrb("ma6", nrbBilledInName="7106")], [other("ma6", number="INV-7106")], "not_on_invoice"),
    case(
        "M-107",  # "7107" without its prefix is two invoices
        [nrb("ma7", nrbBilledInName="7107")],
        [other("ma7", number="INV-7107"), other("ma8", number="BILL-7107")],
        "not_found",
    ),
    case("M-108", [unbilled("ma9", nrbExternalId="E-7108")], [other("ma9", external_id="e-7108")], "not_on_invoice"),
    case(
        "M-109",  # an own id as the external id of an invoice of another job finds nothing
        [unbilled("ma10", nrbExternalId="E-7109", nrbJobOrderNumber="M-110")],
        [other("ma10", external_id="E-7109")],
        "unbilled",
    ),
    case(
        "M-111",  # a number that two years use: that of its own job
        [nrb("ma11", nrbBilledInName="1001")],
        [other("ma11", number="1001"), other("ma12", number="1001", related=[related("M-112", "M-112")])],
        "not_on_invoice",
    ),
    case(
        "M-113",  # two invoices of its job with one number, and nothing to choose by
        [nrb("ma13", nrbBilledInName="TWICE-1")],
        [other("ma13", number="TWICE-1"), other("ma14", number="TWICE-1")],
        "marked_several",
    ),
    case(
        "M-114",  # one of them has its amount
        [nrb("ma15", "31.07", nrbBilledInName="TWICE-2")],
        [other("ma15", number="TWICE-2"), on("ma16", line("Pump", "31.07"), number="TWICE-2")],
        "billed_full",
        ("ma15", "ma16", 0, "mark"),
    ),
    case("M-115", [nrb("ma17", nrbBilledInName="INV-ma17")], [other("ma17", **VOID)], "on_void"),
    case("M-116", [nrb("ma18", nrbBilledInName="INV-ma18")], [other("ma18", **DRAFT)], "on_draft"),
    case("M-117", [nrb("ma19", nrbBilledInName="INV-ma19")], [invoice([], "ma19")], "unreadable"),
    case(
        "M-118",  # issued before void under one number
        [nrb("ma20", nrbBilledInName="AGAIN-1")],
        [other("ma20", number="AGAIN-1", **VOID), other("ma21", number="AGAIN-1")],
        "not_on_invoice",
    ),
    case(
        "M-119",  # a child has its parent's mark
        [nrb("ma22", nrbBilledInName="INV-ma22", **RECEIPT), unbilled("ma23", nrbParentGuid="ma22")],
        [other("ma22")],
        {"ma23": "not_on_invoice"},
    ),
    case("M-120", [nrb("ma24", nrbBilledInName="INV-ma24")], [other("ma24", status_name="Cancelled")], "on_void"),
]

# ── What a name on a line settles ───────────────────────────────────────────────────────────────────────────────────
NAMES = [
    case("N-101", [unbilled("na1")], [on("na1", line("R1-na1 rental"))], "billed_full", ("na1", "na1", 0, "name")),
    *(
        case(
            f"N-11{place}",
            [unbilled(f"nb{place}", nrbOriginReference=f"AP-1023{place}", nrbInvoiceNumber=None)],
            [on(f"nb{place}", line(text.format(place)))],
            "billed_full",
            (f"nb{place}", f"nb{place}", 0, "name"),
        )
        for place, text in enumerate(
            (
                "Crane ap 1023{}",
                "AP1023{}: crane",
                "(AP–1023{})",
                "Inv#AP-1023{}",
                "crane\u200b AP-1\u200b023{}",
                "AP.1023{}",
            )
        )
    ),
    case(  # 24-101 is not 2410-1
        "N-120",
        [unbilled("nc1", nrbOriginReference="24-101-77", nrbInvoiceNumber=None)],
        [on("nc1", line("2410-1-77", "55.13"))],
        "unbilled",
    ),
    case(
        "N-121",  # a part of a longer token
        [
            unbilled("nc2", nrbOriginReference="R-7121", nrbInvoiceNumber=None),
            unbilled("nc3", "64.20", nrbOriginReference="R-7121-2", nrbInvoiceNumber=None),
        ],
        [on("nc2", line("Pump R-7121-2", "64.20"))],
        {"nc2": "unbilled", "nc3": "billed_full"},
        ("nc3", "nc2", 0, "name"),
    ),
    case(  # another amount is billed in part, or over
        "N-122",
        [unbilled("nc4", "33.00"), unbilled("nc5", "33.00")],
        [on("nc4", line("R1-nc4", "34.10"), line("R1-nc5", "30.10"))],
        {"nc4": "billed_over", "nc5": "billed_part"},
        ("nc4", "nc4", 0, "name"),
        ("nc5", "nc4", 1, "name"),
        charged={"nc4": "34.10", "nc5": "30.10"},
    ),
    case(
        "N-123", [unbilled("nc6", isInternal=True)], [on("nc6", line("R1-nc6"))], "internal", ("nc6", "nc6", 0, "name")
    ),
    case(
        "N-124",  # a year is no reference, and a month before it even less
        [unbilled("nc7", "250.00", nrbOriginReference=None, nrbInvoiceNumber="2026")],
        [on("nc7", line("Labor September 2026", "900.00", item_type="labor"))],
        "unbilled",
    ),
    case(
        "N-125",  # a quantity is no reference
        [unbilled("nc8", "250.00", nrbOriginReference=None, nrbInvoiceNumber="1000")],
        [on("nc8", line("1000 L dust control", "900.00"))],
        "unbilled",
    ),
    case(
        "N-126",  # a vendor's number with a document word before it
        [unbilled("nc9", "71.00", nrbOriginReference=None, nrbInvoiceNumber="44718")],
        [on("nc9", line("Invoice 44718", "64.00"))],
        "billed_part",
        ("nc9", "nc9", 0, "name"),
        charged={"nc9": "64.00"},
    ),
    case(
        "N-127",  # the same number without it only asks
        [unbilled("nc10", "71.00", nrbOriginReference=None, nrbInvoiceNumber="44719")],
        [on("nc10", line("Crane 44719", "55.00"))],
        "undecided",
    ),
    case(
        "N-128",  # unless the amount speaks for it, too
        [unbilled("nc11", "71.20", nrbOriginReference=None, nrbInvoiceNumber="44720")],
        [on("nc11", line("Crane 44720", "71.20"))],
        "billed_full",
        ("nc11", "nc11", 0, "name"),
    ),
    case(
        "N-129",  # a part number
        [unbilled("nc12", "71.30", nrbOriginReference=None, nrbInvoiceNumber="44721")],
        [on("nc12", line("Part 44721", "990.00"))],
        "unbilled",
    ),
    case(
        "N-130",  # a labor line of another amount only asks
        [unbilled("nc13", "400.00")],
        [on("nc13", line("Operator for R1-nc13", "120.00", item_type="labor"))],
        "undecided",
    ),
    case(
        "N-131",  # retention is never the cost
        [unbilled("nc14", "400.00")],
        [on("nc14", line("Holdback R1-nc14", "-40.00"))],
        "undecided",
    ),
    case(
        "N-132",  # its own reference on an invoice of another job, unmarked
        [unbilled("nc15", nrbJobOrderNumber="N-133", nrbOriginReference="REF-90132", nrbInvoiceNumber=None)],
        [on("nc15", line("REF-90132"))],
        "undecided",
    ),
    case(
        "N-134",  # but where its mark names that invoice, it is there
        [nrb("nc16", nrbJobOrderNumber="N-135", nrbBilledInName="INV-nc16"), unbilled("nc25", "12.00")],
        [on("nc16", line("R1-nc16"))],
        {"nc16": "billed_full", "nc25": "unbilled"},
        ("nc16", "nc16", 0, "name"),
    ),
    case(
        "N-136",  # marked on one invoice, named on another of the job
        [nrb("nc17", nrbBilledInName="INV-nc17")],
        [other("nc17"), on("nc18", line("R1-nc17"))],
        "billed_full",
        ("nc17", "nc18", 0, "name"),
    ),
    case(
        "N-137",  # void and issued again
        [nrb("nc19", nrbBilledInName="INV-nc19")],
        [on("nc19", line("R1-nc19"), **VOID), on("nc20", line("R1-nc19"))],
        "billed_full",
        ("nc19", "nc20", 0, "name"),
    ),
    case("N-138", [unbilled("nc21")], [on("nc21", line("R1-nc21"), **VOID)], "on_void", ("nc21", "nc21", 0, "name")),
    case("N-139", [unbilled("nc22")], [on("nc22", line("R1-nc22"), **DRAFT)], "on_draft", ("nc22", "nc22", 0, "name")),
    case(
        "N-140",  # a line of 0.00 that names it finds its invoice; the sum below is then its own
        [unbilled("nc23", "400.00"), unbilled("nc24", "600.00")],
        [on("nc23", line("For R1-nc23 and R1-nc24", "0.00"), line("Materials", "1000.00"))],
        "billed_full",
        ("nc23", "nc23", 1, "mark"),
        ("nc24", "nc23", 1, "mark"),
    ),
    case(
        "N-141",  # an invoice that names no job: a common number and the amount settle, the number alone does not speak
        [unbilled("nc26", "61.07", nrbInvoiceNumber="86414"), unbilled("nc27", "62.07", nrbInvoiceNumber="86415")],
        [on("nc26", line("Crane 86414", "61.07"), line("Crane 86415", "900.00"), related=[])],
        {"nc26": "billed_full", "nc27": "unbilled"},
        ("nc26", "nc26", 0, "name"),
    ),
    case(
        "N-142",  # an NRB that names no job: the same ask, and a person decides
        [
            unbilled("nc28", "63.07", nrbInvoiceNumber="86424", nrbJobOrderNumber=None),
            unbilled("nc29", "64.07", nrbInvoiceNumber="86425", nrbJobOrderNumber=None),
        ],
        [on("nc28", line("Crane 86424", "63.07"), line("Crane 86425", "900.00"))],
        {"nc28": "undecided", "nc29": "unbilled"},
    ),
]

# ── Several NRBs, several lines ─────────────────────────────────────────────────────────────────────────────────────
COMPONENTS = [
    case(
        "C-101",  # 40/60 on two invoices, both lines name it
        [unbilled("ca1", "1000.00")],
        [on("ca1", line("R1-ca1 progress", "400.00")), on("ca2", line("R1-ca1 final", "600.00"))],
        "billed_full",
        ("ca1", "ca1", 0, "name"),
        ("ca1", "ca2", 0, "name"),
    ),
    case(
        "C-102",  # and marked with one of them
        [nrb("ca3", "1000.00", nrbBilledInName="INV-ca3")],
        [on("ca3", line("R1-ca3 progress", "400.00")), on("ca4", line("R1-ca3 final", "600.00"))],
        "billed_full",
        ("ca3", "ca3", 0, "name"),
        ("ca3", "ca4", 0, "name"),
    ),
    case(
        "C-103",  # the full amount on each of two invoices
        [unbilled("ca5", "1000.00")],
        [on("ca5", line("R1-ca5", "1000.00")), on("ca6", line("R1-ca5", "1000.00"))],
        "charged_twice",
        ("ca5", "ca5", 0, "name"),
        ("ca5", "ca6", 0, "name"),
        charged={"ca5": "2000.00"},
    ),
    case(
        "C-104",  # charged, credited, charged again
        [unbilled("ca7", "500.00")],
        [
            on("ca7", line("R1-ca7", "500.00")),
            on("ca8", line("Credit R1-ca7", "-500.00")),
            on("ca9", line("R1-ca7", "500.00")),
        ],
        "billed_full",
        ("ca7", "ca7", 0, "name"),
        ("ca7", "ca8", 0, "name"),
        ("ca7", "ca9", 0, "name"),
    ),
    case(
        "C-105",  # charged and credited
        [unbilled("ca10", "500.00")],
        [on("ca10", line("R1-ca10", "500.00")), on("ca11", line("Credit R1-ca10", "-500.00"))],
        "credited_back",
        ("ca10", "ca10", 0, "name"),
        ("ca10", "ca11", 0, "name"),
        charged={"ca10": "0.00"},
    ),
    *(
        case(
            f"C-11{place}",  # a line that names three, and is off their sum
            [
                unbilled(f"cb{place}{each}", total)
                for each, total in zip("abc", ("100.00", "200.00", "300.00"), strict=True)
            ],
            [on(f"cb{place}", line(f"R1-cb{place}a, R1-cb{place}b, R1-cb{place}c", amount))],
            state,
            *((f"cb{place}{each}", f"cb{place}", 0, "name") for each in "abc"),
            charged={f"cb{place}{each}": share for each, share in zip("abc", parts, strict=True)},
        )
        for place, (amount, state, parts) in enumerate(
            (
                ("600.00", "billed_full", ("100.00", "200.00", "300.00")),
                ("600.01", "billed_full", ("100.00", "200.00", "300.01")),
                ("605.00", "billed_over", ("100.83", "201.67", "302.50")),
                ("595.00", "billed_part", ("99.17", "198.33", "297.50")),
            )
        )
    ),
    case(
        "C-120",  # a vendor's credit of 200 netted into a line of 800 that names both
        [unbilled("cc1", "1000.00"), unbilled("cc2", "-200.00")],
        [on("cc1", line("R1-cc1 less R1-cc2", "800.00"))],
        "billed_full",
        ("cc1", "cc1", 0, "name"),
        ("cc2", "cc1", 0, "name"),
    ),
    case(
        "C-121",  # one vendor invoice for two NRBs, two lines that name it: equal amounts
        [unbilled("cc3", "10.50", nrbInvoiceNumber="AP-70121"), unbilled("cc4", "20.50", nrbInvoiceNumber="AP-70121")],
        [on("cc3", line("AP-70121", "20.50"), line("AP-70121", "10.50"))],
        "billed_full",
        ("cc3", "cc3", 1, "name"),
        ("cc4", "cc3", 0, "name"),
    ),
    case(
        "C-122",  # and one line for both
        [
            unbilled("cc5", "400.00", nrbInvoiceNumber="AP-70122"),
            unbilled("cc6", "600.00", nrbInvoiceNumber="AP-70122"),
        ],
        [on("cc5", line("Invoice AP-70122", "1000.00"))],
        "billed_full",
        ("cc5", "cc5", 0, "name"),
        ("cc6", "cc5", 0, "name"),
    ),
    case(
        "C-123",  # one line for one of two: nothing tells which
        [
            unbilled("cc7", "100.00", nrbInvoiceNumber="AP-70123"),
            unbilled("cc8", "100.00", nrbInvoiceNumber="AP-70123"),
        ],
        [on("cc7", line("AP-70123", "100.00"))],
        "undecided",
    ),
    case(
        "C-124",  # its own reference is more specific than the vendor's number that it shares
        [unbilled("cc9", "50.00", nrbInvoiceNumber="AP-70124"), unbilled("cc10", "61.00", nrbInvoiceNumber="AP-70124")],
        [on("cc9", line("R1-cc9 (AP-70124)", "50.00"))],
        {"cc9": "billed_full", "cc10": "unbilled"},
        ("cc9", "cc9", 0, "name"),
    ),
    case(
        "C-125",  # a purchase order names a set: where the sum is exact …
        [unbilled("cc11", "400.00", nrbPONumber="PO-70125"), unbilled("cc12", "600.00", nrbPONumber="PO-70125")],
        [on("cc11", line("Order PO-70125", "1000.00"))],
        "billed_full",
        ("cc11", "cc11", 0, "name"),
        ("cc12", "cc11", 0, "name"),
    ),
    case(
        "C-126",  # … and where it is not, it only asks
        [unbilled("cc13", "400.00", nrbPONumber="PO-70126"), unbilled("cc14", "600.00", nrbPONumber="PO-70126")],
        [on("cc13", line("Order PO-70126", "900.00"))],
        "undecided",
    ),
    case(
        "C-127",  # a receipt in one line that names it
        [
            unbilled("cc15", "1000.00", nrbChildren=[{"nrbGuid": "cc16"}, {"nrbGuid": "cc17"}], **RECEIPT),
            unbilled("cc16", "400.00", nrbParentGuid="cc15"),
            unbilled("cc17", "600.00", nrbParentGuid="cc15"),
        ],
        [on("cc15", line("Receipt AP1-cc15", "1000.00"))],
        {"cc16": "billed_full", "cc17": "billed_full"},
        ("cc16", "cc15", 0, "name"),
        ("cc17", "cc15", 0, "name"),
    ),
    case(
        "C-128",  # an invoice of two jobs whose lines name both
        [unbilled("cc18", nrbJobOrderNumber="C-128A"), unbilled("cc19", nrbJobOrderNumber="C-128B")],
        [on("cc18", line("R1-cc19"), line("R1-cc18"), related=[related("C-128A", "C8A"), related("C-128B", "C8B")])],
        "billed_full",
        ("cc18", "cc18", 1, "name"),
        ("cc19", "cc18", 0, "name"),
    ),
]

# ── What amounts settle ─────────────────────────────────────────────────────────────────────────────────────────────
AMOUNTS = [
    case(
        "A-101",  # two of one amount, two lines of it on the invoice that they are marked with
        [nrb("aa1", "141.00", nrbBilledInName="INV-aa1"), nrb("aa2", "141.00", nrbBilledInName="INV-aa1")],
        [on("aa1", line("Pump", "141.00"), line("Pump", "141.00"))],
        "billed_full",
        ("aa1", "aa1", 0, "mark"),
        ("aa2", "aa1", 1, "mark"),
    ),
    case(
        "A-102",  # three, and two lines: nothing tells them apart
        [nrb(f"aa{place}", "142.00", nrbBilledInName="INV-aa3") for place in (3, 4, 5)],
        [on("aa3", line("Pump", "142.00"), line("Pump", "142.00"))],
        "undecided",
    ),
    case(
        "A-103",  # all that are marked make all its lines
        [nrb("aa6", "400.00", nrbBilledInName="INV-aa6"), nrb("aa7", "600.00", nrbBilledInName="INV-aa6")],
        [on("aa6", line("Materials as agreed", "1000.00"))],
        "billed_full",
        ("aa6", "aa6", 0, "mark"),
        ("aa7", "aa6", 0, "mark"),
    ),
    case(
        "A-104",  # labor is cost only where the invoice has nothing else
        [nrb("aa8", "413.00", nrbBilledInName="INV-aa8"), nrb("aa9", "414.00", nrbBilledInName="INV-aa9")],
        [
            on("aa8", line("Welder", "413.00", item_type="labor")),
            on("aa9", line("Welder", "414.00", item_type="labor"), line("Pipe", "9.00")),
        ],
        {"aa8": "billed_full", "aa9": "not_on_invoice"},
        ("aa8", "aa8", 0, "mark"),
    ),
    case(
        "A-105",  # no name, no mark: an amount that chance would hardly make
        [unbilled("aa10", "7331.19", **NAMELESS)],
        [on("aa10", line("Trucking", "7331.19"))],
        "billed_full",
        ("aa10", "aa10", 0, "amount"),
    ),
    case(
        "A-106",  # a round amount may be anything
        [unbilled("aa11", "500.00", **NAMELESS)],
        [on("aa11", line("Trucking", "500.00"))],
        "unbilled",
    ),
    case(
        "A-107",  # an improbable amount on two lines: a tie
        [unbilled("aa12", "7332.17", **NAMELESS)],
        [on("aa12", line("Trucking", "7332.17"), line("Pump", "7332.17"))],
        "undecided",
    ),
    case(
        "A-108",  # charged, credited and charged again without a name
        [unbilled("aa13", "7333.13", **NAMELESS)],
        [
            on("aa13", line("Pump", "7333.13")),
            on("aa14", line("Pump", "-7333.13")),
            on("aa15", line("Pump", "7333.13")),
        ],
        "billed_full",
        ("aa13", "aa13", 0, "amount"),
        ("aa13", "aa14", 0, "amount"),
        ("aa13", "aa15", 0, "amount"),
    ),
    case(
        "A-109",  # a line that names another NRB is nobody else's
        [unbilled("aa16", "7334.11", **NAMELESS), unbilled("aa17", "99.00")],
        [on("aa16", line("R1-aa17", "7334.11"))],
        {"aa16": "unbilled", "aa17": "billed_over"},
        ("aa17", "aa16", 0, "name"),
        charged={"aa17": "7334.11"},
    ),
    case(
        "A-110",  # a mark that finds nothing, and an improbable amount in the job
        [nrb("aa18", "7335.09", nrbBilledInName="INV-50505", **NAMELESS)],
        [on("aa18", line("Trucking", "7335.09"))],
        "billed_full",
        ("aa18", "aa18", 0, "amount"),
    ),
    case(
        "A-111",  # a unique sum that chance would hardly make
        [unbilled("aa19", "4127.37", **NAMELESS), unbilled("aa20", "3877.64", **NAMELESS)],
        [on("aa19", line("Materials", "8005.01"))],
        "billed_full",
        ("aa19", "aa19", 0, "amount"),
        ("aa20", "aa19", 0, "amount"),
    ),
    case(
        "A-112",  # internal and non-billable cost is never looked for by amount
        [
            unbilled("aa21", "7336.07", isInternal=True, **NAMELESS),
            unbilled("aa22", "7337.03", nrbIsBillable=False, **NAMELESS),
        ],
        [on("aa21", line("Trucking", "7336.07"), line("Pump", "7337.03"))],
        {"aa21": "internal", "aa22": "not_billable"},
    ),
    case("A-113", [unbilled("aa23", "0.00")], [other("aa23")], "nothing_to_bill"),
    case("A-114", [unbilled("aa24", None)], [other("aa24")], "unbilled"),
]

# ── Credits in Aimsio, and what persons decide ──────────────────────────────────────────────────────────────────────
SAME_BILL = {"nrbInvoiceNumber": "AP-70201"}
OTHERS = [
    case(
        "R-101",  # a wrong bill and its reversal; the new entry is billed
        [
            unbilled("ra1", "845.00", **SAME_BILL),
            unbilled("ra2", "-845.00", **SAME_BILL),
            unbilled("ra3", "854.00", nrbInvoiceNumber="AP-70201-A"),
        ],
        [on("ra1", line("R1-ra3", "854.00"))],
        {"ra1": "reversed", "ra2": "reversed", "ra3": "billed_full"},
        ("ra3", "ra1", 0, "name"),
    ),
    case("R-102", [unbilled("ra4", "845.00"), unbilled("ra5", "-846.00")], [other("ra4")], "unbilled"),
    case(
        "D-101",
        [unbilled("da1")],
        [other("da1")],
        "billed_part",
        ("da1", "da1", 0, "manual"),
        charged={"da1": "7.77"},
        confirmed=[("da1", "da1", 0)],
    ),
    case(
        "D-102",  # a person's word comes before every name on the line
        [unbilled("da2", "61.00"), unbilled("da3", "50.00")],
        [on("da2", line("R1-da3", "61.00"))],
        {"da2": "billed_full", "da3": "unbilled"},
        ("da2", "da2", 0, "manual"),
        confirmed=[("da2", "da2", 0)],
    ),
    case(
        "D-103",  # several NRBs on a line, by a person
        [unbilled("da4", "70.00"), unbilled("da5", "50.00")],
        [on("da4", line("Sundry", "120.00"))],
        "billed_full",
        ("da4", "da4", 0, "manual"),
        ("da5", "da4", 0, "manual"),
        confirmed=[("da4", "da4", 0), ("da5", "da4", 0)],
    ),
    case(
        "D-104",  # a forbidden line: the other one remains
        [unbilled("da6", "100.00")],
        [on("da6", line("R1-da6", "100.00"), line("R1-da6", "100.00"))],
        "billed_full",
        ("da6", "da6", 1, "name"),
        forbidden=[("da6", "da6", 0)],
    ),
    case(
        "D-105",
        [nrb("da7", nrbBilledInName="INV-da7")],
        [on("da7", line("R1-da7"))],
        "not_found",
        forbidden=[("da7", "da7", None)],
    ),
    case(
        "D-106",  # forbidden to one of two of an amount: the other's
        [unbilled("da8", "7338.01", **NAMELESS)],
        [on("da8", line("Pump", "7338.01"))],
        "unbilled",
        forbidden=[("da8", "da8", 0)],
    ),
    case(
        "D-107",  # forbidden to one of two that share a name
        [unbilled("da9", "50.00", nrbInvoiceNumber="AP-70281"), unbilled("da10", "50.00", nrbInvoiceNumber="AP-70281")],
        [on("da9", line("AP-70281", "50.00"))],
        {"da9": "unbilled", "da10": "billed_full"},
        ("da10", "da9", 0, "name"),
        forbidden=[("da9", "da9", 0)],
    ),
]
CASES = [*MARKS, *NAMES, *COMPONENTS, *AMOUNTS, *OTHERS]
# Lines of other jobs, so that no amount above is common among them.
FILLER = [
    invoice(
        [line(f"Own stock {place}", f"{1300 + 7 * place}.{place % 90 + 10}") for place in range(start, start + 20)],
        f"filler-{start}",
        related=[related("FILLER", "FILLER")],
    )
    for start in range(0, 400, 20)
]


def every(kind: str) -> list[Any]:
    return [body for case in CASES for body in getattr(case, kind)]


@pytest.fixture(scope="module")
def bench() -> Draft:
    with workbench() as draft:
        yield draft


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    with audited(
        tmp_path_factory.mktemp("linking"),
        every("nrbs"),
        [*every("invoices"), *FILLER],
        links=every("confirmed"),
        forbidden=every("forbidden"),
    ) as snapshot:
        yield snapshot


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.job)
def test_states(snapshot: Snapshot, case: Case) -> None:
    states = dict(snapshot.query("select guid, state from nrb_state").rows)
    assert {guid: states[guid] for guid in case.states} == case.states


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.job)
def test_links(snapshot: Snapshot, case: Case) -> None:
    own = {body["nrbGuid"] for body in case.nrbs}
    rows = snapshot.query("select nrb_guid, jnid, position, method from link").rows
    assert Counter(row for row in rows if row[0] in own) == Counter(case.links)


@pytest.mark.parametrize("case", [case for case in CASES if case.charged], ids=lambda case: case.job)
def test_charged(snapshot: Snapshot, case: Case) -> None:
    charged = dict(snapshot.query("select guid, charged from nrb_state").rows)
    assert {guid: str(charged[guid]) for guid in case.charged} == case.charged


def test_what_is_charged_and_what_is_left_make_the_total(snapshot: Snapshot) -> None:
    wrong = snapshot.query(
        "select s.guid from nrb_state as s join nrb as n on n.guid = s.guid"
        " where s.charged + s.left_over <> coalesce(n.total_after_markup, 0)"
    ).rows
    assert wrong == []


def test_every_leaf_has_one_state_and_every_linked_line_is_shared_whole(snapshot: Snapshot) -> None:
    assert snapshot.query("select count(*), count(distinct guid) from nrb_state").rows == [
        snapshot.query("select count(*), count(*) from nrb where is_leaf").rows[0]
    ]
    assert (
        snapshot.query(
            "select jnid, position from link join invoice_item as t using (jnid, position)"
            " group by all having sum(invoiced_amount) <> min(t.amount)"
        ).rows
        == []
    )


def test_the_lines_of_one_cost_are_all_issued_all_drafts_or_all_void(snapshot: Snapshot) -> None:
    assert snapshot.query("select nrb_guid from link group by all having count(distinct state) > 1").rows == []


def test_the_statement_of_all_this_reconciles(snapshot: Snapshot) -> None:
    assert snapshot.query("select scope, key from statement where code = 'difference' and gross <> 0").rows == []


def test_it_says_what_to_know_of_a_state(snapshot: Snapshot) -> None:
    notes = dict(snapshot.query("select guid, note from nrb_state where note is not null").rows)
    assert notes["nc17"] == "billed on another invoice than its mark names"
    assert notes["na1"] == "billed, though not marked as billed"


@pytest.mark.parametrize(
    ("guid", "jnid", "position", "points", "terms"),
    [
        ("na1", "na1", 0, 6, "own reference r1na1 (plain) 3"),
        ("nc10", "nc10", 0, 2, "vendor's invoice number 44719 (plain) 2"),
        ("nc13", "nc13", 0, 2, "own reference r1nc13 (distinct) 4, a labor line of another amount -2"),
        ("nc14", "nc14", 0, 1, "own reference r1nc14 (distinct) 4, at most 1"),
        (
            "nc15",
            "nc15",
            0,
            2,
            "own reference ref90132 (distinct) 4, the same amount +2, on another job's invoice -2, at most 2",
        ),
    ],
)
def test_the_points_are_explained_term_by_term(
    snapshot: Snapshot, guid: str, jnid: str, position: int, points: int, terms: str
) -> None:
    found = snapshot.query(
        "select points, terms from evidence where nrb_guid = $guid and jnid = $jnid and position = $position"
        " and kind = 'name'",
        {"guid": guid, "jnid": jnid, "position": position},
    ).rows
    assert found and found[0][1].startswith(terms) and (points in (6,) or found[0][0] == points)


@pytest.mark.parametrize(
    ("guid", "places", "words"),
    [
        ("aa3", {("aa3", 0), ("aa3", 1)}, "3 NRBs and 2 lines have this amount"),
        ("cc7", {("cc7", 0)}, "several NRBs or lines share the name"),
        ("nc10", {("nc10", 0)}, "named, but not surely"),
        ("cc13", {("cc13", 0)}, "perhaps named"),
        ("aa12", {("aa12", 0), ("aa12", 1)}, "1 NRB and 2 lines have this amount"),
    ],
)
def test_candidates_of_the_undecided_are_listed(
    snapshot: Snapshot, guid: str, places: set[tuple[str, int]], words: str
) -> None:
    rows = snapshot.query("select jnid, position, reason from undecided where nrb_guid = $guid", {"guid": guid}).rows
    assert {(jnid, position) for jnid, position, _ in rows} == places
    assert all(words in reason for _, _, reason in rows)


def test_what_an_equal_line_in_the_job_asks_for(snapshot: Snapshot) -> None:
    looked = dict(snapshot.query("select guid, look_first from nrb_state where state = 'unbilled'").rows)
    assert looked["aa11"] and not looked["nc1"]
    expected = snapshot.query("select expected from evidence where nrb_guid = 'aa11' and kind = 'amount'").scalar()
    assert expected > float(CHANCE)


def test_invoices_ask_back(snapshot: Snapshot) -> None:
    rows = snapshot.query("select kind, jnid, position, nrb_guid from line_question order by all").rows
    assert ("charged again", "ca5", 0, "ca5") in rows and ("charged again", "ca6", 0, "ca5") in rows
    assert ("of another job", "nc16", 0, "nc16") in rows


def test_links_that_share_have_a_component(snapshot: Snapshot) -> None:
    components = dict(snapshot.query("select nrb_guid || '@' || jnid, component from link").rows)
    assert components["na1@na1"] is None
    assert components["ca1@ca1"] == components["ca1@ca2"] == "ca1"
    assert components["cb0a@cb0"] == components["cb0b@cb0"] == "cb0/0"


def test_money_of_every_link_is_a_decimal(snapshot: Snapshot) -> None:
    assert {type(amount) for (amount,) in snapshot.query("select invoiced_amount from link").rows} == {Decimal}


# ── Jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def jobs_of(
    draft: Draft, aimsio: str, *entries: Body, jobs: Sequence[tuple[str, str]] = (), text: str = "Pump"
) -> list[Any]:
    """Which Aimsio jobs an invoice has, and whether surely."""
    cost = unbilled("n1", "10.00", nrbJobOrderNumber=aimsio, nrbOriginReference="REF-77001")
    reconciled(draft, [cost], [invoice([line(text, "3.00")], "i1", related=list(entries))], jobs=jobs)
    return draft.query("select job_key, sure, source from invoice_job order by all").rows


@pytest.mark.parametrize(
    ("aimsio", "entry", "expected"),
    [
        ("JOB-1001", related("job-1001"), [("job-1001", True, "equal number")]),
        ("JOB-1001", related("Job 1001"), [("job-1001", True, "equal key")]),
        ("1001", related("JOB-1001"), [("1001", True, "key without prefix")]),
        ("24-101", related("2410-1"), []),
        ("1200", related("5001", name="1200 Main Street"), [("1200", False, "job name")]),
        ("1200", related(None, name="Sample Client"), []),
    ],
)
def test_the_job_of_an_invoice(bench: Draft, aimsio: str, entry: Body, expected: list[Any]) -> None:
    assert jobs_of(bench, aimsio, entry) == expected


def test_job_map_csv_comes_first(bench: Draft) -> None:
    found = jobs_of(bench, "A-1", related("A-1", "J1"), jobs=[("B-2", "A-1")])
    assert found == [("b-2", True, "job_map.csv")]


def test_a_suggested_job_becomes_sure_by_a_reference_on_its_line(bench: Draft) -> None:
    entry = related("5001", name="Town of Mossbank / PROJECT-123")
    assert jobs_of(bench, "PROJECT-123", entry) == [("project-123", False, "job name")]
    assert jobs_of(bench, "PROJECT-123", entry, text="REF-77001 pump") == [
        ("project-123", True, "job name and reference")
    ]


def test_a_suggested_job_feeds_no_search_by_amount(bench: Draft) -> None:
    cost = unbilled("n1", "7331.19", nrbJobOrderNumber="1200", **NAMELESS)
    bill = invoice([line("Trucking", "7331.19")], "i1", related=[related("5001", name="1200 Main Street")])
    reconciled(bench, [cost], [bill, *FILLER])
    assert bench.query("select state from nrb_state").rows == [("unbilled",)]


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("vendor_tax", "state"), [("ask", "billed_full"), ("recoverable", "billed_full"), ("rebilled", "billed_part")]
)
def test_a_cost_that_is_billed_without_its_recoverable_tax(bench: Draft, vendor_tax: str, state: str) -> None:
    cost = unbilled("n1", "862.50", nrbRate="750", nrbUpcharge="10", nrbVendorTax="37.50")
    reconciled(bench, [cost], [invoice([line("R1-n1", "825.00")], "i1")], vendor_tax=vendor_tax)
    assert bench.query("select state, left_over from nrb_state").rows == [(state, Decimal("37.50"))]


@pytest.mark.parametrize(
    ("off", "state"), [("100.04", "billed_full"), ("100.05", "billed_full"), ("100.06", "billed_over")]
)
def test_a_tolerance(bench: Draft, off: str, state: str) -> None:
    reconciled(bench, [unbilled("n1")], [invoice([line("R1-n1", off)], "i1")], tolerance="0.05")
    assert bench.query("select state from nrb_state").rows == [(state,)]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Void", "void"),
        ("CANCELED ", "void"),
        ("deleted", "void"),
        ("Draft", "draft"),
        ("Sent", "issued"),
        (None, "issued"),
    ],
)
def test_statuses(bench: Draft, status: str | None, state: str) -> None:
    reconciled(bench, [], [invoice([line()], "i1", status_name=status)])
    assert bench.query("select state from invoice_status").rows == [(state,)]


def test_every_status_is_listed_with_how_it_is_treated(bench: Draft) -> None:
    bills = [
        invoice([line()], f"i{place}", status_name=name)
        for place, name in enumerate(("Sent", "VOID", "Zap", None, "sent"))
    ]
    reconciled(bench, [], bills, draft_status_names=("zap",))
    rows = bench.query("select status_name, treated_as, known, invoices from invoice_status_name order by all").rows
    assert rows == [
        ("Sent", "issued", True, 2),
        ("VOID", "void", True, 1),
        ("Zap", "draft", True, 1),
        (None, "issued", None, 1),
    ]


# ── Worlds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lump_sums_of_a_whole_contractor_are_found(bench: Draft) -> None:
    """A clean world: every NRB that is billed has its line, at its amount, and nothing is left over."""
    world = build(seed=6, nrbs=300, faults={}, lump_sums=True)
    reconciled(bench, [dumps(body) for body in world.nrbs], [dumps(body) for body in world.invoices])
    amounts = dict(bench.query("select code, amount from statement where scope = 'all'").rows)
    missed = ("unbilled", "undecided", "over_billed", "charged_twice", "difference")
    assert [amounts[code] for code in missed] == [0, 0, 0, 0, 0]
    assert bench.query("select count(*) from link where component is not null").scalar() > 20


def link_tables(draft: Draft, nrbs: list[Body], invoices: list[Body]) -> list[Any]:
    reconciled(draft, nrbs, invoices)
    return [
        draft.query("select * exclude (position, component), component is null from link order by all").rows,
        draft.query("select nrb_guid, jnid from undecided order by all").rows,
        draft.query("select * from nrb_state order by all").rows,
    ]


@pytest.fixture(scope="module")
def in_order(bench: Draft) -> list[Any]:
    return link_tables(bench, every("nrbs"), every("invoices"))


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_no_order_of_records_or_lines_changes_a_link(bench: Draft, in_order: list[Any], random: Any) -> None:
    nrbs, invoices = every("nrbs"), every("invoices")
    shuffled = [{**body, "items": random.sample(body["items"], len(body["items"]))} for body in invoices]
    random.shuffle(nrbs)
    random.shuffle(shuffled)
    assert link_tables(bench, nrbs, shuffled) == in_order
