"""Verdicts: each case of what was read and answered, with its verdict and words."""

import json
from typing import Any

import pytest

from auditkit.corrections.plan import Change, FieldChange
from auditkit.corrections.tracking import Correction, Reply, Verdict
from auditkit.corrections.verdicts import (
    Conclusion,
    after_creation,
    after_edit,
    aimsio_reply,
    failed_reply,
    jobnimbus_reply,
    missing_after_edit,
    unmet,
)
from auditkit.errors import ApiError, BadAnswer, NotThere, Refused, StoreError, TimedOut, Unreachable
from auditkit.journal import digest
from auditkit.vendors.bodies import ImportResult
from auditkit.vendors.strict_json import dump, parse
from auditkit.vendors.transport import Answer

from .conftest import ACCOUNT, INVOICE, NEW_NRB, ONE, invoice, nrb

KEY = "ak-key-1"
CLEAN = Reply(answered=True, may_resend=True, detail="said")
UNCLEAN = Reply(answered=True, may_resend=False, detail="said")
REFUSED = Reply(answered=False, may_resend=False, detail="said", refused=True)
STRANGE = Reply(answered=True, may_resend=False, detail="said", unexpected="it did more")


# Replies

COUNTS = ("Created", "Edited", "EditedWithErrors", "NotImportedDueToErrors", "Imported")
ASIDE = "the creation edited an object: find out which"
MORE = "more was created than asked for: find it and make it internal"


def result(counts: tuple[int, ...], notices: list[Any] | None = None) -> ImportResult:
    body = {f"numberOfEntities{name}": count for name, count in zip(COUNTS, counts, strict=True)}
    return ImportResult.parse(dump({**body, "notices": notices}), "here")


@pytest.mark.parametrize(
    ("creates", "counts", "may_resend", "refused", "unexpected"),
    [
        (False, (0, 1, 0, 0, 1), True, False, ""),
        (False, (0, 0, 0, 0, 0), False, False, ""),
        (False, (0, 2, 0, 0, 2), False, False, ""),
        (False, (0, 0, 1, 0, 1), False, False, ""),
        (False, (0, 0, 0, 1, 0), False, True, ""),
        (False, (0, 1, 0, 1, 1), False, False, ""),
        (False, (1, 0, 0, 0, 1), False, False, MORE),
        (True, (1, 0, 0, 0, 1), True, False, ""),
        (True, (0, 0, 0, 0, 0), False, False, ""),
        (True, (0, 0, 0, 1, 0), False, True, ""),
        (True, (2, 0, 0, 0, 2), False, False, MORE),
        (True, (0, 1, 0, 0, 1), False, False, ASIDE),
        (True, (0, 0, 1, 0, 1), False, False, ASIDE),
        (True, (2, 1, 0, 0, 3), False, False, ASIDE),
    ],
)
def test_replies_from_aimsios_counts(creates, counts, may_resend, refused, unexpected):
    answer = result(counts)
    assert aimsio_reply(answer, creates=creates) == Reply(
        answered=True,
        may_resend=may_resend,
        detail="Aimsio: created {}, edited {}, with errors {}, not imported {}".format(*counts),
        refused=refused,
        unexpected=unexpected,
        status=200,
        digest=digest(answer.text),
    )


@pytest.mark.parametrize(
    ("notices", "words"),
    [(None, ""), ([], ""), (["no such job"], '; ["no such job"]'), (["x" * 300], '; ["' + "x" * 198)],
)
def test_notices_are_shown_and_forbid_sending_again(notices, words):
    reply = aimsio_reply(result((0, 1, 0, 0, 1), notices), creates=False)
    assert reply.detail == f"Aimsio: created 0, edited 1, with errors 0, not imported 0{words}"
    assert reply.may_resend is (words == "")


@pytest.mark.parametrize("text", ["", '{"jnid":"1"}'])
def test_replies_from_jobnimbus(text):
    answer = Answer(200, text, None, from_cache=False, elapsed=0.1)
    assert jobnimbus_reply(answer) == Reply(True, True, "JobNimbus: answered 200", status=200, digest=digest(text))


@pytest.mark.parametrize(
    ("kind", "status", "may_resend", "refused"),
    [
        (TimedOut, None, True, False),
        (Unreachable, None, True, False),
        (BadAnswer, None, True, False),
        (BadAnswer, 201, True, False),
        (StoreError, None, True, False),
        (Refused, 302, False, False),
        (Refused, 400, False, True),
        (NotThere, 404, False, True),
        (Refused, 408, False, False),
        (Refused, 425, False, False),
        (Refused, 429, False, False),
        (Refused, 499, False, True),
        (Refused, 500, False, False),
        (Refused, 503, False, False),
    ],
)
def test_replies_from_failed_sends(kind: type[ApiError | StoreError], status, may_resend, refused):
    error = kind("why")
    if status:
        error.status = status
    assert failed_reply(error) == Reply(False, may_resend, "why", refused=refused, status=status)


# After an edit

EDIT = Change(
    "edit-nrb",
    ONE,
    (FieldChange("nrbUpcharge", "10.000", "12"), FieldChange("nrbNotes", "Purchased field software", "corrected")),
    dump(nrb(ONE)),
)
DONE = {"nrbUpcharge": "12", "nrbNotes": "corrected", "nrbTotalAfterMarkup": "877.50"}
ALSO = {"nrbName": "x", "nrbTotalAfterMarkup": "877.51"}
OFF = "nrbTotalAfterMarkup is 877.51, expected 877.50"
GONE = {"nrbTotalAfterMarkup": None}


@pytest.mark.parametrize(
    ("found", "reply", "expected"),
    [
        (DONE, None, Conclusion(Verdict.VERIFIED, "read back as planned")),
        (DONE, CLEAN, Conclusion(Verdict.VERIFIED, "read back as planned")),
        (DONE, UNCLEAN, Conclusion(Verdict.VERIFIED, "read back as planned (said)")),
        (
            DONE | {"nrbName": "x"},
            CLEAN,
            Conclusion(Verdict.SIDE_EFFECT, "as planned, but also changed: nrbName", also_changed=("nrbName",)),
        ),
        (
            DONE | GONE,
            None,
            Conclusion(
                Verdict.SIDE_EFFECT,
                "as planned, but also changed: nrbTotalAfterMarkup is None, expected 877.50",
                also_changed=("nrbTotalAfterMarkup",),
            ),
        ),
        (
            DONE | ALSO,
            None,
            Conclusion(
                Verdict.SIDE_EFFECT,
                f"as planned, but also changed: nrbName, {OFF}",
                also_changed=("nrbName", "nrbTotalAfterMarkup"),
            ),
        ),
        ({}, None, Conclusion(Verdict.NOT_APPLIED, "still as before")),
        ({}, CLEAN, Conclusion(Verdict.NOT_APPLIED, "still as before (said)")),
        (
            {"nrbUpdatedAt": 1_747_851_987_000},
            None,
            Conclusion(Verdict.CONFLICT, "set back by somebody else: nrbUpcharge, nrbNotes"),
        ),
        (
            {"nrbNotes": "another"},
            REFUSED,
            Conclusion(Verdict.CONFLICT, "neither as before nor as planned: nrbUpcharge, nrbNotes (said)"),
        ),
        (
            {"nrbNotes": "corrected", "nrbName": "x"},
            None,
            Conclusion(Verdict.CONFLICT, "neither as before nor as planned: nrbUpcharge, nrbName"),
        ),
        (DONE, STRANGE, Conclusion(Verdict.SIDE_EFFECT, "it did more (said)", stops_the_run=True)),
        (
            {"nrbName": "x"},
            STRANGE,
            Conclusion(Verdict.CONFLICT, "it did more (said)", stops_the_run=True, also_changed=("nrbName",)),
        ),
    ],
)
def test_conclusions_from_a_read_after_an_edit(found, reply, expected):
    operation = Correction("plan", ACCOUNT, EDIT, begun=True, sends=1, reply=reply)
    assert after_edit(operation, dump(nrb(ONE, **found))) == expected


def test_an_unreadable_object_is_reported_with_its_id():
    with pytest.raises(BadAnswer, match=f"^{ONE}: "):
        after_edit(Correction("plan", ACCOUNT, EDIT), "{")


@pytest.mark.parametrize(
    ("operation", "field", "before", "after", "expected"),
    [
        (
            "deactivate-invoice",
            "is_active",
            True,
            False,
            Conclusion(Verdict.VERIFIED, "answered 404 since: it is deleted, as JobNimbus shows it"),
        ),
        (
            "edit-invoice",
            "note",
            "",
            "corrected",
            Conclusion(Verdict.CONFLICT, "gone after the edit was sent: JobNimbus: answered 404"),
        ),
    ],
)
def test_conclusions_from_a_missing_object(operation, field, before, after, expected):
    change = Change(operation, INVOICE, (FieldChange(field, before, after),), json.dumps(invoice()))
    assert missing_after_edit(Correction("plan", ACCOUNT, change), NotThere("JobNimbus: answered 404")) == expected


# After a creation

NEW = {"nrbExternalId": KEY, **NEW_NRB, "nrbUpcharge": "10"}
CREATION = Change("create-nrb", KEY, tuple(FieldChange(name, None, value) for name, value in NEW.items()), "")
MADE = NEW | {"nrbGuid": "made", "nrbTotalAfterMarkup": "330.00"}


@pytest.mark.parametrize(
    ("ids", "found", "reply", "expected"),
    [
        (
            ["made", "again"],
            None,
            None,
            Conclusion(Verdict.CONFLICT, "2 objects have this key: made, again", stops_the_run=True),
        ),
        (
            ["made", "again"],
            None,
            CLEAN,
            Conclusion(Verdict.CONFLICT, "2 objects have this key: made, again (said)", stops_the_run=True),
        ),
        ([], None, None, Conclusion(Verdict.UNKNOWN, "not found, and never sent again", stops_the_run=True)),
        ([], None, CLEAN, Conclusion(Verdict.UNKNOWN, "not found, and never sent again (said)", stops_the_run=True)),
        ([], None, REFUSED, Conclusion(Verdict.NOT_APPLIED, "refused, and not there (said)")),
        (["made"], MADE, None, Conclusion(Verdict.VERIFIED, "created as made, read back as planned", created="made")),
        (
            ["made"],
            MADE,
            REFUSED,
            Conclusion(Verdict.VERIFIED, "created as made, read back as planned", created="made"),
        ),
        (
            ["made"],
            MADE,
            STRANGE,
            Conclusion(Verdict.CONFLICT, "it did more (said)", stops_the_run=True, created="made"),
        ),
        (
            ["made"],
            MADE | {"nrbVendorCode": None},
            CLEAN,
            Conclusion(
                Verdict.SIDE_EFFECT,
                "created as made, but not as planned: nrbVendorCode",
                also_changed=("nrbVendorCode",),
                created="made",
            ),
        ),
        (
            ["made"],
            MADE | {"nrbVendorCode": None, "nrbTotalAfterMarkup": 331},
            None,
            Conclusion(
                Verdict.SIDE_EFFECT,
                "created as made, but not as planned: nrbVendorCode, nrbTotalAfterMarkup is 331, expected 330.00",
                also_changed=("nrbVendorCode", "nrbTotalAfterMarkup"),
                created="made",
            ),
        ),
        (
            ["made"],
            MADE | {"nrbTotalAfterMarkup": None},
            None,
            Conclusion(
                Verdict.SIDE_EFFECT,
                "created as made, but not as planned: nrbTotalAfterMarkup is None, expected 330.00",
                also_changed=("nrbTotalAfterMarkup",),
                created="made",
            ),
        ),
    ],
)
def test_conclusions_from_a_search_after_a_creation(ids, found, reply, expected):
    operation = Correction("plan", ACCOUNT, CREATION, begun=True, sends=1, reply=reply)
    assert after_creation(operation, ids, found and parse(dump(found), KEY)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [(DONE, ()), ({}, ("nrbUpcharge", "nrbNotes")), ({"nrbUpcharge": "12.0"}, ("nrbNotes",))],
)
def test_which_planned_fields_are_not_as_planned(found, expected):
    assert unmet(EDIT, nrb(ONE, **found)) == expected
