"""Settings: where they come from, what is refused in one line; no secret shows."""

import itertools
import pickle
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import keyring
import keyring.backend
import keyring.errors
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.errors import SettingsError
from auditkit.settings import Settings, project_root, quiet, settings_file

SECRETS = {"aimsio_password": "Pa:ss wörd/1", "jobnimbus_token": "tok-SECRET-123"}
PASSPHRASE = "correct horse battery staple"
ACCOUNT = {
    "aimsio_url": "https://portal.aimsio.com",
    "aimsio_username": "clerk@field",
    "aimsio_password": SECRETS["aimsio_password"],
    "jobnimbus_url": "https://app.jobnimbus.com",
    "jobnimbus_token": SECRETS["jobnimbus_token"],
}
ZONE = {"timezone": "America/Edmonton"}
LOOPBACK = {"aimsio_url": "http://127.0.0.1:8000", "jobnimbus_url": "http://localhost:8000/api"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project as the current folder."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load(project, monkeypatch):
    """Settings as loaded with these variables of the environment and lines of auditkit.toml."""

    def loaded(file="", *, demo=False, **variables):
        (project / "auditkit.toml").write_text(file, encoding="utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(f"AUDITKIT_{name.upper()}", value)
        return Settings.load(demo=demo)

    return loaded


def refusal(load, file="", **variables):
    with pytest.raises(SettingsError) as caught:
        load(file, **variables)
    message = str(caught.value)
    assert "\n" not in message
    assert not any(secret in message for secret in SECRETS.values())
    return message


# Where they come from


def test_with_nothing_set_it_is_the_demo(load, project):
    settings = load()
    assert settings.is_demo
    assert (settings.environment, settings.account) == ("demo", "demo")
    assert settings.folder == project / "data" / "demo"
    assert (settings.tolerance, settings.zone, settings.as_of) == (Decimal("0.00"), ZoneInfo("UTC"), None)
    assert (settings.rate_per_second, settings.parallel, settings.draft_status_names) == (10, 10, ("draft",))


def test_an_account(load, project):
    settings = load(**ACCOUNT, **ZONE)
    assert not settings.is_demo
    assert settings.environment == "https://portal.aimsio.com + https://app.jobnimbus.com"
    assert settings.folder == project / "data"
    assert re.fullmatch("account-[0-9a-f]{12}", settings.account)
    assert settings.aimsio_password.get_secret_value() == SECRETS["aimsio_password"]
    assert settings.zone == ZoneInfo("America/Edmonton")


def test_the_environment_wins_over_the_file(load):
    settings = load('tolerance = "0.50"\nas_of = 2026-09-30\nidentity = "file"\n', tolerance="0.05", identity="shell")
    assert (settings.tolerance, settings.identity, settings.as_of) == (Decimal("0.05"), "shell", date(2026, 9, 30))


def test_the_environment_wins_over_the_keyring(load, monkeypatch):
    keep(monkeypatch, {("auditkit https://app.jobnimbus.com", "token"): "from keyring"})
    account = {name: value for name, value in ACCOUNT.items() if name != "jobnimbus_token"} | ZONE
    assert load(**account).jobnimbus_token.get_secret_value() == "from keyring"
    assert load(**account, jobnimbus_token="from shell").jobnimbus_token.get_secret_value() == "from shell"


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize(
    ("name", "secret", "elsewhere"),
    [
        *((name, secret, "put it in the keyring") for name, secret in SECRETS.items()),
        ("passphrase", PASSPHRASE, "type it"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_a_name_is_not(load, name, secret, elsewhere, demo):
    with pytest.raises(SettingsError) as caught:
        load(f"{name} = '{secret}'\n", demo=demo)
    message = str(caught.value)
    assert f"auditkit.toml: {name} is a secret" in message and secret not in message
    assert f"put it in the environment (AUDITKIT_{name.upper()}) or {elsewhere}" in message
    account = {key: value for key, value in ACCOUNT.items() if key != "aimsio_username"} | ZONE
    assert load('aimsio_username = "clerk"\n', **account).aimsio_username.get_secret_value() == "clerk"


def test_every_kind_of_value_in_the_file(load):
    settings = load(
        """
        as_of = 2026-09-30
        tolerance = "0.05"
        parallel = 3
        rate_per_second = 2.5
        allow_hosts = ["api.example.com"]
        draft_status_names = ["Draft", "In Progress"]
        timezone = "UTC"
        [rules.nrb-unbilled]
        min_amount = "5.00"
        """
    )
    assert (settings.as_of, settings.tolerance, settings.parallel) == (date(2026, 9, 30), Decimal("0.05"), 3)
    assert (settings.allow_hosts, settings.draft_status_names) == (("api.example.com",), ("Draft", "In Progress"))
    assert settings.rules == {"nrb-unbilled": {"min_amount": "5.00"}}


def test_lists_in_the_environment_are_json(load):
    assert load(draft_status_names='["Draft", "WIP"]').draft_status_names == ("Draft", "WIP")
    assert "lists are written as JSON" in refusal(load, draft_status_names="Draft, WIP")


def test_nothing_is_read_before_load(monkeypatch, tmp_path):
    monkeypatch.setenv("AUDITKIT_TOLERENCE", "1")
    (tmp_path / "auditkit.toml").write_text("not TOML")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError):
        Settings.load()


def keep(monkeypatch, secrets):
    """A keyring that holds these secrets: (service, user) → secret."""

    class Kept(keyring.backend.KeyringBackend):
        priority = 1

        def get_password(self, service, username):
            return secrets.get((service, username))

        def set_password(self, service, username, password):
            raise NotImplementedError

        def delete_password(self, service, username):
            raise NotImplementedError

    before = keyring.get_keyring()
    monkeypatch.setattr(keyring.core, "_keyring_backend", Kept())
    return before


def test_both_secrets_from_the_keyring(load, monkeypatch):
    keep(
        monkeypatch,
        {
            ("auditkit https://portal.aimsio.com", "clerk@field"): "from keyring",
            ("auditkit https://app.jobnimbus.com", "token"): "token from keyring",
        },
    )
    settings = load(**{name: value for name, value in ACCOUNT.items() if name not in SECRETS}, **ZONE)
    assert settings.aimsio_password.get_secret_value() == "from keyring"
    assert settings.jobnimbus_token.get_secret_value() == "token from keyring"


def test_a_keyring_that_fails_gives_no_secret(load, monkeypatch):
    def broken(service, user):
        raise keyring.errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "get_password", broken)
    account = {name: value for name, value in ACCOUNT.items() if name not in SECRETS}
    message = refusal(load, **account, **ZONE)
    assert "missing AUDITKIT_AIMSIO_PASSWORD, AUDITKIT_JOBNIMBUS_TOKEN" in message


# Misspelled, unknown, malformed


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("TOLERENCE", "unknown setting AUDITKIT_TOLERENCE; did you mean AUDITKIT_TOLERANCE?"),
        ("JOBNIMBUS_TOKN", "did you mean AUDITKIT_JOBNIMBUS_TOKEN?"),
        ("XYZZY", "unknown setting AUDITKIT_XYZZY"),
    ],
)
def test_a_misspelled_variable_is_refused(load, variable, words):
    assert words in refusal(load, **{variable: "1"})


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ('tolerence = "1"', "unknown setting 'tolerence'; did you mean tolerance?"),
        ("xyzzy = 1", "unknown setting 'xyzzy'"),
        ("TOLERANCE = 1", "unknown setting 'TOLERANCE'"),
        (
            "\ntolerance =\n",
            "auditkit.toml:2: not TOML (Invalid value at column 12); text needs quotes, e.g. timezone =",
        ),
        ("timezone = UTC", "auditkit.toml:1: not TOML ("),
        ("[rules", "auditkit.toml: not TOML ("),
        ('identity = """', "auditkit.toml: not TOML ("),
        ("rules = 5", "auditkit.toml: rules must be a table for each rule, e.g. [rules.nrb-unbilled]"),
        ("[rules]\nnrb-unbilled = 5", "auditkit.toml: rules must be a table"),
        ("tolerance = 'much'", "auditkit.toml: tolerance must be money"),
    ],
)
def test_a_wrong_file_is_refused_by_name(load, file, words):
    assert words in refusal(load, file)


def test_a_file_that_is_not_text_is_refused(load, project):
    (project / "auditkit.toml").write_bytes(b"identity = '\xff'")
    with pytest.raises(SettingsError, match=r"auditkit\.toml: "):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        *(
            (
                "tolerance",
                value,
                f"TOLERANCE must be money, 0 or more with at most 2 decimals, e.g. 0.05; found '{value}'",
            )
            for value in ("-0.01", "0.001", "much", "NaN")
        ),
        ("as_of", "30.9.2026", "AUDITKIT_AS_OF must be a day of the calendar, e.g. 2026-09-30; found '30.9.2026'"),
        ("as_of", "2026-02-30", "AUDITKIT_AS_OF must be a day of the calendar, e.g. 2026-09-30; found '2026-02-30'"),
        ("rate_per_second", "0", "AUDITKIT_RATE_PER_SECOND must be a number greater than 0, e.g. 10; found '0'"),
        ("rate_per_second", "nan", "AUDITKIT_RATE_PER_SECOND must be a number"),
        ("parallel", "0", "AUDITKIT_PARALLEL must be a whole number from 1, e.g. 10; found '0'"),
        ("parallel", "2.5", "AUDITKIT_PARALLEL must be a whole number"),
        ("timezone", "America/Edmontn", "AUDITKIT_TIMEZONE is not an IANA time zone; did you mean America/Edmonton?"),
        ("timezone", "MST7", "AUDITKIT_TIMEZONE is not an IANA time zone"),
        ("timezone", "../../etc/passwd", "AUDITKIT_TIMEZONE is not an IANA time zone"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(load, name, value, words):
    assert words in refusal(load, **{name: value})


# Credentials: all of them, or none


SUBSETS = [subset for size in range(1, len(ACCOUNT)) for subset in itertools.combinations(ACCOUNT, size)]


@pytest.mark.parametrize("given_names", SUBSETS, ids=" ".join)
def test_some_credentials_are_an_error_and_never_the_demo(load, given_names):
    message = refusal(load, **{name: ACCOUNT[name] for name in given_names}, **ZONE)
    missing = [f"AUDITKIT_{name.upper()}" for name in ACCOUNT if name not in given_names]
    assert f"credentials are partial, missing {', '.join(missing)}; unset all of them for the demo" in message


def test_the_demo_can_be_asked_for_beside_an_account(load, project):
    settings = load(demo=True, **ACCOUNT, **ZONE)
    assert settings.is_demo
    assert settings.folder == project / "data" / "demo"
    assert settings.aimsio_password is None


def test_an_empty_name_or_secret_is_none(load):
    assert load(aimsio_username="", aimsio_password="", jobnimbus_token="").is_demo
    assert "AUDITKIT_AIMSIO_URL must be https://host" in refusal(load, aimsio_url="")


def test_an_account_needs_its_time_zone(load):
    assert "AUDITKIT_TIMEZONE is required for an account" in refusal(load, **ACCOUNT)


def test_on_loopback_the_time_zone_is_utc(load):
    assert load(**{**ACCOUNT, **LOOPBACK}).zone == ZoneInfo("UTC")


# URLs


@pytest.mark.parametrize("name", ["aimsio_url", "jobnimbus_url"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://portal.aimsio.com", "must be https: plain http is allowed on loopback only"),
        ("http://127.0.0.1.evil.example", "must be https"),
        ("http://localhost.evil.example", "must be https"),
        ("http://localhost@evil.example", "must not hold a user name or password"),
        ("https://clerk:hunter2@portal.aimsio.com", "must not hold a user name or password"),
        ("https://portal.aimsio.com/?x=1", "must not hold a query or fragment"),
        ("https://portal.aimsio.com/#x", "must not hold a query or fragment"),
        ("ftp://portal.aimsio.com", "must be https://host"),
        ("file:///etc/passwd", "must be https://host"),
        ("portal.aimsio.com", "must be https://host"),
        ("https://", "must be https://host"),
        ("https://[::1", "is not a URL"),
        ("https://portal.aimsio.com:99999", "is not a URL"),
        ("https://portal.aimsio.com:x", "is not a URL"),
    ],
)
def test_an_invalid_url_is_refused_by_kind(load, name, url, words):
    message = refusal(load, **{**ACCOUNT, **ZONE, name: url})
    assert f"AUDITKIT_{name.upper()} {words}" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "url",
    ["https://evil.example", "https://app.jobnimbus.com.evil.example", "https://8.8.8.8", "https://xportal.aimsio.com"],
)
def test_an_unknown_host_gets_no_credentials(load, url):
    message = refusal(load, **{**ACCOUNT, **ZONE, "jobnimbus_url": url})
    assert "is not a known vendor host; allow it with AUDITKIT_ALLOW_HOSTS=" in message


def test_an_allowed_host_does(load):
    account = {**ACCOUNT, **ZONE, "jobnimbus_url": "https://api.example.com/prefix/"}
    assert load(allow_hosts='["api.example.com"]', **account).jobnimbus_url == "https://api.example.com/prefix"


@pytest.mark.parametrize(
    "url",
    [
        "https://sandbox.aimsio.com",
        "https://PORTAL.aimsio.com/",
        "http://127.0.0.1:1",
        "http://127.8.9.1",
        "http://[::1]:8000",
        "http://localhost",
    ],
)
def test_known_hosts_and_loopback_are_allowed(load, url):
    assert load(**{**ACCOUNT, **ZONE, "aimsio_url": url}).aimsio_url == url.rstrip("/")


# Rates


@pytest.mark.parametrize(("name", "value"), [("rate_per_second", "10.5"), ("parallel", "11")])
def test_the_vendors_limits_hold_off_loopback(load, name, value):
    assert "may exceed the vendors' 10 on loopback only" in refusal(load, **ACCOUNT, **ZONE, **{name: value})


@pytest.mark.parametrize(("name", "value"), [("rate_per_second", "10.5"), ("parallel", "11")])
def test_one_vendor_off_loopback_is_enough(load, name, value):
    account = {**ACCOUNT, **ZONE, "aimsio_url": LOOPBACK["aimsio_url"]}
    assert "on loopback only" in refusal(load, **account, **{name: value})


def test_loopback_can_be_faster(load):
    settings = load(**{**ACCOUNT, **LOOPBACK}, rate_per_second="500", parallel="40")
    assert (settings.rate_per_second, settings.parallel) == (500, 40)


# Secrets


def test_no_secret_shows(load):
    settings = load(**ACCOUNT, **ZONE)
    shown = [repr(settings), str(settings), f"{settings}", settings.environment, settings.account]
    shown += [settings.model_dump_json(), repr(settings.model_dump()), repr(settings.at_sandbox(identity="x"))]
    assert not [text for text in shown for secret in SECRETS.values() if secret in text]


@pytest.mark.parametrize("account", [{}, {**ACCOUNT, **ZONE}], ids=["demo", "account"])
def test_a_passphrase_is_not_a_credential_and_does_not_show(load, account):
    settings = load(**account, passphrase=PASSPHRASE)
    assert settings.is_demo is not bool(account)
    assert settings.passphrase.get_secret_value() == PASSPHRASE
    shown = [repr(settings), str(settings), repr(settings.model_dump()), settings.model_dump_json()]
    assert not [text for text in shown if PASSPHRASE in text]


def test_the_demo_beside_an_account_has_the_passphrase_and_the_keyring_has_none(load, monkeypatch):
    asked = []
    monkeypatch.setattr(keyring, "get_password", lambda service, user: asked.append((service, user)))
    assert load(demo=True, **ACCOUNT, **ZONE, passphrase=PASSPHRASE).passphrase.get_secret_value() == PASSPHRASE
    monkeypatch.delenv("AUDITKIT_PASSPHRASE")
    assert load(**ACCOUNT, **ZONE).passphrase is None and asked == []


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789!/:@", min_size=6, max_size=30))
def test_no_error_holds_a_secret(secret):
    marked = f"#{secret}#"
    with pytest.raises(pydantic.ValidationError) as caught:
        Settings(**{**ACCOUNT, "aimsio_password": marked, "jobnimbus_token": marked, "parallel": -1, "tolerance": "x"})
    assert marked not in str(caught.value)


def test_settings_are_frozen(load):
    settings = load()
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.tolerance = Decimal(1)


def test_settings_are_not_pickled(load):
    settings = load(**ACCOUNT, **ZONE)
    with pytest.raises(TypeError, match="hold credentials and cannot be pickled"):
        pickle.dumps(settings)


# The home


def test_the_home_is_data_of_the_nearest_project(project, monkeypatch):
    (project / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "notebooks" / "deep")
    assert Settings.load().folder == project / "data" / "demo"
    (project / "notebooks" / "auditkit.toml").touch()
    assert Settings.load().folder == project / "notebooks" / "data" / "demo"


def test_without_a_project_it_is_the_folder_itself(tmp_path):
    assert (project_root(tmp_path), settings_file(tmp_path)) == (tmp_path, None)


def test_the_settings_file_is_that_of_the_nearest_project(project):
    (project / "deep").mkdir()
    (project / "auditkit.toml").touch()
    assert settings_file(project / "deep") == project / "auditkit.toml"


def test_a_relative_home_is_below_the_project(project, monkeypatch):
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    monkeypatch.setenv("AUDITKIT_HOME", "books/../elsewhere")
    assert Settings.load().folder == project / "elsewhere"


def test_an_absolute_home_and_a_tilde(load, tmp_path, monkeypatch):
    assert load(home=str(tmp_path / "there")).folder == tmp_path / "there"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert load(home="~/books").folder == tmp_path / "me" / "books"


def test_an_unknown_home_is_an_error():
    with pytest.raises(SettingsError, match=r"use Settings\.load"):
        assert Settings().folder


def test_loading_creates_nothing(load, project):
    load()
    assert [path.name for path in project.iterdir() if path.is_dir()] == []


# The demo's sandbox, and `quiet`


def test_settings_at_the_sandbox_have_credentials_and_are_the_demo(load):
    settings = load().at_sandbox(**ACCOUNT, rate_per_second=1000.0)
    assert settings.is_demo
    assert (settings.environment, settings.account) == ("demo", "demo")
    assert (settings.aimsio_username, settings.rate_per_second) == ("clerk@field", 1000.0)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_quiet(load, value, expected):
    load(quiet=value)
    assert quiet() is expected


def test_a_path_is_a_path(load):
    assert isinstance(load().folder, Path)
