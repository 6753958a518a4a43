"""Aimsio's three operations on NRBs, at the documented paths: list, get one, create or edit.

Not here: what an import does to a record; that is `upsert.py`.
"""

from collections.abc import AsyncIterator
from decimal import Decimal, InvalidOperation

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Router

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import Clock
from auditkit.sandbox.error_bodies import Refusal
from auditkit.sandbox.invented import aimsio_error
from auditkit.sandbox.json_schema import Schema
from auditkit.sandbox.middleware import Credentials, Vendor, basic, body_of, call_number, json_answer, route
from auditkit.sandbox.nrb_fields import IMPORT, LENIENT_IMPORT, NRB_NUMBERS
from auditkit.sandbox.state import State
from auditkit.sandbox.upsert import Import
from auditkit.sandbox.wire import Body, Json, dumps, loads_stored

__all__ = ["AIMSIO_BASE", "LIST_PATH", "SAVE_PATH", "aimsio", "request_schema"]

AIMSIO_BASE = "/aimsio"
LIST_PATH = "/rest/api/standard/v1/NonRecurringBillableItem"
SAVE_PATH = "/rest/api/standard/v1/NRB"


def aimsio(state: State, behaviors: Behaviors, credentials: Credentials, clock: Clock) -> Vendor:
    """The vendor Aimsio over this state."""
    schema = request_schema(behaviors)

    async def list_nrbs(_: Request) -> Response:
        return StreamingResponse(_stub_list(state, behaviors), media_type="application/json")

    async def one_nrb(request: Request) -> Response:
        text = state.nrb_text(request.path_params["guid"])
        if text is None:
            raise Refusal(404, "no NRB has this guid")
        return json_answer(text if behaviors.numbers == "strings" else dumps(_with_numbers(loads_stored(text))))

    async def save_nrbs(request: Request) -> Response:
        entries = body_of(request, schema)["nrbList"]
        return json_answer(
            dumps(Import(state, behaviors, clock(), credentials.username).run(entries, call_number(request)))
        )

    routes = [
        route(LIST_PATH, GET=list_nrbs),
        route(f"{LIST_PATH}/{{guid}}", GET=one_nrb),
        route(SAVE_PATH, POST=save_nrbs),
    ]
    router = Router(routes, redirect_slashes=False)
    return Vendor("aimsio", router, basic(credentials), 'Basic realm="Aimsio"', aimsio_error)


def request_schema(behaviors: Behaviors) -> Schema:
    """What a POST may hold."""
    return IMPORT if behaviors.bodies == "strict" else LENIENT_IMPORT


async def _stub_list(state: State, behaviors: Behaviors) -> AsyncIterator[str]:
    opening, closing = ("[", "]") if behaviors.list_shape == "array" else ('{"value":[', "]}")
    yield opening
    before = ""
    for portion in state.nrb_stubs(behaviors.stub_key):
        yield before + ",".join(portion)
        before = ","
    yield closing


def _with_numbers(body: Body) -> Body:
    """The same NRB with its money and quantities, and those of its children, as JSON numbers."""
    changed = {name: _number(body[name]) for name in NRB_NUMBERS if name in body}
    children = body.get("nrbChildren")
    if isinstance(children, list):
        changed["nrbChildren"] = [_with_numbers(child) for child in children]
    return {**body, **changed}


def _number(value: Json) -> Json:
    # A malformed amount such as "1,000.00" is no number and stays text.
    try:
        number = Decimal(value) if isinstance(value, str) else value
    except InvalidOperation:
        return value
    return number if not isinstance(number, Decimal) or number.is_finite() else value
