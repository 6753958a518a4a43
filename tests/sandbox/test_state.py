"""The state file: durable, never half-written, never of another program, and open to other processes."""

import sqlite3

import pytest

from auditkit.sandbox.error_bodies import ForeignFile
from auditkit.sandbox.state import State

from . import bodies
from .bodies import INVOICE, NRB
from .conftest import LIST


def test_a_write_survives_a_restart(make_sandbox):
    sandbox = make_sandbox()
    sandbox.save({"nrbGuid": NRB, "nrbNotes": "kept"})
    sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"number": "kept"})
    sandbox.state.close()
    again = make_sandbox()
    assert (again.nrb(NRB)["nrbNotes"], again.invoice()["number"]) == ("kept", "kept")
    assert len(again.state.calls()) == 4


def test_a_third_party_may_act_on_the_file_while_the_server_runs(sandbox):
    with State(sandbox.state.path) as other:
        other.delete_nrb(NRB)
        other.delete_invoice(INVOICE)
        other.put_nrb(bodies.nrb("added"))
        other.put_invoice(bodies.invoice("ADDED"))
    assert sandbox.aimsio("GET", f"{LIST}/{NRB}").status_code == 404
    assert sandbox.jobnimbus("GET", f"/{INVOICE}").status_code == 404
    assert sandbox.nrb("added")["nrbGuid"] == "added"
    assert sandbox.invoice("ADDED")["jnid"] == "ADDED"


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    with State(tmp_path / "state.sqlite") as state:
        with pytest.raises(RuntimeError), state.transaction():
            state.put_nrb(bodies.nrb("outer"))
            raise RuntimeError
        with state.transaction():
            state.put_nrb(bodies.nrb("kept"))
            with pytest.raises(RuntimeError), state.transaction():
                state.put_nrb(bodies.nrb("inner"))
                raise RuntimeError
        assert [state.nrb_text(guid) is not None for guid in ("outer", "kept", "inner")] == [False, True, False]


def test_names_come_from_the_records_unless_they_are_given(tmp_path):
    with State(tmp_path / "collected.sqlite") as state:
        state.fill(bodies.nrbs(), bodies.invoices())
        assert state.knows("job", "JOB2")
        assert state.value_of("vendor", "ACME") == "acme-guid"
    with State(tmp_path / "given.sqlite") as state:
        others = bodies.nrb("other", nrbVendorCode="OTHER")
        state.fill([*bodies.nrbs(), others], bodies.invoices(), jobs=["JOB9"], vendors=["ACME", "NEW"])
        assert [state.knows("job", number) for number in ("JOB9", "JOB2")] == [True, False]
        assert [state.knows("vendor", code) for code in ("ACME", "NEW", "OTHER")] == [True, True, False]
        assert state.value_of("vendor", "ACME") == "acme-guid"


def test_a_malformed_record_is_kept_as_it_is(tmp_path):
    odd = {
        "nrbGuid": "odd",
        "nrbRate": "1,000.00",
        "nrbUpdatedAt": None,
        "nrbJobOrderNumber": ["x"],
        "nrbIsBillable": "yes",
    }
    with State(tmp_path / "state.sqlite") as state:
        state.fill([odd], [{"jnid": "odd", "related": None, "status": "4", "date_created": "yesterday"}])
        assert state.nrbs_where("guid", "odd") == [odd]
        assert list(state.nrb_stubs("guid")) == [['{"dtype":"NonrecurringBillableItem","guid":"odd","updatedAt":null}']]


def test_a_file_of_another_program_is_left_alone(tmp_path):
    database, text = tmp_path / "other.sqlite", tmp_path / "notes.txt"
    with sqlite3.connect(database) as other:
        other.execute("create table precious (it)")
    other.close()
    text.write_text("precious, and long enough not to be an empty file " * 10)
    for path in (database, text):
        before = path.read_bytes()
        with pytest.raises(ForeignFile, match=path.name):
            State(path)
        assert path.read_bytes()[100:] == before[100:]
