"""Everything the vendors' pages do not define and the sandbox had to make up: the one place to look, and to doubt.

A client must not rely on anything in here. What is made up *and* may well be otherwise is a switch in `behaviors.py`;
what only has to be something is here, or is listed here when it is code rather than words:

- `upsert.py`: the first key that an entry gives (guid, external id, origin reference) decides alone; an unknown guid
  creates nothing; an invalid field of an edit keeps its value while the rest is applied; a creation with one is not
  imported; children are not counted; a changed child moves its parent's nrbUpdatedAt as well.
- `invoices.py`: an item's amount leaves its labour out; the totals are recomputed when items or tax are sent, else
  left alone; an unknown related id is accepted, without a name; date_created counts at creation only.
- `jobnimbus.py`: a from, size or filter that cannot be read is refused; a body with another jnid than the path's is a
  conflict (409); the actor of a creation becomes created_by.
- `door.py`: calls are authenticated before they queue; a queued call is carried out even when its sender gave up; a
  body above 16 MiB is refused.
- Either vendor answers 400 to what is not JSON or has a field of the wrong type, and 415 to another media type.
"""

from typing import Any

__all__ = [
    "QUEUE_TIMEOUT_STATUS",
    "REWRITTEN_TIME_OF_DAY_MS",
    "STUB_DTYPE",
    "aimsio_error",
    "jobnimbus_error",
    "notice",
    "status_name",
]

# The page says "the request will timeout", not how: a gateway's time-out is the nearest status.
QUEUE_TIMEOUT_STATUS = 504

# The page says that a list row has a dtype and shows none; this is what it calls the object elsewhere.
STUB_DTYPE = "NonrecurringBillableItem"

# The sample reads back 10:30:00Z whatever was posted; that it is the same every day is a guess.
REWRITTEN_TIME_OF_DAY_MS = (10 * 60 + 30) * 60_000


def aimsio_error(status: int, message: str) -> dict[str, Any]:
    """The body of any Aimsio answer that is not 200, the 401 included; the page shows none."""
    return {"status": status, "message": message}


def jobnimbus_error(status: int, message: str) -> dict[str, Any]:
    """The body of any JobNimbus answer that is not 200: "an error message in the response" is all the page says."""
    return {"status": status, "body": message}


def notice(position: int, level: str, field: str | None, message: str) -> dict[str, Any]:
    """An item of an import result's `notices`, of which the page says only that they are objects.

    `position` is the entry's place in nrbList. An unknown job, vendor or WBS is a notice of level ERROR here, in an
    answer of status 200, and an ignored read-only field one of level WARNING.
    """
    return {"dtype": "IntegrationNotice", "position": position, "level": level, "field": field, "message": message}


def status_name(code: int) -> str:
    """The name of an invoice status that no stored invoice shows; only 4 is on the page."""
    return "Closed" if code == 4 else f"Status {code}"
