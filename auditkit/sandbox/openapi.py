"""The OpenAPI 3.1 document of both vendors' operations, as this server answers them with its switches as they stand.

Request bodies are the very schemas that the server checks (`fields.py`), so the document cannot promise another
server. It is made for tools (schemathesis, a generated client), and shows ids that exist, to try.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from auditkit.sandbox.aimsio import AIMSIO_BASE, LIST_PATH, SAVE_PATH
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.fields import FILTER, IMPORT, INVOICE, INVOICE_CHANGES, NRB_NUMBERS, Schema
from auditkit.sandbox.invented import QUEUE_TIMEOUT_STATUS, STUB_DTYPE
from auditkit.sandbox.jobnimbus import JOBNIMBUS_BASE, PATH
from auditkit.sandbox.wire import Json

__all__ = ["document"]

_REASONS = {
    400: "The request cannot be read",
    401: "The credentials are missing or wrong",
    404: "No such object",
    409: "The body names another object than the path",
    413: "The body is too large",
    415: "The body is not application/json",
    QUEUE_TIMEOUT_STATUS: "The call waited too long in the queue of the rate limit",
}
_ALWAYS = (401, 413, QUEUE_TIMEOUT_STATUS)
_WITH_BODY = (400, 415)
_ANY_OBJECT: Schema = {"type": "object"}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def document(behaviors: Behaviors, nrb_guid: str | None, jnid: str | None) -> dict[str, Any]:
    """The document; the two ids, where there are any, become the examples of the path parameters."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Aimsio NRBs and JobNimbus invoices, imitated", "version": "1"},
        "paths": {**_aimsio_paths(behaviors, nrb_guid), **_jobnimbus_paths(behaviors, jnid)},
        "components": {
            "securitySchemes": {
                "basicAuth": {"type": "http", "scheme": "basic"},
                "bearerAuth": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {
                "AimsioError": _error("message"),
                "JobNimbusError": _error("body"),
                "NonrecurringBillableItem": _nrb(behaviors),
                "IntegrationImportResult": _import_result(),
                "Invoice": _invoice(behaviors),
            },
        },
    }


def _aimsio_paths(behaviors: Behaviors, guid: str | None) -> dict[str, Any]:
    stub = {
        "type": "object",
        "required": ["dtype", behaviors.stub_key, "updatedAt"],
        "properties": {
            "dtype": {"const": STUB_DTYPE},
            behaviors.stub_key: {"type": "string"},
            "updatedAt": {"type": ["integer", "null"]},
        },
    }
    rows: Schema = {"type": "array", "items": stub}
    wrapped: Schema = {"type": "object", "required": ["value"], "properties": {"value": rows}}

    def operation(name: str, answer: Schema, statuses: Sequence[int] = (), **more: Json) -> dict[str, Any]:
        return _operation(name, "basicAuth", "AimsioError", answer, statuses, **more)

    return {
        AIMSIO_BASE + LIST_PATH: {"get": operation("listNrbs", rows if behaviors.list_shape == "array" else wrapped)},
        f"{AIMSIO_BASE}{LIST_PATH}/{{nrbGuid}}": {
            "get": operation("getNrb", _ref("NonrecurringBillableItem"), (404,), parameters=[_path("nrbGuid", guid)])
        },
        AIMSIO_BASE + SAVE_PATH: {
            "post": operation("saveNrbs", _ref("IntegrationImportResult"), _WITH_BODY, requestBody=_body(IMPORT))
        },
    }


def _jobnimbus_paths(behaviors: Behaviors, jnid: str | None) -> dict[str, Any]:
    changes = {**INVOICE_CHANGES, "required": ["jnid"]} if behaviors.put_requires_jnid == "yes" else INVOICE_CHANGES
    page: Schema = {
        "type": "object",
        "required": ["count", "results"],
        "properties": {"count": _COUNT, "results": {"type": "array", "items": _ref("Invoice")}},
    }
    written = None if behaviors.update_body == "empty" else _ref("Invoice")
    by_id, actor = _path("jnid", jnid), _query("actor", {"type": "string"})

    def operation(name: str, answer: Schema | None, statuses: Sequence[int] = (), **more: Json) -> dict[str, Any]:
        return _operation(name, "bearerAuth", "JobNimbusError", answer, statuses, **more)

    return {
        JOBNIMBUS_BASE + PATH: {
            "get": operation("listInvoices", page, (400,), parameters=_page_parameters(behaviors)),
            "post": operation("createInvoice", written, _WITH_BODY, parameters=[actor], requestBody=_body(INVOICE)),
        },
        f"{JOBNIMBUS_BASE}{PATH}/{{jnid}}": {
            "get": operation("getInvoice", _ref("Invoice"), (404,), parameters=[by_id]),
            "put": operation(
                "updateInvoice",
                written,
                (*_WITH_BODY, 404, 409),
                parameters=[by_id, actor],
                requestBody=_body(changes),
            ),
        },
    }


def _page_parameters(behaviors: Behaviors) -> list[dict[str, Any]]:
    number: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    parameters = [_query("from", number), _query("size", number)]
    if behaviors.filter == "honored":
        content = {"application/json": {"schema": FILTER}}
        parameters.append({"name": "filter", "in": "query", "content": content})
    return parameters


def _operation(
    name: str, security: str, error: str, answer: Schema | None, statuses: Sequence[int], **more: Json
) -> dict[str, Any]:
    success = {"description": "Done"} | ({"content": _json(answer)} if answer is not None else {})
    failures = {
        str(status): {"description": _REASONS[status], "content": _json(_ref(error))}
        for status in sorted({*_ALWAYS, *statuses})
    }
    return {"operationId": name, "security": [{security: []}], **more, "responses": {"200": success, **failures}}


def _json(schema: Schema) -> Mapping[str, Any]:
    return {"application/json": {"schema": schema}}


def _body(schema: Schema) -> Mapping[str, Any]:
    return {"required": True, "content": _json(schema)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(name: str, example: str | None) -> dict[str, Any]:
    examples = {} if example is None else {"example": example}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, **examples}


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _error(message: str) -> Schema:
    return {
        "type": "object",
        "required": ["status", message],
        "properties": {"status": {"type": "integer"}, message: {"type": "string"}},
    }


def _nrb(behaviors: Behaviors) -> Schema:
    # A record that was planted malformed keeps its text, so the type of a number is a promise for sound ones only.
    number: Schema = {"type": ["string", "null"] if behaviors.numbers == "strings" else ["number", "string", "null"]}
    properties = {"nrbGuid": {"type": "string"}, **dict.fromkeys(NRB_NUMBERS, number)}
    return {"type": "object", "required": ["nrbGuid"], "properties": properties}


def _invoice(behaviors: Behaviors) -> Schema:
    money: Schema = {"type": "string" if behaviors.jobnimbus_numbers == "strings" else "number"}
    properties = {
        "jnid": {"type": "string"},
        "type": {"const": "invoice"},
        **dict.fromkeys(("subtotal", "total", "due"), money),
        "items": {"type": "array", "items": _ANY_OBJECT},
        "related": {"type": "array", "items": _ANY_OBJECT},
    }
    return {"type": "object", "required": ["jnid", "type", "total", "items", "related"], "properties": properties}


def _import_result() -> Schema:
    counts = ("Created", "Edited", "EditedWithErrors", "NotImportedDueToErrors", "Imported")
    properties = {
        "dtype": {"const": "IntegrationImportResult"},
        "guid": {"type": "string"},
        "notices": {"type": "array", "items": _ANY_OBJECT},
        **{f"numberOfEntities{name}": _COUNT for name in counts},
    }
    return {"type": "object", "required": list(properties), "properties": properties}
