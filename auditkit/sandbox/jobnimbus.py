"""JobNimbus's operations on invoices: list, get one, create, update (which also deletes).

Not here: what a write does to an invoice; that is `invoices.py`.
"""

import random
import re
from collections.abc import Mapping
from typing import Literal

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import Clock
from auditkit.sandbox.error_bodies import Refusal
from auditkit.sandbox.invented import jobnimbus_error
from auditkit.sandbox.invoice_fields import (
    FILTER,
    INVOICE,
    INVOICE_CHANGES,
    LENIENT_INVOICE,
    LENIENT_INVOICE_CHANGES,
)
from auditkit.sandbox.invoices import changed_invoice, new_invoice, slim, with_strings
from auditkit.sandbox.json_schema import Schema, mistake
from auditkit.sandbox.middleware import Credentials, Vendor, bearer, body_of, call_number, json_answer, route
from auditkit.sandbox.state import Bound, State, Term
from auditkit.sandbox.wire import Body, dumps, loads, loads_stored

__all__ = ["JOBNIMBUS_BASE", "PATH", "UNVERSIONED_PATH", "jobnimbus", "request_schemas"]

JOBNIMBUS_BASE = "/jobnimbus"
PATH = "/api1/v2/invoices"
UNVERSIONED_PATH = "/api1/invoices"  # not on the page, but several public clients call it

_PAGE = 1_000  # the default size, and the largest that is honored
_WINDOW = 10_000  # from + size beyond it is `beyond_window`
_STABLE_SHUFFLE = 1_103_515_245
_COUNT_CAP = 5
_OPERATORS: Mapping[str, Literal[">=", ">", "<=", "<"]] = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}


def jobnimbus(state: State, behaviors: Behaviors, credentials: Credentials, clock: Clock) -> Vendor:
    """The vendor JobNimbus over this state."""
    creation, changes = request_schemas(behaviors)

    async def list_invoices(request: Request) -> Response:
        return json_answer(_page(request, state, behaviors))

    async def one_invoice(request: Request) -> Response:
        text = _stored(request, state, behaviors)
        return json_answer(_shown(text, behaviors, in_list=False))

    async def create(request: Request) -> Response:
        sent = body_of(request, creation)
        with state.transaction():
            body = new_invoice(sent, state, behaviors, clock(), request.query_params.get("actor"))
            state.put_invoice(body)
        return _written(body, behaviors.post_body, behaviors)

    async def update(request: Request) -> Response:
        sent = body_of(request, changes)
        with state.transaction():
            before = loads_stored(_stored(request, state, behaviors))
            _check_jnid(sent, before["jnid"], behaviors)
            body = changed_invoice(before, sent, state, behaviors, clock())
            state.put_invoice(body)
        return _written(body, behaviors.put_body, behaviors)

    routes = []
    for path in (PATH, UNVERSIONED_PATH):
        routes += [
            route(path, GET=list_invoices, POST=create),
            route(f"{path}/{{jnid}}", GET=one_invoice, PUT=update),
        ]
    return Vendor("jobnimbus", Router(routes, redirect_slashes=False), bearer(credentials), "Bearer", jobnimbus_error)


def request_schemas(behaviors: Behaviors) -> tuple[Schema, Schema]:
    """What a POST and a PUT may hold."""
    if behaviors.bodies == "strict":
        return INVOICE, INVOICE_CHANGES
    return LENIENT_INVOICE, LENIENT_INVOICE_CHANGES


def _page(request: Request, state: State, behaviors: Behaviors) -> str:
    query = request.query_params
    start, size = _whole_number(query, "from", 0), min(_whole_number(query, "size", _PAGE), _PAGE)
    if start + size > _WINDOW:
        if behaviors.beyond_window == "error":
            raise Refusal(400, f"from + size must not exceed {_WINDOW}")
        start, size = (_WINDOW - size, size) if behaviors.beyond_window == "wrap-to-last" else (0, 0)
    size = min(size, behaviors.page_rows or size)
    bounds = _bounds(query) if behaviors.filter == "honored" else []
    with_deleted = behaviors.deleted == "listed"
    held = state.invoice_count(bounds=bounds, with_deleted=with_deleted)
    if start >= held > 0 and behaviors.beyond_end != "empty":
        if behaviors.beyond_end == "error":
            raise Refusal(400, f"from must be less than {held}")
        start = max(held - size, 0)
    shuffle = _shuffle(behaviors, call_number(request))
    rows = state.invoice_page(start, size, bounds=bounds, with_deleted=with_deleted, shuffle=shuffle)
    count = _count(behaviors, state.invoice_count(bounds=[], with_deleted=with_deleted), held, start, len(rows))
    counted = "" if count is None else f'"count":{count},'
    return f'{{{counted}"results":[{",".join(_shown(text, behaviors, in_list=True) for text in rows)}]}}'


def _count(behaviors: Behaviors, account: int, filtered: int, start: int, rows: int) -> int | None:
    counts = {
        "account": account,
        "filter": filtered,
        "page": rows,
        "remaining": max(filtered - start, 0),
        "capped": min(account, _COUNT_CAP),
    }
    return counts.get(behaviors.count)


def _whole_number(query: QueryParams, name: str, default: int) -> int:
    values = query.getlist(name)
    if not values:
        return default
    if len(values) > 1 or not re.fullmatch("[0-9]{1,9}", values[0]):
        raise Refusal(400, f"{name}: expected one whole number")
    return int(values[0])


def _bounds(query: QueryParams) -> list[Bound | Term]:
    """The filter's conditions. Raises `Refusal` for one that cannot be read: ignoring it would return every invoice."""
    text = query.get("filter")
    if text is None:
        return []
    try:
        value = loads(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise Refusal(400, f"filter: not JSON: {error}") from None
    if found := mistake(value, FILTER, "filter"):
        raise Refusal(400, found)
    bounds = list[Bound | Term]()
    for condition in value["must"]:
        for column, limits in condition.get("range", {}).items():
            bounds += [Bound(column, _OPERATORS[operator], limit) for operator, limit in limits.items()]
        bounds += [Term(field, wanted) for field, wanted in condition.get("term", {}).items()]
    return bounds


def _shuffle(behaviors: Behaviors, number: int) -> int | None:
    if behaviors.order == "created":
        return None
    if behaviors.order == "stable-random":
        return _STABLE_SHUFFLE
    return random.Random(number).randrange(1, 2**31)  # noqa: S311 — an order that can be repeated, not a secret


def _stored(request: Request, state: State, behaviors: Behaviors) -> str:
    text = state.invoice_text(request.path_params["jnid"])
    if text is None or (behaviors.deleted == "hidden" and loads_stored(text)["is_active"] is False):
        raise Refusal(404, "no invoice has this jnid")
    return text


def _check_jnid(sent: Body, jnid: str, behaviors: Behaviors) -> None:
    if behaviors.put_requires_jnid == "yes" and "jnid" not in sent:
        raise Refusal(400, "the body needs the invoice's jnid")
    if sent.get("jnid", jnid) != jnid:
        raise Refusal(409, "the body has a different jnid than the path")


def _shown(text: str, behaviors: Behaviors, *, in_list: bool) -> str:
    """A stored body as the switches ask for it; the text itself if they ask for nothing."""
    is_slim = in_list and behaviors.list_rows != "full"
    if not is_slim and behaviors.jobnimbus_numbers == "numbers":
        return text
    body = loads_stored(text)
    body = slim(body) if is_slim else body
    if in_list and behaviors.list_rows == "bare":
        body = {name: value for name, value in body.items() if name not in ("items", "related")}
    return dumps(with_strings(body) if behaviors.jobnimbus_numbers == "strings" else body)


def _written(body: Body, answer: Literal["empty", "object"], behaviors: Behaviors) -> Response:
    return Response() if answer == "empty" else json_answer(_shown(dumps(body), behaviors, in_list=False))
