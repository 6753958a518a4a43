"""The whole server as one ASGI application: both vendors, their OpenAPI document and the counts of the rate limits.

/aimsio/…         Aimsio, with the documented paths below
/jobnimbus/…      JobNimbus, likewise
/openapi.json     both vendors' operations, with the current switches
/limits           calls, most in a second, most in flight, waited and refused, by vendor
"""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from auditkit.sandbox.aimsio import AIMSIO_BASE, aimsio
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import Clock, system_clock
from auditkit.sandbox.jobnimbus import JOBNIMBUS_BASE, jobnimbus
from auditkit.sandbox.limits import Gate
from auditkit.sandbox.loopback import LoopbackHosts
from auditkit.sandbox.middleware import Credentials, VendorMiddleware
from auditkit.sandbox.openapi import document
from auditkit.sandbox.state import State

__all__ = ["create_app"]


def create_app(
    state: State,
    behaviors: Behaviors | None = None,
    credentials: Credentials | None = None,
    clock: Clock = system_clock,
) -> Starlette:
    """The application on an open state file, which holds everything but the counts of the rate limits."""
    behaviors, credentials = behaviors or Behaviors(), credentials or Credentials()
    vendors = {
        AIMSIO_BASE: aimsio(state, behaviors, credentials, clock),
        JOBNIMBUS_BASE: jobnimbus(state, behaviors, credentials, clock),
    }
    gates = {base: Gate(behaviors.rate_per_second, behaviors.parallel, behaviors.queue_seconds) for base in vendors}

    async def openapi(request: Request) -> Response:
        server = str(request.base_url).rstrip("/")
        return JSONResponse(document(behaviors, state.some_id("nrb"), state.some_id("invoice"), server=server))

    async def limits(_: Request) -> Response:
        return JSONResponse({vendor.name: gates[base].seen() for base, vendor in vendors.items()})

    mounts = [Mount(base, VendorMiddleware(vendor, gates[base], state, clock)) for base, vendor in vendors.items()]
    routes = [Route("/openapi.json", openapi), Route("/limits", limits), *mounts]
    app = Starlette(routes=routes, middleware=[Middleware(LoopbackHosts)])
    app.router.redirect_slashes = False
    return app
