"""The proof of a sync as four lines for people: what `sync_run` holds, in words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["proof"]


def proof(run: Mapping[str, Any]) -> list[str]:
    """Four lines from a row of `sync_run`: the label, one line for each vendor, and the calls."""
    return [_label(run), _nrbs(run), _invoices(run), _calls(run)]


def _label(run: Mapping[str, Any]) -> str:
    if run["status"] == "COMPLETE":
        return "COMPLETE: both vendors' lists were read until they agreed, and every record in the version listed"
    return f"INCOMPLETE: {run['reason']}"


def _nrbs(run: Mapping[str, Any]) -> str:
    resumed = f" ({run['nrb_resumed']:,} more from the cache of a run before)" if run["nrb_resumed"] else ""
    return (
        f"  Aimsio     {run['nrb_listed']:,} NRBs in each of the last of {run['nrb_lists']} lists:"
        f" {run['nrb_fetched']:,} fetched{resumed}, {run['nrb_unchanged']:,} unchanged,"
        f" {run['nrb_quarantined']:,} not typed, {run['nrb_gone']:,} vanished; {run['nrb_total']:,} after mark-up;"
        f" {_days(run, 'nrb')}; ids {run['nrb_id_hash'][:12]}"
    )


def _invoices(run: Mapping[str, Any]) -> str:
    return (
        f"  JobNimbus  {run['invoice_listed']:,} invoices in {run['invoice_passes']} passes over"
        f" {run['invoice_method']}: {run['invoice_changed']:,} new or changed,"
        f" {run['invoice_quarantined']:,} not typed, {run['invoice_gone']:,} vanished; {run['invoice_total']:,} in all;"
        f" {_days(run, 'invoice')}; ids {run['invoice_id_hash'][:12]}"
    )


def _calls(run: Mapping[str, Any]) -> str:
    notices = f"; {run['notices']}" if run["notices"] else ""
    return (
        f"  Calls      {run['calls']:,}, {run['retries']:,} repeated, {run['throttled']:,} refused by the rate limit;"
        f" servers' clocks {run['clock_skew_seconds']:+d} s{notices}"
    )


def _days(run: Mapping[str, Any], subject: str) -> str:
    first, last = run[f"{subject}_first_on"], run[f"{subject}_last_on"]
    return f"created {first} to {last}" if first else "no day of creation"
