"""The served document is what the server does: schemathesis tries to prove otherwise, from a fixed seed."""

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig

from auditkit.sandbox.app import create_app
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.openapi import document
from auditkit.sandbox.server import in_thread
from auditkit.sandbox.state import State

from . import bodies

# With `error`, a from and a size that are each valid are refused together, which a schema cannot say.
DOCUMENTED = Behaviors(rate_per_second=0, parallel=0, beyond_window="empty")
OTHERWISE = Behaviors(
    rate_per_second=0,
    parallel=0,
    beyond_window="wrap-to-last",
    list_shape="value",
    stub_key="id",
    numbers="numbers",
    absent="nulled",
    invoice_date_time="rewritten",
    jobnimbus_numbers="strings",
    order="random-per-request",
    list_rows="slim",
    items="merged",
    update_body="object",
    put_requires_jnid="yes",
    deleted="hidden",
)


def schema_of(behaviors: Behaviors):
    generation = GenerationConfig(deterministic=True, with_security_parameters=False)
    projects = ProjectsConfig(default=ProjectConfig(generation=generation))
    config = schemathesis.Config(seed=1, projects=projects)
    return schemathesis.openapi.from_dict(document(behaviors, bodies.NRB, bodies.INVOICE), config=config)


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


def hold(case, server) -> None:
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
def test_the_server_does_what_its_document_says(case, documented):
    hold(case, documented)


@schema_of(OTHERWISE).parametrize()
@repeatable
def test_it_does_so_with_every_switch_turned(case, otherwise):
    hold(case, otherwise)


def test_the_document_is_served_to_anybody_with_ids_that_exist(documented):
    address, session = documented
    assert session.get(f"{address.root}/openapi.json").json() == document(DOCUMENTED, bodies.NRB, bodies.INVOICE)
