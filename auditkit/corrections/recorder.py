"""Write the records of corrections: one for each step, on disk before the next step.

Not here: which steps there are (tracking), and their order (apply).
"""

import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from auditkit.corrections.tracking import RECORD_KIND, Correction, Step, Verdict
from auditkit.errors import JournalError, OutcomeUnknown
from auditkit.journal import Journal, canonical

__all__ = ["Recorder"]


@dataclass(frozen=True)
class Recorder:
    """Writes the records of corrections, each on disk before it returns."""

    journal: Journal
    identity: str

    def record(self, correction: Correction, step: Step | Verdict, **fields: Any) -> Correction:  # noqa: ANN401 — JSON
        """Write one record, and return the correction after it.

        Raises `JournalError`, and `OutcomeUnknown` with the record where a request was sent before.
        """
        change = correction.change
        body = {
            "correction": correction.id,
            "step": str(step),
            "system": change.system,
            **correction.account._asdict(),
            "object": change.object_id,
            "before": change.before_digest,
            "who": self.identity,
            "version": version("auditkit"),
            **fields,
        }
        sys.audit("auditkit.point", f"{step} unwritten")
        try:
            self.journal.append(RECORD_KIND, body)
        except JournalError as error:
            if not correction.sends:
                raise
            raise OutcomeUnknown(
                f"{error}: a request was already sent, so keep this record: {canonical(body)}; run `auditkit recover`"
            ) from error
        sys.audit("auditkit.point", f"{step} written")
        return correction.after(body)
