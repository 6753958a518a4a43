"""Which findings a person asked for, as the parameters of `queries/findings.sql`."""

from auditkit.checks.rules import SEVERITIES
from auditkit.errors import FindingError

__all__ = ["STATES", "finding_filters"]

STATES = ("open", "accepted", "cleared")


def finding_filters(
    *, rule: str | None, severity: str | None, state: str | None, job: str | None, new: bool
) -> dict[str, str | bool | None]:
    """Every parameter of the query; None filters nothing. Raises `FindingError` for an invalid severity or state."""
    for name, value, known in (("severity", severity, SEVERITIES), ("state", state, STATES)):
        if value is not None and value not in known:
            raise FindingError(f"invalid {name} {value!r}; choose {', '.join(known)}")
    return {"rule": rule, "severity": severity, "state": state, "job": job, "new": new}
