"""Serve the sandbox from a shell: `python -m auditkit.sandbox --state FILE --port 8750 --behavior list_shape=value …`.

Prints the settings that connect auditkit to it. An empty state file is filled with the demo's data.
"""

import argparse
import json
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.clock import fixed_clock, system_clock
from auditkit.sandbox.demo import prepare
from auditkit.sandbox.error_bodies import SandboxError
from auditkit.sandbox.middleware import Credentials
from auditkit.sandbox.server import Address, serve


def main() -> int:
    """Serve until interrupted; 2 for a mistake on the command line."""
    options = _parser().parse_args()
    try:
        behaviors = Behaviors.parse(options.behavior)
        serve(
            options.state,
            options.port,
            behaviors,
            Credentials(options.username, options.password, options.token),
            clock=fixed_clock(options.fixed_clock) if options.fixed_clock else system_clock,
            prepare=partial(prepare, habits=options.habits),
            ready=_print_exports if options.child_of is None else _print_line,
            child_of=options.child_of,
        )
    except KeyboardInterrupt:
        return 0
    except (SandboxError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    switches = "\n".join(f"  {name} = {values}" for name, values in Behaviors.choices().items())
    parser = argparse.ArgumentParser(
        prog="python -m auditkit.sandbox",
        description="Imitate Aimsio and JobNimbus on 127.0.0.1, and print the settings that connect auditkit to them.",
        epilog=f"behaviors, default first:\n{switches}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Credentials()
    parser.add_argument(
        "--state", type=Path, required=True, help="SQLite file that holds everything; created and filled if missing"
    )
    parser.add_argument("--port", type=int, default=8750, help="0 chooses any free port (default: %(default)s)")
    parser.add_argument("--behavior", action="append", default=[], metavar="NAME=VALUE", help="see below; repeatable")
    parser.add_argument(
        "--habits", action="store_true", help="fill an empty state file with a contractor of ordinary habits"
    )
    parser.add_argument("--username", default=default.username, help="of Aimsio (default: %(default)s)")
    parser.add_argument("--password", default=default.password, help="of Aimsio (default: %(default)s)")
    parser.add_argument("--token", default=default.token, help="of JobNimbus (default: %(default)s)")
    parser.add_argument(
        "--fixed-clock", type=_instant, metavar="ISO", help="stop the clock at this instant, with an offset"
    )
    parser.add_argument("--child-of", type=int, help=argparse.SUPPRESS)
    return parser


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant such as 2026-09-30T12:00:00+00:00") from None
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} needs an offset, such as 2026-09-30T12:00:00+00:00")
    return instant


def _print_line(address: Address) -> None:
    credentials = address.credentials
    line = {
        "port": address.port,
        "aimsio_url": address.aimsio_url,
        "jobnimbus_url": address.jobnimbus_url,
        "username": credentials.username,
        "password": credentials.password,
        "token": credentials.token,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _print_exports(address: Address) -> None:
    sys.stdout.write(address.exports())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
