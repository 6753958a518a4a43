"""The result of a statement, and scripts run statement by statement."""

import traceback
from decimal import Decimal

import duckdb
import pandas as pd
import pytest

from auditkit.errors import QueryFailed
from auditkit.warehouse.tables import DISK_ERRORS, Table, run_script, statement_error

D = Decimal


@pytest.fixture
def connection():
    with duckdb.connect(":memory:") as connection:
        yield connection


def query(connection, sql):
    return Table.fetched(connection.execute(sql), sql)


def test_a_table_holds_columns_rows_and_sql(connection):
    sql = "select 1 as one, cast('862.50' as decimal(18, 2)) as money, null as nothing"
    table = query(connection, sql)
    assert (table.columns, table.rows, table.sql) == (("one", "money", "nothing"), [(1, D("862.50"), None)], sql)
    assert table.records() == [{"one": 1, "money": D("862.50"), "nothing": None}]


def test_a_statement_without_a_result_is_an_empty_table(connection):
    table = query(connection, "create table t (a integer)")
    assert table.records() == []


def test_an_empty_result_keeps_its_columns(connection):
    frame = query(connection, "select 1 as a, 2 as b where false").frame()
    assert (list(frame.columns), len(frame)) == (["a", "b"], 0)


def test_money_in_a_frame_stays_decimal(connection):
    sql = "select * from (values (cast('0.10' as decimal(18, 2))), (null)) as v(money)"
    frame = query(connection, sql).frame()
    assert list(frame["money"]) == [D("0.10"), None]
    assert (frame["money"].dtype, frame.attrs["sql"]) == (object, sql)
    assert isinstance(frame, pd.DataFrame)


def test_every_digit_of_a_large_amount_is_kept(connection):
    sql = "select cast('9999999999999999.99' as decimal(18, 2)) as money"
    assert query(connection, sql).scalar() == D("9999999999999999.99")


@pytest.mark.parametrize("sql", ["select 1 where false", "select 1 union all select 2", "select 1, 2"])
def test_scalar_refuses_any_other_shape(connection, sql):
    with pytest.raises(ValueError):
        query(connection, sql).scalar()


def test_the_error_of_a_failing_statement_carries_the_whole_sql(connection):
    sql = "select guid\nfrom nowhere\nwhere true"
    with pytest.raises(QueryFailed, match=r"^the SQL failed: .*nowhere") as caught, statement_error(sql):
        connection.execute(sql)
    assert caught.value.sql == sql
    assert "\n" not in str(caught.value)
    assert "duckdb" not in "".join(traceback.format_exception(caught.value)).split("QueryFailed")[-1]


def test_errors_that_are_not_about_the_sql_pass_unchanged():
    with pytest.raises(duckdb.IOException), statement_error("select 1", DISK_ERRORS):
        raise duckdb.IOException("disk full")
    with pytest.raises(KeyError), statement_error("select 1"):
        raise KeyError("x")


def test_each_statement_of_a_script_gets_only_the_parameters_it_uses(connection):
    script = """
        create table t as select $a as a;  -- a comment; with a semicolon
        insert into t select $b;
        insert into t select a + 10 from t where a = $a;
    """
    run_script(connection, script, {"a": 1, "b": 2, "unused": 3})
    assert connection.execute("select a from t order by a").fetchall() == [(1,), (2,), (11,)]


def test_the_error_of_a_script_names_the_failing_statement(connection):
    with pytest.raises(QueryFailed) as caught:
        run_script(connection, "create table t as select 1 as a; select b from t; drop table t", {})
    assert caught.value.sql.strip().rstrip(";") == "select b from t"
    assert connection.execute("select a from t").fetchall() == [(1,)]


def test_a_script_with_a_syntax_error_runs_nothing(connection):
    with pytest.raises(QueryFailed):
        run_script(connection, "create table t as select 1; selct 2", {})
    with pytest.raises(duckdb.CatalogException):
        connection.execute("select * from t")
