"""The served document is complete and true: schemathesis looks for a counterexample, from a fixed seed."""

import json

import openapi_spec_validator
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig

from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.openapi import document
from auditkit.sandbox.server import in_thread
from auditkit.sandbox.state import State

from . import bodies, samples
from .test_dataset import NRB_KEYS, names

# The pages' tables, by hand; the fields of the samples are read from the samples.
NRB_READ_ONLY = names("""
    nrbWBSGuid nrbPurchaseOrderGuid nrbPurchaseOrderCostItemOriginReference nrbVendorGuid nrbTotalAfterMarkup
    nrbBilledInGuid nrbBilledInName nrbCreatedAt nrbCreatedByUserName nrbCreatedByFullName nrbUpdatedAt nrbLineItems
    nrbParentGuid nrbParentExternalId
""")
INVOICE_TABLE = names("""
    attachment_id cost created_by created_by_name customer date_created date_due date_invoice date_paid_in_full
    date_status_change date_updated due esigned external_id guid is_active is_archived items jnid location margin number
    owners payments recid related sales_rep sales_rep_name status status_name subtotal tax template_id total total_paid
    type
""")

# With `error`, a from and a size that are each valid may be refused together, which no schema can express.
DOCUMENTED = Behaviors(rate_per_second=0, parallel=0, beyond_window="empty", bodies="strict")
OTHERWISE = Behaviors(
    rate_per_second=0,
    parallel=0,
    beyond_window="wrap-to-last",
    bodies="lenient",
    list_shape="value",
    stub_key="id",
    numbers="numbers",
    absent="nulled",
    invoice_date_time="rewritten",
    jobnimbus_numbers="strings",
    order="random-per-request",
    list_rows="slim",
    items="merged",
    post_body="object",
    put_body="object",
    put_requires_jnid="yes",
    deleted="hidden",
)


WHOLE = st.integers(0, 2**53)
RANGES = st.dictionaries(
    st.sampled_from(["date_created", "date_updated"]),
    st.dictionaries(st.sampled_from(["gte", "gt", "lte", "lt"]), WHOLE),
)
TERMS = st.dictionaries(st.text(), st.text() | WHOLE | st.booleans(), min_size=1, max_size=1)
CONDITIONS = st.builds(lambda limits: {"range": limits}, RANGES) | st.builds(lambda term: {"term": term}, TERMS)
FILTERS = st.lists(CONDITIONS, max_size=3).map(lambda conditions: json.dumps({"must": conditions}))
schemathesis.openapi.format("json-filter", FILTERS)


def schema_of(behaviors: Behaviors):
    generation = GenerationConfig(deterministic=True, with_security_parameters=False)
    projects = ProjectsConfig(default=ProjectConfig(generation=generation))
    config = schemathesis.Config(seed=1, projects=projects)
    schema = schemathesis.openapi.from_dict(document(behaviors, bodies.NRB, bodies.INVOICE), config=config)
    return schema.exclude(operation_id_regex="Unversioned$")  # the same handlers; the generated client calls them


def served(behaviors: Behaviors, tmp_path_factory):
    with State(tmp_path_factory.mktemp("api") / "state.sqlite") as state:
        state.fill(bodies.nrbs(), bodies.invoices())
        with in_thread(create_app(state, behaviors)) as address, requests.Session() as session:
            session.trust_env = False
            yield address, session


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    yield from served(DOCUMENTED, tmp_path_factory)


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory):
    yield from served(OTHERWISE, tmp_path_factory)


def check(case, server) -> None:
    address, session = server
    is_aimsio = case.path.startswith("/aimsio")
    authorization = "Basic ZGVtbzpkZW1vLXBhc3N3b3Jk" if is_aimsio else "Bearer demo-token"
    case.call_and_validate(address.root, session, {"Authorization": authorization})


repeatable = settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@schema_of(DOCUMENTED).parametrize()
@repeatable
def test_the_server_does_what_its_document_states(case, documented):
    check(case, documented)


@schema_of(OTHERWISE).parametrize()
@repeatable
def test_it_does_so_with_every_switch_changed(case, otherwise):
    check(case, otherwise)


SWITCHES = pytest.mark.parametrize("behaviors", [DOCUMENTED, OTHERWISE], ids=["documented", "otherwise"])


@SWITCHES
def test_the_document_is_valid_openapi(behaviors):
    openapi_spec_validator.validate(document(behaviors, bodies.NRB, bodies.INVOICE))


@SWITCHES
def test_every_documented_field_is_in_the_answers(behaviors):
    schemas = document(behaviors, bodies.NRB, bodies.INVOICE)["components"]["schemas"]
    assert list(schemas["NonrecurringBillableItem"]["properties"]) == NRB_KEYS
    invoice = schemas["Invoice"]["properties"]
    in_samples = {name for sample in ("get", "put", "post") for name in samples.body(f"invoice_{sample}")}
    assert set(invoice) == in_samples | set(INVOICE_TABLE)
    (item,) = samples.body("invoice_get")["items"]
    assert set(schemas["InvoiceItem"]["properties"]) == set(item)
    assert set(schemas["ItemLabor"]["properties"]) == set(item["labor"])
    assert set(schemas["RelatedRecord"]["properties"]) == set(samples.body("invoice_get")["related"][0])


def test_read_only_fields_are_marked_and_in_no_request():
    schemas = document(DOCUMENTED, bodies.NRB, bodies.INVOICE)["components"]["schemas"]
    properties = schemas["NonrecurringBillableItem"]["properties"]
    read_only = {name for name, schema in properties.items() if schema.get("readOnly")}
    assert read_only == set(NRB_READ_ONLY)
    assert set(schemas["NrbToSave"]["properties"]) == properties.keys() - read_only
    assert not schemas["NrbToSave"]["additionalProperties"]


def test_requests_have_required_fields_parameters_credentials_and_error_bodies():
    described = document(DOCUMENTED, bodies.NRB, bodies.INVOICE, server="http://127.0.0.1:8750")
    assert [server["url"] for server in described["servers"]] == ["http://127.0.0.1:8750"]
    assert set(described["components"]["schemas"]["InvoiceToCreate"]["required"]) == {
        *("is_active", "items", "related", "status", "type")
    }
    paths = described["paths"]
    assert set(paths["/jobnimbus/api1/v2/invoices"]) == set(paths["/jobnimbus/api1/invoices"]) == {"get", "post"}
    listed = paths["/jobnimbus/api1/v2/invoices"]["get"]
    assert [parameter["name"] for parameter in listed["parameters"]] == ["from", "size", "filter"]
    operations = [(path, operation) for path, verbs in paths.items() for operation in verbs.values()]
    assert len(operations) == 11
    for path, operation in operations:
        is_aimsio = path.startswith("/aimsio")
        assert operation["security"] == [{"basicAuth" if is_aimsio else "bearerAuth": []}]
        failures = {status: answer for status, answer in operation["responses"].items() if status != "200"}
        assert {"401", "413", "504"} <= failures.keys()
        expected = f"#/components/schemas/{'AimsioError' if is_aimsio else 'JobNimbusError'}"
        assert {answer["content"]["application/json"]["schema"]["$ref"] for answer in failures.values()} == {expected}


def test_the_document_is_served_without_credentials_and_has_ids_that_exist(documented):
    address, session = documented
    expected = document(DOCUMENTED, bodies.NRB, bodies.INVOICE, server=address.root)
    assert session.get(f"{address.root}/openapi.json").json() == expected
