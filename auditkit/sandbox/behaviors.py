"""Every switch of the sandbox: what the vendors' pages leave open, contradict, or may change without notice.

A default is what the pages state, if they state anything. A client is correct if it gives the same figures, or an
honest refusal, under every value of every switch.

Not here: what had to be invented and cannot be switched; that is `invented.py`.
"""

import difflib
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, Self, get_args

from auditkit.sandbox.error_bodies import UnknownBehavior

__all__ = ["Behaviors"]


@dataclass(frozen=True)
class Behaviors:
    """One frozen set of switches. A value that is not listed raises `UnknownBehavior`."""

    list_shape: Literal["array", "value"] = "array"
    """Aimsio's list: a bare array (the page's prose) or `{"value": [...]}` (its sample)."""

    stub_key: Literal["guid", "id"] = "guid"
    """Which of the two documented keys identifies a row of Aimsio's list."""

    numbers: Literal["strings", "numbers"] = "strings"
    """Aimsio's money and quantities on GET: JSON strings (the sample) or numbers (the field table)."""

    absent: Literal["kept", "nulled", "refused"] = "kept"
    """What an edit of an NRB does to writable fields that it does not send; `refused` asks for the required ones."""

    invoice_date_time: Literal["kept", "rewritten"] = "kept"
    """Whether Aimsio rewrites the time of day of nrbInvoiceDate, as its sample shows."""

    bodies: Literal["lenient", "strict"] = "lenient"
    """Whether either vendor refuses what its page does not document in a request: numbers as text, unknown fields."""

    jobnimbus_numbers: Literal["numbers", "strings"] = "numbers"
    """JobNimbus's money on GET: JSON numbers (the samples) or strings (the field table, for subtotal)."""

    beyond_window: Literal["error", "empty", "wrap-to-last"] = "error"
    """JobNimbus's answer to from + size above 10,000; `wrap-to-last` repeats the last page within the window."""

    order: Literal["created", "stable-random", "random-per-request"] = "created"
    """The order of JobNimbus's rows."""

    page_rows: int = 0
    """The most rows on a page of JobNimbus, whatever `size` asks for. 0 is up to 1,000, as asked."""

    beyond_end: Literal["empty", "error", "repeat"] = "empty"
    """JobNimbus's answer to a page past its last row; `repeat` sends the last rows once more."""

    count: Literal["account", "filter", "page", "remaining", "capped", "none"] = "account"
    """What JobNimbus's `count` counts: the account, what the filter leaves, the rows of the answer, those from `from`
    on, at most 5 of the account; or nothing, as it is not sent."""

    filter: Literal["honored", "ignored"] = "honored"
    """Whether JobNimbus applies the undocumented `filter` parameter, or ignores it like any unknown one."""

    list_rows: Literal["full", "slim", "bare"] = "full"
    """JobNimbus's list rows: as by id, without optional keys, or without `items` and `related` as well."""

    items: Literal["replaced", "merged"] = "replaced"
    """What a JobNimbus update does with the stored items when it sends some."""

    post_body: Literal["empty", "object"] = "empty"
    """JobNimbus's answer to a creation: no body or the new invoice; its page shows neither."""

    put_body: Literal["empty", "object"] = "empty"
    """JobNimbus's answer to an update: no body or the invoice; its page shows both."""

    put_requires_jnid: Literal["no", "yes"] = "no"
    """Whether a JobNimbus update without the jnid in its body is refused."""

    deleted: Literal["listed", "hidden"] = "listed"
    """Whether a JobNimbus invoice with is_active = false is still listed and answered by id."""

    rate_per_second: int = 10
    """Calls per sliding second and vendor; more of them wait in the queue. 0 is unlimited."""

    parallel: int = 10
    """Calls in flight per vendor; more of them wait in the queue. 0 is unlimited."""

    queue_seconds: float = 5.0
    """How long a call may wait in the queue before it times out."""

    def __post_init__(self) -> None:
        for name, kind in _kinds().items():
            value = getattr(self, name)
            if get_args(kind) and value not in get_args(kind):
                raise UnknownBehavior(f"{name}={value}: expected {' | '.join(get_args(kind))}")
            if not get_args(kind) and (isinstance(value, bool) or value < 0):
                raise UnknownBehavior(f"{name}={value}: expected a number that is not negative")

    @classmethod
    def parse(cls, settings: Iterable[str]) -> Self:
        """Switches from a command line's `name=value` texts; a mistake raises `UnknownBehavior` with the choices."""
        kinds, values = _kinds(), dict[str, typing.Any]()
        for setting in settings:
            name, found, text = setting.partition("=")
            if not found:
                raise UnknownBehavior(f"{setting!r}: expected name=value")
            if name not in kinds:
                near = difflib.get_close_matches(name, kinds, n=1)
                raise UnknownBehavior(f"no behavior {name!r}{f'; did you mean {near[0]}?' if near else ''}")
            values[name] = text if get_args(kinds[name]) else _number(name, text, kinds[name])
        return cls(**values)

    @classmethod
    def choices(cls) -> Mapping[str, str]:
        """Name → its possible values, default first, for a help text."""
        defaults = {item.name: str(item.default) for item in fields(cls)}
        return {name: " | ".join(get_args(kind)) or f"{defaults[name]} …" for name, kind in _kinds().items()}

    def settings(self) -> list[str]:
        """The switches that differ from their defaults, as `parse` reads them."""
        values = ((item.name, getattr(self, item.name), item.default) for item in fields(self))
        return [f"{name}={value}" for name, value, default in values if value != default]


def _kinds() -> dict[str, typing.Any]:
    return typing.get_type_hints(Behaviors)


def _number(name: str, text: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise UnknownBehavior(f"{name}={text}: expected a number") from None
