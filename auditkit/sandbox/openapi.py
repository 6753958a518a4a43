"""The OpenAPI 3.1 document of both vendors' operations, as this server answers them with its current switches.

Request bodies are the same schemas that the server checks, and the answers hold every field that the vendors' pages
document. The document is meant for tools, such as a generated client or schemathesis, and has ids that exist as
examples.

Not here: the fields (`nrb_fields.py`, `invoice_fields.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from auditkit.sandbox.aimsio import AIMSIO_BASE, LIST_PATH, SAVE_PATH, request_schema
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.invented import QUEUE_TIMEOUT_STATUS, STUB_DTYPE
from auditkit.sandbox.invoice_fields import FILTER, INVOICE_FIELDS
from auditkit.sandbox.invoices import MONEY
from auditkit.sandbox.jobnimbus import JOBNIMBUS_BASE, PATH, UNVERSIONED_PATH, request_schemas
from auditkit.sandbox.json_schema import FLAG, NUMBER, NUMBER_OR_TEXT, SENT, Schema, array, described
from auditkit.sandbox.nrb_fields import NRB_FIELDS, NRB_NUMBERS
from auditkit.sandbox.wire import Json

__all__ = ["document"]

_REASONS = {
    400: "The request cannot be read, or holds what is not documented",
    401: "The credentials are missing or wrong",
    404: "No such object",
    409: "The body names another object than the path",
    413: "The body is too large",
    415: "The body is not application/json",
    QUEUE_TIMEOUT_STATUS: "The call waited too long in the queue of the rate limit",
}
_ALWAYS = (401, 413, QUEUE_TIMEOUT_STATUS)
_WITH_BODY = (400, 415)
_COUNT: Schema = {"type": "integer", "minimum": 0}

Components = dict[str, Schema]


def document(behaviors: Behaviors, nrb_guid: str | None, jnid: str | None, *, server: str = "/") -> dict[str, Any]:
    """The document for a server at this URL; the two ids, if there are any, are the examples of path parameters."""
    components: Components = {
        "AimsioError": _error("message"),
        "JobNimbusError": _error("body"),
        "NonrecurringBillableItem": _nrb(behaviors),
        "IntegrationImportResult": _import_result(),
    }
    components["Invoice"] = _invoice(behaviors, components)
    paths = {
        **_aimsio_paths(behaviors, components, nrb_guid),
        **_jobnimbus_paths(behaviors, components, jnid, PATH),
        **_jobnimbus_paths(behaviors, components, jnid, UNVERSIONED_PATH, "Unversioned"),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aimsio NRBs and JobNimbus invoices, imitated",
            "version": "1",
            "description": (
                "A sandbox on loopback. A record that was planted malformed may hold other types than are given here."
            ),
        },
        "servers": [{"url": server, "description": "This sandbox"}],
        "tags": [{"name": "Aimsio"}, {"name": "JobNimbus"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "basicAuth": {"type": "http", "scheme": "basic"},
                "bearerAuth": {"type": "http", "scheme": "bearer"},
            },
            "schemas": components,
        },
    }


def _aimsio_paths(behaviors: Behaviors, components: Components, guid: str | None) -> dict[str, Any]:
    stub: Schema = {
        "title": "NrbStub",
        "type": "object",
        "required": ["dtype", behaviors.stub_key, "updatedAt"],
        "properties": {
            "dtype": {"const": STUB_DTYPE},
            behaviors.stub_key: {"type": "string"},
            "updatedAt": {"type": ["integer", "null"]},
        },
    }
    rows = array(_named(stub, components))
    wrapped: Schema = {"title": "NrbStubs", "type": "object", "required": ["value"], "properties": {"value": rows}}
    body = _named(request_schema(behaviors), components)

    def operation(name: str, answer: Schema, statuses: Sequence[int] = (), **more: Json) -> dict[str, Any]:
        return _operation(name, ("Aimsio", "basicAuth", "AimsioError"), answer, statuses, **more)

    return {
        AIMSIO_BASE + LIST_PATH: {
            "get": operation("listNrbs", rows if behaviors.list_shape == "array" else _named(wrapped, components))
        },
        f"{AIMSIO_BASE}{LIST_PATH}/{{nrbGuid}}": {
            "get": operation("getNrb", _ref("NonrecurringBillableItem"), (404,), parameters=[_path("nrbGuid", guid)])
        },
        AIMSIO_BASE + SAVE_PATH: {
            "post": operation("saveNrbs", _ref("IntegrationImportResult"), _WITH_BODY, requestBody=_body(body))
        },
    }


def _jobnimbus_paths(
    behaviors: Behaviors, components: Components, jnid: str | None, path: str, suffix: str = ""
) -> dict[str, Any]:
    creation, changes = request_schemas(behaviors)
    if behaviors.put_requires_jnid == "yes":
        changes = {**changes, "required": ["jnid"]}
    creation, changes = _named(creation, components), _named(changes, components)
    page: Schema = {
        "title": "InvoicePage",
        "type": "object",
        "required": ["results"],
        "properties": {"count": _COUNT, "results": array(_ref("Invoice"))},
    }
    answers = {
        verb: _ref("Invoice") if body == "object" else None
        for verb, body in (("post", behaviors.post_body), ("put", behaviors.put_body))
    }
    by_id = _path("jnid", jnid)
    actor = _query("actor", {"type": "string"}, "E-mail address of the person who makes the change.")

    def operation(name: str, answer: Schema | None, statuses: Sequence[int] = (), **more: Json) -> dict[str, Any]:
        return _operation(name + suffix, ("JobNimbus", "bearerAuth", "JobNimbusError"), answer, statuses, **more)

    return {
        JOBNIMBUS_BASE + path: {
            "get": operation(
                "listInvoices", _named(page, components), (400,), parameters=_page_parameters(behaviors, components)
            ),
            "post": operation(
                "createInvoice", answers["post"], _WITH_BODY, parameters=[actor], requestBody=_body(creation)
            ),
        },
        f"{JOBNIMBUS_BASE}{path}/{{jnid}}": {
            "get": operation("getInvoice", _ref("Invoice"), (404,), parameters=[by_id]),
            "put": operation(
                "updateInvoice",
                answers["put"],
                (*_WITH_BODY, 404, 409),
                parameters=[by_id, actor],
                requestBody=_body(changes),
            ),
        },
    }


def _page_parameters(behaviors: Behaviors, components: Components) -> list[dict[str, Any]]:
    number: Schema = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    parameters = [
        _query("from", {**number, "default": 0}, "Starting index."),
        _query("size", number, "Number of rows, at most 1,000; 1,000 if it is left out."),
    ]
    if behaviors.filter == "honored":
        # As `content` it would be described exactly, but generated clients omit such a parameter or send it wrong.
        text: Schema = {"type": "string", "format": "json-filter", "contentMediaType": "application/json"}
        _named(FILTER, components)
        description = "JSON text of the schema Filter: ranges of dates and terms (a field, its value); all must hold."
        parameters.append(_query("filter", text, description))
    return parameters


def _operation(
    name: str, vendor: tuple[str, str, str], answer: Schema | None, statuses: Sequence[int], **more: Json
) -> dict[str, Any]:
    tag, security, error = vendor
    success = {"description": "Done"} | ({"content": _json(answer)} if answer is not None else {})
    failures = {
        str(status): {"description": _REASONS[status], "content": _json(_ref(error))}
        for status in sorted({*_ALWAYS, *statuses})
    }
    responses = {"200": success, **failures}
    return {"operationId": name, "tags": [tag], "security": [{security: []}], **more, "responses": responses}


def _json(schema: Schema) -> Mapping[str, Any]:
    return {"application/json": {"schema": schema}}


def _body(schema: Schema) -> Mapping[str, Any]:
    return {"required": True, "content": _json(schema)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _named(schema: Schema, components: Components) -> Schema:
    """The schema with each titled part of it moved to the components, so that generated clients have types for them."""
    parts = dict(schema)
    if "properties" in schema:
        parts["properties"] = {name: _named(part, components) for name, part in schema["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            parts[keyword] = _named(schema[keyword], components)
    if "title" not in parts:
        return parts
    components[parts["title"]] = parts
    return _ref(parts["title"])


def _path(name: str, example: str | None) -> dict[str, Any]:
    examples = {} if example is None else {"example": example}
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, **examples}


def _query(name: str, schema: Schema, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _error(message: str) -> Schema:
    return {
        "type": "object",
        "required": ["status", message],
        "properties": {"status": {"type": "integer"}, message: {"type": "string"}},
    }


def _nrb(behaviors: Behaviors) -> Schema:
    as_text = NRB_NUMBERS if behaviors.numbers == "strings" else ()
    properties = {
        **{name: _answered(schema, name, as_text) for name, schema in NRB_FIELDS.items()},
        "nrbGuid": {"type": "string"},
        "nrbChildren": {**NRB_FIELDS["nrbChildren"], "items": _ref("NonrecurringBillableItem")},
    }
    return {"type": "object", "required": ["nrbGuid"], "properties": properties}


def _invoice(behaviors: Behaviors, components: Components) -> Schema:
    as_text = MONEY if behaviors.jobnimbus_numbers == "strings" else ()
    properties = {name: _named(_answered(part, name, as_text), components) for name, part in INVOICE_FIELDS.items()}
    properties["is_active"] = described(FLAG, "False if the invoice is deleted.")
    return {"type": "object", "required": ["jnid"], "properties": properties}


def _answered(schema: Schema, name: str, as_text: Collection[str]) -> Schema:
    """A field's schema in an answer. A number may be text even where numbers are answered, if it was planted so."""
    parts = {keyword: value for keyword, value in schema.items() if keyword != "additionalProperties"}
    if schema.items() >= NUMBER.items() or schema.items() >= NUMBER_OR_TEXT.items():
        parts = {keyword: parts[keyword] for keyword in ("description", "readOnly") if keyword in parts}
        parts["type"] = ["string", "null"] if name in as_text else ["number", "string", "null"]
    if "title" in parts:
        parts["title"] = parts["title"].removesuffix(SENT)
    if "properties" in parts:
        parts["properties"] = {each: _answered(part, each, as_text) for each, part in parts["properties"].items()}
    if "items" in parts:
        parts["items"] = _answered(parts["items"], name, as_text)
    return parts


def _import_result() -> Schema:
    text: Schema = {"type": ["string", "null"]}
    counts = ("Created", "Edited", "EditedWithErrors", "NotImportedDueToErrors", "Imported")
    properties = {
        "dtype": {"const": "IntegrationImportResult"},
        "id": {"type": "integer"},
        "guid": {"type": "string"},
        "importConfiguration": text,
        **{f"numberOfEntities{name}": _COUNT for name in counts},
        "extra": text,
        "notices": array({"type": "object"}),
        "updatedAt": {"type": "integer"},
        "importResultType": text,
    }
    return {"type": "object", "required": list(properties), "properties": properties}
