"""Everything that the vendors' pages do not define and that had to be invented for the sandbox, in one place.

A client must not rely on anything in here. What is invented *and* may well be different is a switch in `behaviors.py`.
What only has to be something is here, or is listed here if it is code:

- `upsert.py`: only the first key of an entry (guid, external id, origin reference) is used; an unknown guid creates
  nothing; an invalid field of an edit keeps its value and the rest is applied; a creation with one is not imported;
  children are not counted; a change of a child also moves its parent's nrbUpdatedAt.
- `invoices.py`: an item's amount does not include its labor; totals are recomputed only if items or tax are sent; an
  unknown related id is accepted, without a name; date_created counts at creation only; fields that JobNimbus computes,
  such as total, may be sent and change nothing.
- `jobnimbus.py`: a from, size or filter that cannot be read is refused; a term is compared exactly, with its letter
  case and its type; a body with a different jnid than the path's is a conflict (409); the actor of a creation becomes
  created_by.
- `middleware.py`: calls are authenticated before they queue; a queued call is carried out even if its sender gave up;
  a body above 16 MiB is refused.
- Either vendor answers 400 to what is not JSON or does not fit the schema of the request, and 415 to a different media
  type.
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
