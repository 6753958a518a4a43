"""Charts of an audit's tables: titles state the result, and a color means the same in every chart.

Each takes the DataFrame of the method it is named after and returns a plotly figure. Text from a vendor is escaped,
because plotly reads a subset of HTML in labels. Money is exact in the tables; a chart draws it as a float.
"""

import html
from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

import pandas as pd
import plotly.graph_objects as go

from auditkit.aging_bands import BANDS, FUTURE, NO_DATE
from auditkit.format import money
from auditkit.values import one_line

__all__ = ["aging", "heat_map", "scatter", "top_vendors", "trend", "variances", "waterfall"]

COST, INVOICE, LOSS, GAIN, NEUTRAL = "#4477aa", "#228833", "#ee6677", "#ccbb44", "#bbbbbb"
_START, _TOTALS = "cost_booked", ("billable_cost", "billed_cost", "invoice_total")
_INSIDE = ("unbilled", "billed_by_name", "billed_by_mark", "billed_by_amount", "difference")  # of other steps


def waterfall(statement: pd.DataFrame) -> go.Figure:
    """The statement as a bridge from cost booked to invoice total, with its subtotals. Rows of 0.00 are left out."""
    amounts = dict(zip(statement["code"], statement["amount"], strict=True))
    steps = [
        (code, label, amount)
        for code, label, amount in zip(statement["code"], statement["label"], statement["amount"], strict=True)
        if code not in _INSIDE and (amount or code in (_START, *_TOTALS))
    ]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            measure=[_measure(code) for code, _, _ in steps],
            y=[_safe(label) for _, label, _ in steps],
            x=[float(amount) for _, _, amount in steps],
            text=[money(amount) for _, _, amount in steps],
            textposition="outside",
            cliponaxis=False,
            decreasing_marker_color=LOSS,
            increasing_marker_color=GAIN,
            totals_marker_color=COST,
            connector_line_color=NEUTRAL,
        )
    )
    cost, invoiced, difference = (
        amounts.get(code, Decimal(0)) for code in ("cost_booked", "invoice_total", "difference")
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    title = f"From {money(cost)} of cost to {money(invoiced)} of invoices, unreconciled {money(difference)}"
    return _titled(figure, title, height=120 + 26 * len(steps))


def scatter(jobs: pd.DataFrame) -> go.Figure:
    """Jobs: their billable cost, and what issued invoices charge for it. On the line they agree."""
    agree = jobs["verdict"] == "agrees"
    figure = go.Figure()
    for name, rows, color in (("agrees", jobs[agree], INVOICE), ("does not agree", jobs[~agree], LOSS)):
        figure.add_scatter(
            x=_floats(rows["billable_total"]),
            y=_floats(rows["linked_line_total"]),
            mode="markers",
            name=name,
            marker={"color": color, "size": 8, "opacity": 0.8},
            text=[_safe(job) for job in rows["job_number"]],
            hovertemplate="%{text}<br>billable %{x:,.2f}<br>billed %{y:,.2f}<extra></extra>",
        )
    top = max([*_floats(jobs["billable_total"]), *_floats(jobs["linked_line_total"]), 1.0])
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", name="equal", line={"color": NEUTRAL, "dash": "dot"})
    figure.update_xaxes(title="billable cost, with markup")
    figure.update_yaxes(title="billed cost, on issued invoices")
    return _titled(figure, f"{int(agree.sum())} of {len(jobs)} jobs agree to the cent")


def variances(jobs: pd.DataFrame, most: int = 15) -> go.Figure:
    """The jobs with the largest variance; under-billed ones extend to the left."""
    rows = jobs.loc[[bool(value) for value in jobs["variance"]]].head(most)
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=[_safe(job) for job in rows["job_number"]],
            x=_floats(rows["variance"]),
            text=[money(value) for value in rows["variance"]],
            textposition="outside",
            cliponaxis=False,
            marker_color=[LOSS if value < 0 else GAIN for value in rows["variance"]],
        )
    )
    amounts = [0.0, *_floats(rows["variance"])]
    room = 0.2 * (max(amounts) - min(amounts))  # for the amounts beside the bars
    figure.update_xaxes(range=[min(amounts) - room, max(amounts) + room] if room else None)
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    under = sum((value for value in jobs["variance"] if value < 0), Decimal(0))
    return _titled(figure, f"Jobs are under-billed by {money(-under)} in all", height=120 + 24 * len(rows))


def aging(unbilled: pd.DataFrame) -> go.Figure:
    """What was never invoiced (`unbilled()`), by age in days."""
    totals = dict.fromkeys(BANDS, Decimal(0))
    for band, total in zip(unbilled["age_bucket"], unbilled["total"], strict=True):
        totals[band] += total or 0
    shown = [band for band in BANDS if totals[band] or band not in (FUTURE, NO_DATE)]
    figure = go.Figure(
        go.Bar(
            x=[band if band in (FUTURE, NO_DATE) else f"{band} days" for band in shown],
            y=[float(totals[band]) for band in shown],
            text=[money(totals[band]) for band in shown],
            textposition="outside",
            cliponaxis=False,
            marker_color=LOSS,
        )
    )
    return _titled(figure, f"{money(sum(totals.values(), Decimal(0)))} was never invoiced")


def top_vendors(unbilled: pd.DataFrame, most: int = 10) -> go.Figure:
    """Vendors by what was never invoiced, the most first, with their cumulative share of the whole (a Pareto chart)."""
    totals: dict[str, Decimal] = {}
    for vendor, total in zip(unbilled["vendor_code"], unbilled["total"], strict=True):
        totals[vendor or "(no vendor)"] = totals.get(vendor or "(no vendor)", Decimal(0)) + (total or 0)
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    whole = sum(totals.values(), Decimal(0))
    shown = ranked[:most]
    names = [_safe(vendor) for vendor, _ in shown]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=[float(total) for _, total in shown],
            text=[money(total) for _, total in shown],
            textposition="outside",
            cliponaxis=False,
            marker_color=LOSS,
            name="never invoiced",
        )
    )
    if whole:
        shares = [float(100 * sum_ / whole) for sum_ in accumulate(total for _, total in shown)]
        line = {"color": NEUTRAL, "dash": "dot"}
        figure.add_scatter(x=names, y=shares, yaxis="y2", mode="lines+markers", name="share so far", line=line)
        axis = {"overlaying": "y", "side": "right", "range": [0, 105], "tickmode": "linear", "dtick": 20}
        figure.update_layout(yaxis2={**axis, "ticksuffix": " %", "showgrid": False})
    figure.update_xaxes(type="category")
    leading = sum((total for _, total in ranked[:3]), Decimal(0))
    share = f"{100 * leading / whole:.0f} %" if whole else "0 %"
    counted = {1: "One vendor holds", 2: "Two vendors hold", 3: "Three vendors hold"}.get(
        min(len(ranked), 3), "No vendor holds"
    )
    return _titled(figure, f"{counted} {share} of what was never invoiced")


def heat_map(unbilled: pd.DataFrame, most: int = 20) -> go.Figure:
    """What was never invoiced, by job and month of its accounting date, for the jobs with the most money."""
    cells: dict[tuple[str, str], Decimal] = {}
    for job, day, total in zip(unbilled["job_number"], unbilled["accounting_date"], unbilled["total"], strict=True):
        cell = (_safe(job), f"{day:%Y-%m}" if day else "no date")
        cells[cell] = cells.get(cell, Decimal(0)) + (total or 0)
    by_job: dict[str, Decimal] = {}
    for (job, _), total in cells.items():
        by_job[job] = by_job.get(job, Decimal(0)) + total
    jobs = sorted(by_job, key=lambda job: (-by_job[job], job))[:most]
    months = sorted({month for job, month in cells if job in jobs})
    found = [[cells.get((job, month)) for month in months] for job in jobs]
    figure = go.Figure(
        go.Heatmap(
            x=months,
            y=jobs,
            z=[[None if total is None else float(total) for total in row] for row in found],
            text=[["" if total is None else money(total) for total in row] for row in found],
            texttemplate="%{text}",
            hovertemplate="%{y}, %{x}<br>%{text}<extra></extra>",
            colorscale=[[0, "#fbe3e6"], [1, LOSS]],
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    held = sum((by_job[job] for job in jobs), Decimal(0))
    title = (
        f"{money(held)} was never invoiced on {len(jobs)} jobs"
        if len(jobs) != 1
        else f"{money(held)} was never invoiced on one job"
    )
    return _titled(figure, title, height=160 + 24 * len(jobs))


def trend(by_month: pd.DataFrame) -> go.Figure:
    """What is still open, by the month of its cost (`accrual()`): cost not billed, cost not in the ledger."""
    months = [f"{month:%Y-%m}" if month else "no date" for month in by_month["month"]]
    figure = go.Figure()
    for column, name, color in (
        ("unbilled_total", "not billed", LOSS),
        ("unexported_cost", "not exported", NEUTRAL),
    ):
        figure.add_bar(x=months, y=_floats(by_month[column]), name=name, marker_color=color)
    figure.update_xaxes(type="category")
    figure.update_layout(barmode="group")
    unbilled, unexported = (sum(by_month[name], Decimal(0)) for name in ("unbilled_total", "unexported_cost"))
    since = f", the oldest of {months[0]}" if months else ""
    return _titled(figure, f"Open: {money(unbilled)} not billed and {money(unexported)} not exported{since}")


def _measure(code: str) -> str:
    if code == _START:
        return "absolute"
    return "total" if code in _TOTALS else "relative"


def _safe(text: object) -> str:
    return html.escape(one_line(str(text))) if text is not None else "(none)"


def _floats(column: Iterable[Decimal]) -> list[float]:
    return [float(value) for value in column]


def _titled(figure: go.Figure, title: str, height: int = 420) -> go.Figure:
    return figure.update_layout(
        title={"text": title, "font": {"size": 16}},
        template="none",
        height=height,
        width=900,
        font={"family": "sans-serif", "size": 13},
        margin={"l": 90, "r": 110, "t": 60, "b": 60},
        legend={"orientation": "h", "y": -0.2},
    )
