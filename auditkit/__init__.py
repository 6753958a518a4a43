"""auditkit: finds field cost that never reached a client's invoice.

>>> import auditkit as ak
>>> audit = ak.open()        # the account in the settings, or the demo
>>> audit.sync()             # read both vendors, audit, publish a snapshot
>>> audit.statement()        # the bridge from cost to invoice, difference 0.00

The names below are all that is public. Each is imported when it is first used, so that a part of the package that needs
neither pandas nor plotly (the sandbox, say) starts without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditkit.analysis import digits, sampling
    from auditkit.audit import Audit
    from auditkit.audit import open_audit as open
    from auditkit.corrections.plan import Plan
    from auditkit.errors import AuditkitError, NoSnapshot
    from auditkit.papers.charts import aging, heat_map, scatter, top_vendors, trend, variances, waterfall
    from auditkit.papers.html import table
    from auditkit.papers.notebook import load_ipython_extension
    from auditkit.papers.review import review
    from auditkit.settings import Settings

__all__ = [
    "Audit",
    "AuditkitError",
    "NoSnapshot",
    "Plan",
    "Settings",
    "aging",
    "digits",
    "heat_map",
    "load_ipython_extension",
    "open",
    "review",
    "sampling",
    "scatter",
    "table",
    "top_vendors",
    "trend",
    "variances",
    "waterfall",
]

_CHARTS = ("aging", "heat_map", "scatter", "top_vendors", "trend", "variances", "waterfall")
_MODULES: dict[str, dict[str, str | None]] = {  # None: the module itself
    "auditkit.analysis.digits": {"digits": None},
    "auditkit.analysis.sampling": {"sampling": None},
    "auditkit.audit": {"Audit": "Audit", "open": "open_audit"},
    "auditkit.settings": {"Settings": "Settings"},
    "auditkit.corrections.plan": {"Plan": "Plan"},
    "auditkit.errors": {name: name for name in ("AuditkitError", "NoSnapshot")},
    "auditkit.papers.html": {"table": "table"},
    "auditkit.papers.notebook": {"load_ipython_extension": "load_ipython_extension"},
    "auditkit.papers.charts": {name: name for name in _CHARTS},
    "auditkit.papers.review": {"review": "review"},
}


def __getattr__(name: str) -> object:
    """Import a public name from the module it lives in."""
    for module, names in _MODULES.items():
        if name in names:
            found, held = import_module(module), names[name]
            return found if held is None else getattr(found, held)
    raise AttributeError(f"module 'auditkit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
