"""The ladder, rung by rung. Each case is a job of its own, and all of them stand in one snapshot."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.checks.engine import Engine
from auditkit.checks.rules import load_steps
from auditkit.sandbox.dataset import build
from auditkit.sandbox.wire import dumps
from tests.world import JOB, audited, invoice, line, nrb, reconciled, related, typed, unbilled, workbench


@dataclass(frozen=True)
class Case:
    job: str
    nrbs: list
    invoices: list
    links: list  # (nrb, invoice, line or None, method)
    manual: tuple = ()
    forbidden: tuple = ()


def case(job, nrbs, invoices, links, **decisions):
    """Bodies that name no job of their own belong to the case's."""
    return Case(
        job,
        [{**body, "nrbJobOrderNumber": job} if body["nrbJobOrderNumber"] == JOB else body for body in nrbs],
        [{**body, "related": [related(job, job)]} if body["related"] == [related()] else body for body in invoices],
        links,
        **decisions,
    )


def empty(jnid, **changes):
    """An invoice whose line carries nothing."""
    return invoice([line("Labour", "7.77")], jnid, **changes)


def on(jnid, *lines, **changes):
    return invoice(lines, jnid, **changes)


def two(first, second, **changes):
    """Two NRBs, and a line of their sum on an invoice that is called as the first."""
    nrbs = [unbilled(first, "412.37", **changes), unbilled(second, "187.64", **changes)]
    return nrbs, [on(first, line("Materials", "600.01"))]


def round_ones(first, second, text, **changes):
    """As `two`, in round amounts."""
    nrbs = [unbilled(first, "400.00", **changes), unbilled(second, "600.00", **changes)]
    return nrbs, [on(first, line(text, "1000.00"))]


PARENT = {"nrbDocumentType": "RECEIPT_AP_INVOICE"}
CASES = [
    # Rungs 1 to 3: which invoice
    case("GUID-1", [unbilled("a1", nrbBilledInGuid="GUID-a")], [empty("a")], [("a1", "a", None, "billed-guid")]),
    case("GUID-2", [unbilled("a2", nrbBilledInGuid=" guid-A2 ")], [empty("a2")], [("a2", "a2", None, "billed-guid")]),
    case("GUID-3", [unbilled("a3", nrbBilledInGuid="GUID-404")], [empty("a3")], []),
    case("NUM-1", [nrb("b1", nrbBilledInName="INV-b1")], [empty("b1")], [("b1", "b1", None, "billed-number")]),
    case("NUM-2", [nrb("b2", nrbBilledInName="inv-B2 ")], [empty("b2")], [("b2", "b2", None, "billed-number")]),
    case(
        "NUM-3",
        [nrb("b3", nrbBilledInName="QB-b3")],
        [empty("b3", external_id="QB-b3")],
        [("b3", "b3", None, "billed-number")],
    ),
    case("NUM-4", [nrb("b4", nrbBilledInName="INV-404")], [empty("b4")], []),
    case("NUM-5", [nrb("b5", nrbBilledInName="5")], [empty("b5", number="05")], []),  # ids are text
    case("NUM-6", [nrb("b6", nrbBilledInName=None)], [empty("b6", number=None)], []),  # NULL names nothing
    case(
        "EXT-1",
        [unbilled("c1", nrbExternalId="E-c1")],
        [empty("c1", external_id="e-C1")],
        [("c1", "c1", None, "external-id")],
    ),
    case(
        "EXT-2",
        [unbilled("c2", nrbOriginReference="E-c2")],
        [empty("c2", external_id="E-c2")],
        [("c2", "c2", None, "external-id")],
    ),
    case(
        "EXT-3",
        [unbilled("c3", nrbBilledInGuid="E-c3")],
        [empty("c3", external_id="E-c3")],
        [("c3", "c3", None, "external-id")],
    ),
    case("EXT-4", [unbilled("c4", nrbExternalId="E-404")], [empty("c4", external_id="E-c4")], []),
    case("EXT-5", [unbilled("c5", nrbExternalId=None, nrbOriginReference=None)], [empty("c5")], []),
    case(
        "LOWEST-RUNG-1",
        [nrb("d1", nrbBilledInName="INV-d2", nrbBilledInGuid="GUID-d1", nrbExternalId="E-d3")],
        [empty("d1"), empty("d2"), empty("d3", external_id="E-d3")],
        [("d1", "d1", None, "billed-guid")],
    ),
    case(
        "SHARED-1",
        [nrb("d4", nrbBilledInName="INV-d4"), nrb("d5", "50.00", nrbBilledInName="INV-d4")],
        [empty("d4")],
        [("d4", "d4", None, "billed-number"), ("d5", "d4", None, "billed-number")],
    ),
    case(
        "OTHER-JOB-1",  # a mark finds the invoice of any job
        [nrb("d6", nrbBilledInName="INV-d6", nrbJobOrderNumber="OTHER-JOB-2")],
        [empty("d6")],
        [("d6", "d6", None, "billed-number")],
    ),
    case(
        "TIE-1",  # two invoices of one number: nothing is found
        [nrb("e1", nrbBilledInName="TWICE-1")],
        [empty("e1", number="TWICE-1"), empty("e2", number="TWICE-1")],
        [],
    ),
    case(
        "TIE-2",  # unless exactly one has a line of the amount
        [nrb("e3", "31.00", nrbBilledInName="TWICE-2")],
        [empty("e3", number="TWICE-2"), on("e4", line("Labour", "31.00"), number="TWICE-2")],
        [("e3", "e4", None, "billed-number"), ("e3", "e4", 0, "amount")],
    ),
    case(
        "TIE-3",
        [nrb("e5", "31.00", nrbBilledInName="TWICE-3")],
        [on("e5", line("A", "31.00"), number="TWICE-3"), on("e6", line("B", "31.00"), number="TWICE-3")],
        [],
    ),
    case(
        "REISSUED-1",  # void and issued again under the same number
        [nrb("f1", nrbBilledInName="AGAIN-1")],
        [on("f1", line("R1-f1"), number="AGAIN-1", is_active=False), on("f2", line("R1-f1"), number="AGAIN-1")],
        [("f1", "f2", None, "billed-number"), ("f1", "f2", 0, "reference")],
    ),
    case(
        "REISSUED-2",  # and under another: the mark still leads to the void one
        [nrb("f3", nrbBilledInName="INV-f3")],
        [on("f3", line("R1-f3"), is_active=False), on("f4", line("R1-f3"))],
        [("f3", "f3", None, "billed-number"), ("f3", "f4", 0, "reference")],
    ),
    case(
        "REISSUED-3",  # an amount alone does not lead from a void invoice to another
        [nrb("f5", "32.00", nrbBilledInName="INV-f5")],
        [empty("f5", is_active=False), on("f6", line("Labour", "32.00"))],
        [("f5", "f5", None, "billed-number")],
    ),
    case(
        "VOID-1",
        [nrb("f7", nrbBilledInName="INV-f7")],
        [on("f7", line("R1-f7"), is_active=False)],
        [("f7", "f7", None, "billed-number"), ("f7", "f7", 0, "reference")],
    ),
    case(
        "DRAFT-1",
        [nrb("f8", nrbBilledInName="INV-f8")],
        [on("f8", line("R1-f8"), status_name=" Draft ")],
        [("f8", "f8", None, "billed-number"), ("f8", "f8", 0, "reference")],
    ),
    case(
        "DRAFT-2",  # issued before draft before void
        [nrb("f9", nrbBilledInName="AGAIN-2")],
        [empty("f9", number="AGAIN-2", is_active=False), empty("f10", number="AGAIN-2", status_name="Draft")],
        [("f9", "f10", None, "billed-number")],
    ),
    case(
        "REISSUED-4",  # an issued invoice of a higher rung before a void one of a lower
        [nrb("f13", nrbBilledInGuid="GUID-f13", nrbBilledInName="INV-f14")],
        [empty("f13", is_active=False), empty("f14")],
        [("f13", "f14", None, "billed-number")],
    ),
    case(
        "DRAFT-3",
        [unbilled("f11")],
        [on("f11", line("R1-f11"), status_name="Draft"), on("f12", line("R1-f11"), is_active=False)],
        [("f11", "f11", 0, "reference")],
    ),
    # Rung 4: which line, by a reference in its text
    case(
        "REF-1",
        [unbilled("9f06d188-45ee")],
        [on("g1", line("for 9F06D188-45EE"))],
        [("9f06d188-45ee", "g1", 0, "reference")],
    ),
    case("REF-2", [unbilled("g2")], [on("g2", line("(r1-G2), rented"))], [("g2", "g2", 0, "reference")]),
    case("REF-3", [unbilled("g3")], [on("g3", line("rented", name="R1-g3"))], [("g3", "g3", 0, "reference")]),
    case("REF-4", [unbilled("g4", nrbExternalId="X/4711")], [on("g4", line("x/4711"))], [("g4", "g4", 0, "reference")]),
    case("REF-5", [unbilled("g5")], [on("g5", line("AP1-g5"))], [("g5", "g5", 0, "reference")]),
    case("REF-6", [unbilled("g6")], [on("g6", line("R1-g6x and xR1-g6 and R1-g6/2", "7.77"))], []),
    case(
        "REF-7",
        [unbilled("g7", nrbOriginReference="A12", nrbInvoiceNumber="LABOUR")],
        [on("g7", line("A12 LABOUR", "7.77"))],
        [],
    ),
    case("REF-8", [unbilled("g8")], [on("g8", line(None, "7.77", name=None))], []),
    case(
        "REF-9",  # another amount links all the same
        [unbilled("g9", "33.00")],
        [on("g9", line("Labour", "33.00"), line("R1-g9", "34.00"))],
        [("g9", "g9", 1, "reference")],
    ),
    case(
        "REF-10",  # an internal NRB that a line names is on it
        [unbilled("g10", isInternal=True)],
        [on("g10", line("R1-g10"))],
        [("g10", "g10", 0, "reference")],
    ),
    case(
        "REF-11",  # a reference on an invoice of another job is not looked for
        [unbilled("g11", nrbJobOrderNumber="REF-12")],
        [on("g11", line("R1-g11"))],
        [],
    ),
    case(
        "REF-13",  # unless the mark names that invoice
        [nrb("g13", nrbJobOrderNumber="REF-14", nrbBilledInName="INV-g13")],
        [on("g13", line("R1-g13"))],
        [("g13", "g13", None, "billed-number"), ("g13", "g13", 0, "reference")],
    ),
    case(
        "STRONG-1",  # its own reference is stronger than the vendor invoice that it shares with another
        [unbilled("h1", nrbInvoiceNumber="AP-77"), unbilled("h2", nrbInvoiceNumber="AP-77")],
        [on("h1", line("R1-h1 AP-77", "50.00"))],
        [("h1", "h1", 0, "reference")],
    ),
    case(
        "STRONG-2",
        [
            unbilled("h3", nrbInvoiceNumber="AP-78"),
            unbilled("h4", "40.00", nrbInvoiceNumber="AP-78"),
        ],
        [on("h3", line("R1-h3", "50.00"), line("AP-78", "60.00"))],
        [("h3", "h3", 0, "reference"), ("h4", "h3", 1, "reference")],  # linked, h3 rivals for the other line no more
    ),
    case(
        "RIVALS-1",  # one reference, two lines of other amounts
        [unbilled("j1")],
        [on("j1", line("R1-j1", "50.00"), line("R1-j1", "60.00"))],
        [],
    ),
    case(
        "RIVALS-2",  # the equal amount decides
        [unbilled("j2")],
        [on("j2", line("R1-j2", "50.00"), line("R1-j2", "100.00"))],
        [("j2", "j2", 1, "reference")],
    ),
    case(
        "RIVALS-3",  # two equal amounts do not
        [unbilled("j3")],
        [on("j3", line("R1-j3", "100.00"), line("R1-j3", "100.00"))],
        [],
    ),
    case(
        "RIVALS-4",  # two NRBs of one vendor invoice and two lines: amounts decide
        [unbilled("j4", "10.00", nrbInvoiceNumber="AP-79"), unbilled("j5", "20.00", nrbInvoiceNumber="AP-79")],
        [on("j4", line("AP-79", "20.00"), line("AP-79", "10.00"))],
        [("j4", "j4", 1, "reference"), ("j5", "j4", 0, "reference")],
    ),
    case(
        "RIVALS-5",  # a link settles the tie that is left
        [unbilled("j6", "10.00", nrbInvoiceNumber="AP-80"), unbilled("j7", "20.00", nrbInvoiceNumber="AP-80")],
        [on("j6", line("AP-80", "10.00"), line("AP-80", "25.00"))],
        [("j6", "j6", 0, "reference"), ("j7", "j6", 1, "reference")],
    ),
    case(
        "RIVALS-6",  # the invoice that it is marked in comes before the job's others
        [nrb("j8", nrbBilledInName="INV-j8")],
        [on("j8", line("R1-j8", "50.00")), on("j9", line("R1-j8", "100.00"))],
        [("j8", "j8", None, "billed-number"), ("j8", "j8", 0, "reference")],
    ),
    case(
        "RIVALS-7",  # two NRBs of one reference and one amount: neither
        [unbilled("j10", "10.00", nrbInvoiceNumber="AP-82"), unbilled("j11", "10.00", nrbInvoiceNumber="AP-82")],
        [on("j10", line("AP-82", "10.00"))],
        [],
    ),
    # Children
    case(
        "CHILD-1",  # the mark of its parent
        [nrb("k1", nrbBilledInName="INV-k1", **PARENT), unbilled("k2", nrbParentGuid="k1")],
        [empty("k1")],
        [("k2", "k1", None, "billed-number")],
    ),
    case(
        "CHILD-2",  # its own mark first
        [nrb("k3", nrbBilledInName="INV-k3", **PARENT), nrb("k4", nrbBilledInName="INV-k4", nrbParentGuid="k3")],
        [empty("k3"), empty("k4")],
        [("k4", "k4", None, "billed-number")],
    ),
    case(
        "CHILD-3",  # the reference of its parent
        [unbilled("k5", **PARENT), unbilled("k6", nrbParentGuid="k5")],
        [on("k5", line("R1-k5", "55.00"))],
        [("k6", "k5", 0, "reference")],
    ),
    case(
        "CHILD-4",  # its own reference first
        [
            unbilled("k7", **PARENT),
            unbilled("k8", "35.00", nrbParentGuid="k7"),
            unbilled("k9", "36.00", nrbParentGuid="k7"),
        ],
        [on("k7", line("R1-k7 R1-k8", "55.00"), line("R1-k7", "56.00"))],
        [("k8", "k7", 0, "reference"), ("k9", "k7", 1, "reference")],
    ),
    # Rung 5: which line, by an amount that stands once on each side
    case("SUM-1", [unbilled("m1", "41.00")], [on("m1", line("Labour", "41.00"))], [("m1", "m1", 0, "amount")]),
    case("SUM-2", [unbilled("m2", "41.00")], [on("m2", line("Labour", "41.01"))], []),
    case("SUM-3", [unbilled("m3", "41.00"), unbilled("m4", "41.00")], [on("m3", line("Labour", "41.00"))], []),
    case("SUM-4", [unbilled("m5", "41.00")], [on("m5", line("A", "41.00"), line("B", "41.00"))], []),
    case("SUM-5", [unbilled("m6", "41.00")], [on("m6", line("A", "41.00")), on("m7", line("B", "41.00"))], []),
    case("SUM-6", [unbilled("m8", "41.00", isInternal=True)], [on("m8", line("A", "41.00"))], []),
    case("SUM-7", [unbilled("m9", "41.00", nrbIsBillable=False)], [on("m9", line("A", "41.00"))], []),
    case("SUM-8", [unbilled("m10", "0.00")], [on("m10", line("A", "0.00"))], []),
    case("SUM-9", [unbilled("m11", "41.00", nrbJobOrderNumber="SUM-10")], [on("m11", line("A", "41.00"))], []),
    case("SUM-11", [unbilled("m12", "41.00", nrbJobOrderNumber=None)], [on("m12", line("A", "41.00"), related=[])], []),
    case("SUM-12", [unbilled("m13", None)], [on("m13", line("A", None, price=None))], []),
    case("SUM-13", [unbilled("m14", "-41.00")], [on("m14", line("A", "-41.00"))], [("m14", "m14", 0, "amount")]),
    case(
        "SUM-14",  # inside its invoice once, though the job has two
        [nrb("m15", "41.00", nrbBilledInName="INV-m15")],
        [on("m15", line("A", "41.00")), on("m16", line("B", "41.00"))],
        [("m15", "m15", None, "billed-number"), ("m15", "m15", 0, "amount")],
    ),
    case(
        "SUM-15",  # a line that names another NRB is not taken by an amount
        [unbilled("m17", "41.00"), unbilled("m18", "99.00")],
        [on("m17", line("R1-m18", "41.00"), line("R1-m18", "42.00"))],
        [],
    ),
    case(
        "SUM-16",  # what is linked by reference is reserved
        [unbilled("m19", "41.00"), unbilled("m20", "41.00")],
        [on("m19", line("R1-m19", "41.00"), line("Labour", "41.00"))],
        [("m19", "m19", 0, "reference"), ("m20", "m19", 1, "amount")],
    ),
    case(
        "SUM-17",  # issued before draft
        [unbilled("m21", "41.00")],
        [on("m21", line("A", "41.00"), status_name="Draft"), on("m22", line("B", "41.00"))],
        [("m21", "m22", 0, "amount")],
    ),
    # Invoices of two jobs
    case(
        "TWO-JOBS-1",  # one line and an NRB of its amount in each job: it cannot carry both
        [unbilled("x1", "41.00", nrbJobOrderNumber="TWO-1"), unbilled("x2", "41.00", nrbJobOrderNumber="TWO-2")],
        [on("x1", line("Labour", "41.00"), related=[related("TWO-1", "A1"), related("TWO-2", "A2")])],
        [],
    ),
    case(
        "TWO-JOBS-2",
        [unbilled("x3", nrbJobOrderNumber="TWO-3"), unbilled("x4", nrbJobOrderNumber="TWO-4")],
        [on("x3", line("R1-x4"), line("R1-x3"), related=[related("TWO-3", "A3"), related("TWO-4", "A4")])],
        [("x3", "x3", 1, "reference"), ("x4", "x3", 0, "reference")],
    ),
    # Rung 6: which lines, by a sum that stands alone
    case("GROUP-1", *two("r1", "r2"), [("r1", "r1", 0, "group"), ("r2", "r1", 0, "group")]),
    case(
        "GROUP-2",  # one NRB on two lines
        [unbilled("r3", "600.01")],
        [on("r3", line("A", "412.37"), line("B", "187.64"))],
        [("r3", "r3", 0, "group"), ("r3", "r3", 1, "group")],
    ),
    case(
        "GROUP-3",  # but not of two invoices
        [unbilled("r4", "600.01")],
        [on("r4", line("A", "412.37")), on("r5", line("B", "187.64"))],
        [],
    ),
    case(
        "GROUP-4",  # inside the invoice of rungs 1 to 3
        [nrb("r6", "412.37", nrbBilledInName="INV-r6"), nrb("r7", "187.64", nrbBilledInName="INV-r6")],
        [on("r6", line("A", "600.01")), on("r7", line("B", "600.01"))],
        [
            *(("r6", "r6", None, "billed-number"), ("r6", "r6", 0, "group")),
            *(("r7", "r6", None, "billed-number"), ("r7", "r6", 0, "group")),
        ],
    ),
    case("GROUP-5", *two("r8", "r9", isInternal=True), []),
    case("GROUP-6", *two("r10", "r11", nrbIsBillable=False), []),
    case(
        "GROUP-7",  # above 0 only
        [unbilled("r12", "412.37"), unbilled("r13", "-87.64")],
        [on("r12", line("A", "324.73"))],
        [],
    ),
    case(
        "GROUP-8",  # a line of several jobs, in each of which a group makes it
        [
            *(
                unbilled(f"r{place}", total, nrbJobOrderNumber="GROUP-8A")
                for place, total in ((14, "412.37"), (15, "187.64"))
            ),
            *(
                unbilled(f"r{place}", total, nrbJobOrderNumber="GROUP-8B")
                for place, total in ((16, "333.37"), (17, "266.64"))
            ),
        ],
        [on("r14", line("A", "600.01"), related=[related("GROUP-8A", "G1"), related("GROUP-8B", "G2")])],
        [],
    ),
    case("GROUP-9", *two("r18", "r19"), [], forbidden=[("r18", "r18", 0)]),
    case("GROUP-10", *two("r20", "r21"), [], forbidden=[("r20", "r20", None)]),
    case(  # a person said one of two: the line is that one's
        "GROUP-11", *two("r22", "r23"), [("r22", "r22", 0, "manual")], manual=[("r22", "r22", 0)]
    ),
    case(
        "GROUP-12",  # two lines of the sum
        [unbilled("r24", "412.37"), unbilled("r25", "187.64")],
        [on("r24", line("A", "600.01"), line("B", "600.01"))],
        [],
    ),
    case("GROUP-13", *round_ones("r26", "r27", "as agreed"), []),  # round amounts sum up by chance
    case(  # unless a name holds them together: the vendor's invoice …
        "GROUP-14",
        *round_ones("r28", "r29", "per AP-4711", nrbInvoiceNumber="AP-4711"),
        [("r28", "r28", 0, "group"), ("r29", "r28", 0, "group")],
    ),
    case(  # … the purchase order …
        "GROUP-15",
        *round_ones("r30", "r31", "Order PO-77", nrbPONumber="PO-77"),
        [("r30", "r30", 0, "group"), ("r31", "r30", 0, "group")],
    ),
    case(  # … each by its own …
        "GROUP-16",
        *round_ones("r32", "r33", "R1-r32 and R1-r33"),
        [("r32", "r32", 0, "group"), ("r33", "r32", 0, "group")],
    ),
    case(  # … the mark
        "GROUP-17",
        *round_ones("r34", "r35", "as agreed", nrbBilledInName="INV-r34"),
        [
            *(("r34", "r34", None, "billed-number"), ("r34", "r34", 0, "group")),
            *(("r35", "r34", None, "billed-number"), ("r35", "r34", 0, "group")),
        ],
    ),
    case(
        "GROUP-18",  # a header without an amount names all that follows
        [unbilled("r36", "400.00", nrbPONumber="PO-78"), unbilled("r37", "600.00", nrbPONumber="PO-78")],
        [on("r36", line("Order PO-78", "0.00"), line("Materials", "1000.00"))],
        [("r36", "r36", 1, "group"), ("r37", "r36", 1, "group")],
    ),
    case(
        "GROUP-19",  # a receipt in one line that names it
        [
            unbilled("r38", "1000.00", nrbChildren=[{"nrbGuid": "r39"}, {"nrbGuid": "r40"}], **PARENT),
            unbilled("r39", "400.00", nrbParentGuid="r38"),
            unbilled("r40", "600.00", nrbParentGuid="r38"),
        ],
        [on("r38", line("R1-r38", "1000.00"))],
        [("r39", "r38", 0, "group"), ("r40", "r38", 0, "group")],
    ),
    case(
        "GROUP-20",  # one NRB on two lines that name it
        [unbilled("r41", "1000.00")],
        [on("r41", line("R1-r41, first half", "400.00"), line("R1-r41, second half", "600.00"))],
        [("r41", "r41", 0, "group"), ("r41", "r41", 1, "group")],
    ),
    case(
        "GROUP-21",  # a line that names another NRB is no sum
        [unbilled("r42", "412.37"), unbilled("r43", "187.64"), unbilled("r44", "50.00", isInternal=True)],
        [on("r42", line("R1-r44", "600.01"), line("R1-r44", "50.00"))],
        [("r44", "r42", 1, "reference")],
    ),
    case(
        "GROUP-22",  # issued before draft
        [unbilled("r45", "412.37"), unbilled("r46", "187.64")],
        [on("r45", line("A", "600.01"), status_name="Draft"), on("r46", line("B", "600.01"))],
        [("r45", "r46", 0, "group"), ("r46", "r46", 0, "group")],
    ),
    # Rung 0: what a person said
    case("SAID-1", [unbilled("p1")], [empty("p1")], [("p1", "p1", 0, "manual")], manual=[("p1", "p1", 0)]),
    case(
        "SAID-2",  # before every reference
        [unbilled("p2"), unbilled("p3", "50.00")],
        [on("p2", line("R1-p3", "50.00"), line("Labour", "61.00"))],
        [("p2", "p2", 0, "manual")],
        manual=[("p2", "p2", 0)],
    ),
    case(
        "SAID-3",  # a shared line
        [unbilled("p4"), unbilled("p5", "50.00")],
        [empty("p4")],
        [("p4", "p4", 0, "manual"), ("p5", "p4", 0, "manual")],
        manual=[("p4", "p4", 0), ("p5", "p4", 0)],
    ),
    case(
        "SAID-4",  # several lines, of two invoices
        [unbilled("p6")],
        [on("p6", line("A", "61.00"), line("B", "62.00")), on("p7", line("C", "63.00"))],
        [("p6", "p6", 0, "manual"), ("p6", "p6", 1, "manual"), ("p6", "p7", 0, "manual")],
        manual=[("p6", "p6", 0), ("p6", "p6", 1), ("p6", "p7", 0)],
    ),
    case(
        "NO-1",  # a forbidden line: the other one is linked
        [unbilled("q1")],
        [on("q1", line("R1-q1", "50.00"), line("R1-q1", "60.00"))],
        [("q1", "q1", 1, "reference")],
        forbidden=[("q1", "q1", 0)],
    ),
    case("NO-2", [unbilled("q2", "41.00")], [on("q2", line("A", "41.00"))], [], forbidden=[("q2", "q2", 0)]),
    case(
        "NO-3",  # a forbidden invoice: by no rung
        [nrb("q3", "41.00", nrbBilledInName="INV-q3")],
        [on("q3", line("R1-q3", "41.00"))],
        [],
        forbidden=[("q3", "q3", None)],
    ),
    case(
        "NO-4",  # the pair alone is forbidden
        [unbilled("q4", nrbInvoiceNumber="AP-81"), unbilled("q5", nrbInvoiceNumber="AP-81")],
        [on("q4", line("AP-81", "50.00"))],
        [("q5", "q4", 0, "reference")],
        forbidden=[("q4", "q4", 0)],
    ),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(
        tmp_path_factory.mktemp("linking"),
        [body for case in CASES for body in case.nrbs],
        [body for case in CASES for body in case.invoices],
        links=[pair for case in CASES for pair in case.manual],
        forbidden=[pair for case in CASES for pair in case.forbidden],
    ) as snapshot:
        yield snapshot


@pytest.fixture(scope="module")
def links(snapshot):
    return snapshot.query("select nrb_guid, jnid, position, method from link").rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.job)
def test_ladder(links, case):
    own = {body["nrbGuid"] for body in case.nrbs}
    assert Counter(row for row in links if row[0] in own) == Counter(case.links)


@pytest.mark.parametrize(
    ("guid", "candidates"),
    [
        ("e1", {("e1", None, "billed-number"), ("e2", None, "billed-number")}),
        ("e5", {("e5", None, "billed-number"), ("e6", None, "billed-number")}),
        ("j1", {("j1", 0, "reference"), ("j1", 1, "reference")}),
        ("j3", {("j3", 0, "reference"), ("j3", 1, "reference")}),
        ("m3", {("m3", 0, "amount")}),
        ("m4", {("m3", 0, "amount")}),
        ("m5", {("m5", 0, "amount"), ("m5", 1, "amount")}),
        ("r14", {("r14", 0, "group")}),
        ("r16", {("r14", 0, "group")}),
        ("r24", {("r24", 0, "group"), ("r24", 1, "group")}),
        ("r26", {("r26", None, "group")}),
        ("j2", set()),
        ("g6", set()),
    ],
)
def test_what_stays_unlinked_with_candidates_is_listed(snapshot, guid, candidates):
    sql = "select jnid, position, method, reason from link_ambiguous where nrb_guid = $guid"
    rows = snapshot.query(sql, {"guid": guid}).rows
    assert {row[:3] for row in rows} == candidates
    assert all(row[3] for row in rows)


def test_sums_that_are_not_linked_say_why(snapshot):
    reasons = dict(snapshot.query("select nrb_guid, reason from link_ambiguous where nrb_guid in ('r14', 'r26')").rows)
    assert reasons["r14"] == "not the only sum: r14 + r15 = r14/0; the runner-up: r16 + r17 = r14/0"
    assert reasons["r26"] == "not searched: coincidence likely (sets of more than 1 of 2 NRBs)"


def test_lump_sums_of_a_whole_contractor_are_found(bench):
    """A clean world: every NRB that is billed has its line, at its amount, and nothing is left over."""
    world = build(seed=6, nrbs=300, faults={}, lump_sums=True)
    reconciled(bench, [dumps(body) for body in world.nrbs], [dumps(body) for body in world.invoices])
    amounts = dict(bench.query("select label, amount from statement where scope = 'all'").rows)
    missed = (
        "unbilled",
        "billed, line not found",
        "amount differences: under-billed",
        "amount differences: over-billed",
    )
    assert [amounts[label] for label in missed] == [0, 0, 0, 0]
    assert amounts["residual"] == 0
    assert bench.query("select count(*) from link where method = 'group'").scalar() > 20


# Tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("AP-INV-123", {"ap-inv-123"}),
        ("a-1/b_2.c#3 next", {"a-1/b_2.c#3"}),
        ("(AP-1234), AP/5678.", {"ap-1234", "ap/5678"}),
        ("-AP-1234- _x9999_ #4711 12.50.", {"ap-1234", "x9999", "4711", "12.50"}),
        ("A--1234", {"a--1234"}),
        ("ÉCLAIR-77 Straße-12", {"éclair-77", "straße-12"}),
        ("A12 AB12 ABCD 12 1234", {"ab12", "1234"}),  # 4 characters, one of them a digit
        ("line\nbreak9\ttab10", {"break9", "tab10"}),
        ("", set()),
    ],
)
def test_tokens(text, tokens):
    with workbench() as draft:
        typed(draft, [], [invoice([line(text, name=None)])])
        assert {token for (token,) in draft.query("select token from line_token").rows} == tokens


# Shares: what a line that carries several NRBs gives to each, and an NRB on several lines to each line

CENTS = st.integers(-300, 300) | st.integers(-(10**15), 10**15)


@pytest.fixture(scope="module")
def bench():
    with workbench() as draft:
        typed(draft)
        yield draft


@pytest.fixture(scope="module")
def link_step():
    (step,) = [step for step in load_steps("link") if step.name == "link"]
    return step


def shares(draft, step, totals, amounts, pairs):
    """(nrb, line, its part of the NRB, its share of the line) in cents, by the step alone."""
    draft.run("create or replace temp table nrb_leaf (guid varchar, total decimal(18, 2)); delete from invoice_item")
    draft.run("create or replace temp table invoice_found (nrb_guid varchar, jnid varchar, method varchar)")
    draft.run("create or replace temp table link_line (nrb_guid varchar, jnid varchar, position int, method varchar)")
    draft.run("create or replace temp table cents (place integer, amount bigint)")
    for table, columns, values in (
        ("nrb_leaf", "cast(place as varchar) as guid, cast(amount * 0.01 as decimal(18, 2)) as total", totals),
        ("invoice_item", "'i1' as jnid, place as position, cast(amount * 0.01 as decimal(18, 2)) as amount", amounts),
    ):
        draft.query("delete from cents")
        draft.insert("cents", {"place": list(range(len(values))), "amount": list(values)})
        draft.query(f"insert into {table} by name select {columns} from cents")
    draft.insert(
        "link_line",
        {
            "nrb_guid": [str(guid) for guid, _ in pairs],
            "jnid": ["i1"] * len(pairs),
            "position": [place for _, place in pairs],
            "method": ["manual"] * len(pairs),
        },
    )
    draft.query("delete from link")
    Engine(draft).run(step, {})
    rows = draft.query("select nrb_guid, position, nrb_amount, invoiced_amount from link").rows
    return [(int(guid), place, int(part * 100), int(share * 100)) for guid, place, part, share in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), totals=st.lists(CENTS, min_size=1, max_size=4), amounts=st.lists(CENTS, min_size=1, max_size=4))
def test_shares_sum_exactly(bench, link_step, data, totals, amounts):
    every = [(guid, place) for guid in range(len(totals)) for place in range(len(amounts))]
    pairs = data.draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    rows = shares(bench, link_step, totals, amounts, pairs)
    assert sorted((guid, place) for guid, place, _, _ in rows) == sorted(pairs)
    for nrb_place in {guid for guid, _ in pairs}:
        assert sum(part for guid, _, part, _ in rows if guid == nrb_place) == totals[nrb_place]
    for place in {place for _, place in pairs}:
        assert sum(share for _, position, _, share in rows if position == place) == amounts[place]


@pytest.mark.parametrize(
    ("totals", "amounts", "pairs", "expected"),
    [
        # NRBs that sum to the line keep their own amounts
        ([800, 400], [1200], [(0, 0), (1, 0)], [(0, 0, 800, 800), (1, 0, 400, 400)]),
        ([800, -300], [500], [(0, 0), (1, 0)], [(0, 0, 800, 800), (1, 0, -300, -300)]),
        # others share pro rata, the cents left over to the largest remainders
        ([800, 400], [1000], [(0, 0), (1, 0)], [(0, 0, 800, 667), (1, 0, 400, 333)]),
        ([100, 100, 100], [100], [(0, 0), (1, 0), (2, 0)], [(0, 0, 100, 34), (1, 0, 100, 33), (2, 0, 100, 33)]),
        ([0, 0], [101], [(0, 0), (1, 0)], [(0, 0, 0, 51), (1, 0, 0, 50)]),
        # one NRB on several lines is split the same way
        ([1200], [800, 400], [(0, 0), (0, 1)], [(0, 0, 800, 800), (0, 1, 400, 400)]),
        ([1000], [800, 400], [(0, 0), (0, 1)], [(0, 0, 667, 800), (0, 1, 333, 400)]),
    ],
)
def test_shares(bench, link_step, totals, amounts, pairs, expected):
    assert sorted(shares(bench, link_step, totals, amounts, pairs)) == expected


def test_links_that_share_have_a_group(snapshot):
    groups = dict(snapshot.query("select nrb_guid || coalesce(position, -1), group_id from link").rows)
    assert groups["p10"] is None
    assert groups["p40"] == groups["p50"] == "p4/0"
    assert {groups["p60"], groups["p61"]} == {"p6"}
    assert groups["r10"] == groups["r20"] == "r1/0"
    assert {groups["r30"], groups["r31"]} == {"r3"}


def test_each_of_a_group_has_its_own_amount(snapshot):
    rows = snapshot.query(
        "select nrb_guid, position, nrb_amount, invoiced_amount from link where nrb_guid in ('r1', 'r2', 'r3')"
        " order by all"
    ).rows
    assert [(guid, position, str(own), str(share)) for guid, position, own, share in rows] == [
        ("r1", 0, "412.37", "412.37"),
        ("r2", 0, "187.64", "187.64"),
        ("r3", 0, "412.37", "412.37"),
        ("r3", 1, "187.64", "187.64"),
    ]


def test_the_statement_of_all_that_is_shared_and_split_has_no_residual(snapshot):
    rows = dict(snapshot.query("select label, amount from statement where scope = 'all'").rows)
    assert rows["residual"] == 0
    gross = snapshot.query("select gross from statement where scope = 'all' and label = 'residual'").scalar()
    assert gross == 0


# Order


def every(kind):
    return [body for case in CASES for body in getattr(case, kind)]


def link_tables(draft, nrbs, invoices):
    reconciled(draft, nrbs, invoices)
    return [
        draft.query("select * exclude (position, group_id), group_id is null from link order by all").rows,
        draft.query(
            "select nrb_guid, jnid, method, regexp_replace(reason, '/[0-9]+', '', 'g') from link_ambiguous order by all"
        ).rows,
    ]


@pytest.fixture(scope="module")
def in_order(bench):
    return link_tables(bench, every("nrbs"), every("invoices"))


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_no_order_of_records_or_lines_changes_a_link(bench, in_order, random):
    nrbs, invoices = every("nrbs"), every("invoices")
    shuffled = [{**body, "items": random.sample(body["items"], len(body["items"]))} for body in invoices]
    random.shuffle(nrbs)
    random.shuffle(shuffled)
    assert link_tables(bench, nrbs, shuffled) == in_order


def test_money_of_every_link_is_a_decimal(snapshot):
    rows = snapshot.query("select nrb_amount, invoiced_amount from link where position is not null").rows
    assert {type(value) for row in rows for value in row} == {Decimal}


@pytest.mark.parametrize("number", ["#4471-A", "(4471)", "AP-1001."])
def test_punctuation_at_the_ends_of_a_reference_is_no_part_of_it(tmp_path, number):
    invoices = [invoice([line(f"Vendor invoice {number}", "100.00"), line("Labour", "100.00")], "p1")]
    one = unbilled("p", "100.00", nrbInvoiceNumber=number)
    with audited(tmp_path, [one], invoices) as snapshot:
        assert snapshot.query("select position, method from link where position is not null").rows == [(0, "reference")]


def test_white_space_of_any_kind_around_a_number_is_no_part_of_it(tmp_path):
    one = nrb("w", "70.00", nrbBilledInName="INV-w\n\u00a0", nrbBilledInGuid=None)
    with audited(tmp_path, [one], [invoice([line("Pump", "70.00")], "w1", number="\tINV-w")]) as snapshot:
        assert ("billed-number",) in snapshot.query("select method from link").rows
