"""`init`: set up an account. It asks for the settings, saves them, and runs doctor.

No file is written before the last answer. Not here: what a setting may be (`settings.py`), where secrets are kept
(`credentials.py`), and how auditkit.toml is edited (`toml_edit.py`).
"""

import contextlib
import getpass
import os
import shlex
import socket
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

import typer
from pydantic import Secret, SecretStr

from auditkit.cli.common import CLEAN
from auditkit.cli.doctor import doctor
from auditkit.corrections.identity import valid_name
from auditkit.credentials import LOGINS, SECRETS_FILE, login_for, store_in_file, store_in_keyring, stored_secret
from auditkit.errors import SettingsError
from auditkit.files import write_whole
from auditkit.papers.terminal import fail, say, warn
from auditkit.settings import FILE_NAME, Settings, project_root, values_of, variable_of
from auditkit.toml_edit import quoted, with_values

__all__ = ["app", "machine_zone"]

app = typer.Typer()

Answers = Mapping[str, SecretStr]  # setting → answer; hidden, because some are secrets
Written = Mapping[str, Secret[Any]]

_EXAMPLES = """\b
For example:
  auditkit init
  auditkit init --aimsio-url https://sandbox.aimsio.com    # to practice
In a script, with AUDITKIT_AIMSIO_PASSWORD and AUDITKIT_JOBNIMBUS_TOKEN set:
  auditkit init --aimsio-url https://portal.aimsio.com --aimsio-user USER \\
    --jobnimbus-url https://app.jobnimbus.com --timezone America/Edmonton \\
    --identity you@your-company.example --yes
"""
_HIDDEN = ("aimsio_username", *LOGINS)  # not printed again once they are entered
_PLACEHOLDERS = {  # in place of the other answers, so that each can be validated at once
    "aimsio_url": SecretStr("http://127.0.0.1"),
    "aimsio_username": SecretStr("-"),
    "aimsio_password": SecretStr("-"),
    "jobnimbus_url": SecretStr("http://127.0.0.1"),
    "jobnimbus_token": SecretStr("-"),
    "timezone": SecretStr("UTC"),
}


@app.command(epilog=_EXAMPLES)
def init(
    aimsio_url: Annotated[str | None, typer.Option(envvar="AUDITKIT_AIMSIO_URL", help="Base URL of Aimsio.")] = None,
    aimsio_user: Annotated[
        str | None, typer.Option(envvar="AUDITKIT_AIMSIO_USERNAME", help="A dedicated integration user.")
    ] = None,
    jobnimbus_url: Annotated[
        str | None, typer.Option(envvar="AUDITKIT_JOBNIMBUS_URL", help="Base URL of JobNimbus.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(envvar="AUDITKIT_TIMEZONE", help="IANA name; decides the date of each document.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option(envvar="AUDITKIT_IDENTITY", help="Who decides and writes, for the journal.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Change an existing auditkit.toml; without a keyring, use secrets.toml.")
    ] = False,
) -> None:
    """Set up an account: questions, auditkit.toml, doctor.

    Asks for everything that no option and no variable gives; the password and the token are not shown. Those two go to
    the system's keyring. If there is none, and you agree, they go to secrets.toml, readable by you alone. Everything
    else goes to auditkit.toml. It ends with the checks of auditkit doctor.
    """
    options = {
        "aimsio_url": aimsio_url,
        "aimsio_username": aimsio_user,
        **{secret: os.environ.get(variable_of(secret)) for secret in LOGINS},
        "jobnimbus_url": jobnimbus_url,
        "timezone": timezone,
        "identity": identity,
    }
    given = {name: SecretStr(value) for name, value in options.items() if value}
    try:
        has_secrets = _set_up(project_root(Path.cwd()), given, yes=yes)
    except typer.Abort:
        fail("stopped before any file was written; run `auditkit init` again")
    if not has_secrets:
        say(f"Next: set {' and '.join(map(variable_of, LOGINS))} before each command, then check with: auditkit doctor")
        return
    try:
        doctor()
    except typer.Exit as ending:
        is_ready = ending.exit_code == CLEAN
        say(f"\nNext: {'auditkit sync' if is_ready else 'fix what failed, then check again with: auditkit doctor'}")
        raise


@dataclass(frozen=True)
class _Question:
    """The prompt for a setting, the option or variable that answers it without a terminal, and the default."""

    setting: str
    label: str
    option: str
    default: Callable[[], str] = lambda: ""


def _set_up(folder: Path, given: Answers, *, yes: bool) -> bool:
    """Ask for what is not given, then save everything. True if later commands find the secrets.

    Raises `typer.Abort` if the person stops.
    """
    file = folder / FILE_NAME
    if not os.access(folder, os.W_OK):
        fail(f"{folder}: cannot be written, and {FILE_NAME} belongs there; run `auditkit init` in a folder you own")
    written = values_of(file)
    Settings.asked({**written, **_PLACEHOLDERS})  # a fault in another setting must not be blamed on an answer
    if sys.stdin.isatty():
        say(f"The settings go to {file}; the secrets do not. Enter keeps the value in brackets.\n")
    answers = _answers(given, written, folder / SECRETS_FILE)
    plain = {name: answer.get_secret_value() for name, answer in answers.items() if name not in LOGINS}
    changes = {name: text for name, text in plain.items() if _value(written, name) != text}
    text = _confirmed_text(file, written, changes, yes=yes) if changes else None
    are_kept = _keep_secrets(folder / SECRETS_FILE, answers, yes=yes)
    if text:
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
        write_whole(file.resolve(), text, mode)
    say(f"The settings are in {file}.\n")
    for name, answer in answers.items():
        if os.environ.get(variable_of(name), answer.get_secret_value()) != answer.get_secret_value():
            warn(f"{variable_of(name)} in the environment differs, and overrides {FILE_NAME}; unset it")
    return are_kept or all(os.environ.get(variable_of(name)) for name in LOGINS)


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def machine_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """The time zone of this machine, as the IANA name of a place; empty if there is none, as on UTC."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name and localtime.is_symlink():
        name = str(localtime.readlink()).partition("zoneinfo/")[2]
    is_place = "/" in name and not name.startswith("Etc/")
    return name if is_place and name in available_timezones() else ""


def _default_identity() -> str:
    """user@host of whoever runs this; empty if it is not a valid name for a key."""
    with contextlib.suppress(KeyError, OSError, SettingsError):
        return valid_name(f"{getpass.getuser()}@{socket.gethostname()}")
    return ""


_QUESTIONS = (
    _Question(
        "aimsio_url",
        "Aimsio URL (to practice: https://sandbox.aimsio.com)",
        "--aimsio-url",
        lambda: "https://portal.aimsio.com",
    ),
    _Question("aimsio_username", "Aimsio user", "--aimsio-user"),
    _Question("aimsio_password", "Aimsio password (hidden)", "AUDITKIT_AIMSIO_PASSWORD"),
    _Question("jobnimbus_url", "JobNimbus URL", "--jobnimbus-url", lambda: "https://app.jobnimbus.com"),
    _Question("jobnimbus_token", "JobNimbus token (hidden)", "AUDITKIT_JOBNIMBUS_TOKEN"),
    _Question("timezone", "Time zone of the account, e.g. America/Edmonton", "--timezone", machine_zone),
    _Question("identity", "Who decides and writes, for the journal: name or e-mail", "--identity", _default_identity),
)


def _answers(given: Answers, written: Written, secrets: Path) -> Answers:
    """An answer to each question: given, typed, or, without a terminal, the value saved before."""
    answers: dict[str, SecretStr] = {}
    missing = []
    for question in _QUESTIONS:
        name = question.setting
        known = _current(name, answers, written, secrets)
        if name in given:
            answers[name] = _checked(name, given[name], written)
            say(f"{question.label}: {'given' if name in _HIDDEN else answers[name].get_secret_value()}")
        elif sys.stdin.isatty():
            answers[name] = _prompted(question, known, written)
        elif known:
            answers[name] = _checked(name, known, written)
        else:
            missing.append(question.option)
    if missing:
        fail(f"no terminal to ask at; give {', '.join(missing)}")
    return answers


def _current(name: str, answers: Answers, written: Written, secrets: Path) -> SecretStr | None:
    """The value saved before: in auditkit.toml, or where the secret of that server and user is kept."""
    if name not in LOGINS:
        value = _value(written, name)
        return SecretStr(value) if isinstance(value, str) else None
    where = login_for(name, lambda other: answers[other].get_secret_value() if other in answers else None)
    return stored_secret(secrets, where) if where else None


def _prompted(question: _Question, known: SecretStr | None, written: Written) -> SecretStr:
    """Ask until the answer is valid."""
    name = question.setting
    is_hidden = name in _HIDDEN
    default = "" if is_hidden else known.get_secret_value() if known else question.default()
    label = f"{question.label} [unchanged]" if is_hidden and known else question.label
    while True:
        text = SecretStr(typer.prompt(label, default=default, show_default=bool(default), hide_input=name in LOGINS))
        try:
            return _checked(name, text if text or not known else known, written)
        except SettingsError as error:
            say(f"  {error}")


def _checked(name: str, answer: SecretStr, written: Written) -> SecretStr:
    """The answer as it is saved. Raises `SettingsError` if it is not valid together with what is saved already."""
    text = answer.get_secret_value() if name == "aimsio_password" else answer.get_secret_value().strip()
    if not text:
        raise SettingsError(f"{name} is required")
    if not text.isprintable():
        raise SettingsError(f"{name} holds a character that cannot be typed, e.g. a line end; enter it again")
    if name == "identity":
        return SecretStr(valid_name(text))
    settings = Settings.asked({**written, **_PLACEHOLDERS, name: SecretStr(text)})
    value = getattr(settings, name)
    return value if isinstance(value, SecretStr) else SecretStr(value)


# ── Saving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _confirmed_text(file: Path, written: Written, changes: Mapping[str, str], *, yes: bool) -> str:
    """The new text of auditkit.toml. For an existing file, a person sees the changes and agrees first."""
    text = with_values(file.read_bytes().decode() if file.exists() else "", changes)
    if text is None:
        lines = ", ".join(f"{name} = {_shown(name, value)}" for name, value in changes.items())
        fail(f"{file}: cannot be edited automatically; add these lines by hand, above all tables: {lines}")
    if file.exists():
        say(f"{file} exists; these settings would change:")
        for name, value in changes.items():
            say(f"  {name}: {_shown(name, _value(written, name))} → {_shown(name, value)}")
        if not _confirmed(f"Change {file.name}?", f"{file} would change", yes=yes):
            fail(f"{file} is unchanged, and nothing was written")
    return text


def _keep_secrets(path: Path, answers: Answers, *, yes: bool) -> bool:
    """Save new secrets in the keyring, or else, if a person agrees, in the file. True if they are saved."""
    logins = {name: login_for(name, lambda other: answers[other].get_secret_value()) for name in LOGINS}
    wanted = {login: answers[name] for name, login in logins.items() if login}
    new = {login: secret for login, secret in wanted.items() if stored_secret(path, login) != secret}
    left = {where: secret for where, secret in new.items() if not store_in_keyring(where, secret)}
    if not left:
        say("Password and token are saved" + (" in the system's keyring." if new else " already."))
    elif _confirmed(
        f"There is no keyring here. Save the secrets in {path}, readable by you alone?",
        f"there is no keyring, so the secrets would go to {path}, readable by you alone",
        yes=yes,
    ):
        store_in_file(path, left)
        say(f"Password and token are saved in {path}, readable by you alone.")
        if where := next((where for where, secret in left.items() if stored_secret(path, where) != secret), None):
            named = shlex.join([f"auditkit {where.url}", where.user.get_secret_value()])
            fail(f"the keyring holds an older secret, which is used first; delete it, e.g. with: keyring del {named}")
    else:
        say("Password and token are not saved.")
        return False
    return True


def _confirmed(question: str, otherwise: str, *, yes: bool) -> bool:
    """Whether a person agrees. Without a terminal, only `--yes` does."""
    if not yes and not sys.stdin.isatty():
        fail(f"{otherwise}; to allow it, give --yes")
    return yes or typer.confirm(question)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "not set"
    return "…" if name in _HIDDEN else quoted(str(value))


def _value(written: Written, name: str) -> Any:  # noqa: ANN401  whatever a file says
    return written[name].get_secret_value() if name in written else None
