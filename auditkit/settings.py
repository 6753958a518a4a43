"""Settings: where the vendors are, who reads them, where files are, how an audit is run.

The environment (`AUDITKIT_*`) overrides `auditkit.toml` in the nearest parent folder. Secrets come from the
environment, those of the vendors also from where `credentials.py` keeps them, never from that file. Nothing is read at
import, a `Settings` is frozen, and its repr shows no secret.

Without any credentials the settings are those of the demo; some but not all of them are an error, because a report on
demo data must never pass for a report on an account.
"""

import difflib
import hashlib
import ipaddress
import json
import os
import re
import ssl
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, NoReturn, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, Secret, SecretStr, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as EnvironmentSettingsError

from auditkit.credentials import LOGINS, SECRETS_FILE, keyring_problem, login_for, stored_secret
from auditkit.errors import SettingsError

__all__ = [
    "DEMO",
    "FILE_NAME",
    "PREFIX",
    "VENDOR_PARALLEL",
    "VENDOR_RATE_PER_SECOND",
    "VOID_STATUS_NAMES",
    "AccountKey",
    "SandboxSettings",
    "Settings",
    "is_loopback",
    "keyring_note",
    "project_root",
    "quiet",
    "settings_file",
    "values_of",
    "variable_of",
]

PREFIX = "AUDITKIT_"
FILE_NAME = "auditkit.toml"
DEMO = "demo"
VOID_STATUS_NAMES = ("void", "voided", "canceled", "cancelled", "deleted")
VENDOR_RATE_PER_SECOND = 10
VENDOR_PARALLEL = 10
KNOWN_HOSTS = frozenset({"sandbox.aimsio.com", "portal.aimsio.com", "app.jobnimbus.com"})
_URLS = tuple(url for url, _ in LOGINS.values())
_USERS = tuple(user for _, user in LOGINS.values() if user)
_CREDENTIALS = tuple(name for secret, (url, user) in LOGINS.items() for name in (url, user, secret) if name)
_SECRETS = {  # and where else than in the environment they can be
    "aimsio_password": "put it in the keyring, as `auditkit init` does",
    "jobnimbus_token": "put it in the keyring, as `auditkit init` does",
    "passphrase": "type it when asked",
}
_EXPECTED = {
    "tolerance": "must be money, 0 or more with at most 2 decimals, e.g. 0.05",
    "as_of": "must be a day of the calendar, e.g. 2026-09-30",
    "rate_per_second": "must be a number greater than 0, e.g. 10",
    "parallel": "must be a whole number from 1, e.g. 10",
    "reverify_days": "must be a number of days greater than 0, e.g. 7",
    "surge": "must be a whole number from 1, e.g. 50",
    "rules": "must be a table for each rule, e.g. [rules.nrb-unbilled] and below it min_amount = 25",
}
_HARMLESS = re.compile(r"[\w.,:+-]{0,10}")
_NOT_SETTINGS = frozenset({"QUIET", "DEMO"})  # `quiet()`: non-interactive; `load()`: the demo, whatever account is set


class AccountKey(NamedTuple):
    """Whose books: the servers (`environment`) and a label for the user (`account`). It holds no secret."""

    environment: str
    account: str

    @property
    def is_demo(self) -> bool:
        """Whether it is the demo's, so that every page says DEMO DATA."""
        return self.environment == DEMO

    def __str__(self) -> str:
        return "DEMO DATA" if self.is_demo else f"{self.account} at {self.environment}"


def quiet() -> bool:
    """Whether `AUDITKIT_QUIET` says non-interactive: no progress bars, no check boxes (tests, stored notebooks)."""
    return os.environ.get(f"{PREFIX}QUIET", "") not in ("", "0")


def is_loopback(url: str) -> bool:
    """Whether the URL's host can only be this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(BaseSettings):
    """One frozen set of settings. Use `Settings.load()`, which reports every mistake in one `SettingsError` line."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)
    _hidden: ClassVar[frozenset[str]] = frozenset()  # settings whose variables are not read
    _answers_win: ClassVar[bool] = False

    home: Path | None = Field(None, description="folder of every file auditkit writes")
    aimsio_url: str | None = Field(None, description="base URL of Aimsio, e.g. https://portal.aimsio.com")
    aimsio_username: SecretStr | None = Field(None, description="the user who reads Aimsio")
    aimsio_password: SecretStr | None = Field(None, description="the password of that user; never in a file")
    jobnimbus_url: str | None = Field(None, description="base URL of JobNimbus, e.g. https://app.jobnimbus.com")
    jobnimbus_token: SecretStr | None = Field(None, description="the token that reads JobNimbus; never in a file")
    jobnimbus_actor: str | None = Field(None, description="e-mail that JobNimbus shows as the author of a write")
    timezone: str | None = Field(None, description="IANA name; decides each document's calendar day; UTC on loopback")
    identity: str | None = Field(None, description="who decides and writes, for the journal")
    passphrase: SecretStr | None = Field(None, description="opens the private key of the person who signs")
    as_of: date | None = Field(None, description="the as-of date; default today")
    tolerance: Decimal = Field(Decimal("0.00"), ge=0, decimal_places=2, description="money that may differ")
    rate_per_second: float = Field(VENDOR_RATE_PER_SECOND, gt=0, description="calls; above 10 on loopback only")
    parallel: int = Field(VENDOR_PARALLEL, ge=1, description="calls in flight; above 10 on loopback only")
    allow_hosts: tuple[str, ...] = Field((), description="further hosts that may receive the credentials")
    ca_bundle: Path | None = Field(None, description="PEM file of authorities to trust instead of the public ones")
    proxy: str | None = Field(None, description="HTTP proxy to the vendors, e.g. http://proxy.example:3128")
    draft_status_names: tuple[str, ...] = Field(("draft",), description="JobNimbus statuses that are not issued yet")
    void_status_names: tuple[str, ...] = Field(VOID_STATUS_NAMES, description="JobNimbus statuses that count as void")
    vendor_tax: Literal["ask", "recoverable", "rebilled"] = Field(
        "ask", description="is vendor tax recovered, or billed on; ask: cost billed without exactly its tax is billed"
    )
    labor_in_amount: Literal["yes", "no", "auto"] = Field(
        "auto", description="whether the amount of an invoice line includes its labor"
    )
    reverify_days: float = Field(7, gt=0, description="no content of an NRB should be read longer ago than this")
    surge: int = Field(50, ge=1, description="new exceptions of one rule in one read, above which there is a warning")
    rules: Mapping[str, Mapping[str, Any]] = Field({}, description="rule id → parameter → value")

    @field_validator(*_URLS)
    @classmethod
    def _is_base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts, _ = urlsplit(url), urlsplit(url).port
        except ValueError:
            raise ValueError("is not a URL") from None
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("must be https://host with an optional path prefix")
        if "@" in url:
            raise ValueError("must not hold a user name or password; they have settings of their own")
        if parts.query or parts.fragment:
            raise ValueError("must not hold a query or fragment")
        if parts.scheme == "http" and not is_loopback(url):
            raise ValueError("must be https: plain http is allowed on loopback only")
        return url.rstrip("/")

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts, port = urlsplit(url), urlsplit(url).port
        except ValueError:
            raise ValueError("is not a URL") from None
        if "@" in url:
            raise ValueError("must not hold a user name or password; use a proxy that needs none, e.g. on this machine")
        if parts.scheme != "http" or not parts.hostname or not port or parts.path.strip("/") or parts.query:
            raise ValueError("must be http://host:port")
        return f"http://{parts.netloc}"

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"is not an IANA time zone{_near_zone(name)}")
        return name

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        given = [name for name in _CREDENTIALS if getattr(self, name)]
        missing = [PREFIX + name.upper() for name in _CREDENTIALS if name not in given]
        if given and missing:
            raise ValueError(f"credentials are partial, missing {', '.join(missing)}; unset all of them for the demo")
        urls = [getattr(self, name) for name in _URLS]
        for url in urls:
            host = urlsplit(url or "").hostname
            if url and not is_loopback(url) and host not in KNOWN_HOSTS | set(self.allow_hosts):
                raise ValueError(
                    f"host {host} is not a known vendor host; allow it with {PREFIX}ALLOW_HOSTS='[\"{host}\"]'"
                )
        local = all(url is None or is_loopback(url) for url in urls)
        if not local and (self.rate_per_second > VENDOR_RATE_PER_SECOND or self.parallel > VENDOR_PARALLEL):
            raise ValueError(
                f"{PREFIX}RATE_PER_SECOND and {PREFIX}PARALLEL may exceed the vendors' 10 on loopback only"
            )
        if given and not local and not self.timezone:
            raise ValueError(f"{PREFIX}TIMEZONE is required for an account, e.g. America/Edmonton")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment overrides the file, whose values `load` passes in; but not the answers of a person."""
        if isinstance(env_settings, EnvSettingsSource):
            hidden = {f"{PREFIX}{name}".lower() for name in cls._hidden}
            env_settings.env_vars = {name: value for name, value in env_settings.env_vars.items() if name not in hidden}
        return (init_settings, env_settings) if cls._answers_win else (env_settings, init_settings)

    @classmethod
    def load(cls, *, demo: bool = False) -> "Settings":
        """The settings of the current folder; `demo` leaves out all credentials.

        Raises `SettingsError`, in one line, for a misspelled, malformed or missing setting.
        """
        _refuse_unknown_variables()
        root = project_root(Path.cwd())
        values = values_of(root / FILE_NAME)
        kind: type[Settings] = cls
        if demo or os.environ.get(f"{PREFIX}DEMO", "") not in ("", "0"):
            kind, values = SandboxSettings, {name: values[name] for name in values if name not in _CREDENTIALS}
        try:
            secrets = {} if kind is SandboxSettings else _kept_secrets(values, root / SECRETS_FILE)
            settings = kind(**{**_plain(values), **secrets})
        except (ValidationError, EnvironmentSettingsError) as error:
            line = _one_line(error, lambda name: _origin(name, values, root / FILE_NAME))
            note = keyring_note() if "credentials are partial" in line else None
            raise SettingsError(f"{line}; {note}" if note else line) from None
        if settings.ca_bundle is not None:
            bundle = (root / settings.ca_bundle.expanduser()).resolve()
            _refuse_unusable_bundle(bundle, _origin("ca_bundle", values, root / FILE_NAME))
            settings = settings.model_copy(update={"ca_bundle": bundle})
        if settings.home is None:
            home = root / "data" / "demo" if settings.is_demo else root / "data"
            return settings.model_copy(update={"home": home})
        try:
            home = (root / settings.home.expanduser()).resolve()
        except RuntimeError:
            where = _origin("home", values, root / FILE_NAME)
            raise SettingsError(
                f"{where} {settings.home}: this user has no home folder; give an absolute path"
            ) from None
        return settings.model_copy(update={"home": home})

    @classmethod
    def asked(cls, values: Mapping[str, Secret[Any] | SecretStr]) -> "Settings":
        """These values, overriding the environment, with the same validation. Raises `SettingsError`."""
        _refuse_unknown_variables()
        try:
            return _AskedSettings(**_plain(values))
        except (ValidationError, EnvironmentSettingsError) as error:
            raise SettingsError(_one_line(error, lambda name: name if name in values else variable_of(name))) from None

    def changed(self, **values: Any) -> Self:  # noqa: ANN401  any field of ours
        """These settings with some values changed, with the same validation. Raises `SettingsError`."""
        checked: dict[str, Any] = {}
        for name, value in values.items():
            field = type(self).model_fields[name]
            try:
                bounded: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
                checked[name] = bounded.validate_python(value)
            except ValidationError as error:
                raise SettingsError(f"{name} {_words(name, error.errors(include_url=False)[0])}") from None
        return self.model_copy(update=checked)

    @property
    def is_demo(self) -> bool:
        """Whether there are no credentials at all: the embedded sandbox answers, and every figure says DEMO DATA."""
        return not any(getattr(self, name) for name in _CREDENTIALS)

    @property
    def folder(self) -> Path:
        """The home, as a resolved path."""
        if self.home is None:
            raise SettingsError("the home folder is not known; use Settings.load()")
        return self.home

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone (UTC where none is set)."""
        return ZoneInfo(self.timezone or "UTC")

    @property
    def environment(self) -> str:
        """The servers that a snapshot is of. It never holds a secret."""
        return DEMO if self.is_demo else " + ".join(str(getattr(self, name)) for name in _URLS)

    @property
    def account_key(self) -> AccountKey:
        """Whose books these are: environment and account as one value."""
        return AccountKey(self.environment, self.account)

    @property
    def account(self) -> str:
        """Whose data a snapshot is: a label made from environment and user name, which contains neither."""
        if self.is_demo:
            return DEMO
        whose = "\n".join([self.environment, *(user.get_secret_value() for user in self.users)])
        return f"account-{hashlib.sha256(whose.encode()).hexdigest()[:12]}"

    @property
    def users(self) -> tuple[SecretStr, ...]:
        """The user names at the vendors that know users."""
        return tuple(value for name in _USERS if (value := getattr(self, name)))

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The passwords and tokens of all vendors."""
        return tuple(value for name in LOGINS if (value := getattr(self, name)))

    def __reduce__(self) -> NoReturn:
        raise TypeError("settings hold credentials and cannot be pickled; load them where they are needed")

    def variables(self) -> dict[str, str]:
        """The settings that were given, as environment variables for a process that must have the same.

        Passwords, tokens and passphrases are not among them: that process looks them up where this one did.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set | {"home"} if name not in _SECRETS}
        return {variable_of(name): _as_text(value) for name, value in given.items() if value is not None}

    def at_sandbox(self, **values: Any) -> "SandboxSettings":  # noqa: ANN401  any field of ours
        """These settings of the demo, connected to a running sandbox. `values` gives its URLs and credentials."""
        return SandboxSettings.model_construct(**{**dict(self), **values})


class SandboxSettings(Settings):
    """Settings of the demo: its sandbox's credentials at most, never those of an account in the environment."""

    _hidden: ClassVar[frozenset[str]] = frozenset(_CREDENTIALS)

    @property
    def is_demo(self) -> bool:
        """Always."""
        return True


class _AskedSettings(Settings):
    """Settings that a person is asked for: an answer overrides the environment."""

    _answers_win: ClassVar[bool] = True


def project_root(folder: Path) -> Path:
    """The nearest folder at or above this one with auditkit.toml or pyproject.toml; else the folder itself."""
    folder = folder.resolve()
    for parent in (folder, *folder.parents):
        if (parent / FILE_NAME).is_file() or (parent / "pyproject.toml").is_file():
            return parent
    return folder


def settings_file(folder: Path) -> Path | None:
    """The auditkit.toml that applies to this folder, if there is one."""
    path = project_root(folder) / FILE_NAME
    return path if path.is_file() else None


def keyring_note() -> str | None:
    """One line about a keyring that cannot be used; None if it can, or if no secret is looked for there."""
    if all(os.environ.get(variable_of(name)) for name in LOGINS) or not (problem := keyring_problem()):
        return None
    return (
        f"the system's keyring cannot be used ({problem}), so secrets come from the environment or {SECRETS_FILE} alone"
    )


def values_of(path: Path) -> dict[str, Secret[Any]]:
    """The values of an auditkit.toml; none if there is no file. Raises `SettingsError`, in one line.

    They are hidden, because a traceback may show locals, and an invalid value may be a secret.
    """
    if not path.is_file():
        return {}
    try:
        values = {name: Secret(value) for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_not_toml(path, str(error))) from None
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from None
    for name in values:
        if name in _SECRETS:
            raise SettingsError(
                f"{path}: {name} is a secret, and this file is copied and shared: put it in the environment"
                f" ({PREFIX}{name.upper()}) or {_SECRETS[name]}, and delete this line"
            )
        if name not in Settings.model_fields:
            raise SettingsError(f"{path}: unknown setting {name!r}{_did_you_mean(name, Settings.model_fields)}")
    return values


def _plain(values: Mapping[str, Secret[Any] | SecretStr]) -> dict[str, Any]:
    return {name: value.get_secret_value() for name, value in values.items()}


def _as_text(value: object) -> str:
    """A value as its variable holds it: lists and tables as JSON."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple() | Mapping():
            return json.dumps(value, default=str)
    return str(value)


def _not_toml(path: Path, message: str) -> str:
    """tomllib's message after file and line, and the most common cause."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    line, cause = (f":{found[2]}", f"{found[1]} at column {found[3]}") if found else ("", message)
    return f'{path}{line}: not TOML ({cause}); text needs quotes, e.g. timezone = "America/Edmonton"'


def _refuse_unknown_variables() -> None:
    names = [name.upper() for name in Settings.model_fields] + sorted(_NOT_SETTINGS)
    for variable in os.environ:
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in names:
            raise SettingsError(f"unknown setting {variable}{_did_you_mean(name, names, PREFIX)}")


def _refuse_unusable_bundle(path: Path, origin: str) -> None:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        reason = "holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(f"{origin}: {path}: cannot be used ({reason}); name a PEM file of certificates") from None


def _near_zone(name: str) -> str:
    """The nearest zone, also by its city alone, in any case."""
    zones = sorted(available_timezones())
    names = {zone.rpartition("/")[2].casefold(): zone for zone in zones} | {zone.casefold(): zone for zone in zones}
    near = difflib.get_close_matches(name.casefold().replace(" ", "_"), names, n=1)
    return f"; did you mean {names[near[0]]}?" if near else ""


def _did_you_mean(name: str, names: Iterable[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def _kept_secrets(values: Mapping[str, Secret[Any]], path: Path) -> dict[str, SecretStr]:
    """The vendors' secrets, for URLs and user that are set without a secret."""

    def given(name: str) -> str | None:
        return os.environ.get(variable_of(name)) or _plain(values).get(name)

    wanted = {name: login_for(name, given) for name in LOGINS if not given(name)}
    found = {name: stored_secret(path, where) for name, where in wanted.items() if where}
    return {name: secret for name, secret in found.items() if secret}


def _one_line(error: ValidationError | EnvironmentSettingsError, where: Callable[[str], str]) -> str:
    """Every error, each with `where` the value was set."""
    if isinstance(error, EnvironmentSettingsError):
        return f'{error}; lists are written as JSON, e.g. ["host.example"]'
    items = [(str(item["loc"][0]) if item["loc"] else "", item) for item in error.errors(include_url=False)]
    return "; ".join(f"{where(name)} {_words(name, item)}" if name else _words(name, item) for name, item in items)


def _origin(name: str, values: Mapping[str, Any], file: Path) -> str:
    variable = variable_of(name)
    return f"{file}: {name}" if name in values and variable not in os.environ else variable


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _words(name: str, item: Mapping[str, Any]) -> str:
    """What a setting must be, and what was found if that is short and plain: a longer value may be a secret."""
    if name in _EXPECTED:
        found = str(item["input"])
        return _EXPECTED[name] + (f"; found {found!r}" if _HARMLESS.fullmatch(found) else "")
    return str(item["msg"]).removeprefix("Value error, ")
