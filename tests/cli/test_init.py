"""`auditkit init`: what it asks, writes and saves, in a real terminal and without one; no secret is shown."""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import keyring.core
import pytest

from auditkit.cli.init import machine_zone
from auditkit.sandbox import server
from auditkit.sandbox.dataset import build
from auditkit.settings import Settings
from tests.commands import PROGRAM, assert_refused, auditkit, interruptible, small_disk
from tests.keyrings import FILE, Kept
from tests.served import serving

SECRETS = ("demo-password", "demo-token")
ROOT = Path(__file__).parents[2]
HIDDEN = "The user, password and token of the sandbox are public; the last two must not be shown anywhere."


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Address]:
    with serving(build(seed=3, nrbs=20, faults={}), tmp_path_factory.mktemp("vendors")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, on a machine with a known time zone."""
    (tmp_path / "audit").mkdir()
    monkeypatch.chdir(tmp_path / "audit")
    for name, value in {"TZ": "America/Edmonton", "AUDITKIT_QUIET": "1", "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "audit"


@pytest.fixture
def a_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working keyring, for this process and for programs."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", Kept())
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.keyrings.Kept")
    monkeypatch.setenv(FILE, str(tmp_path / "keyring.json"))
    return tmp_path / "keyring.json"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both secrets in the environment, as in a script."""
    for name, value in zip(("AIMSIO_PASSWORD", "JOBNIMBUS_TOKEN"), SECRETS, strict=True):
        monkeypatch.setenv(f"AUDITKIT_{name}", value)


def without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIMSIO_PASSWORD", "JOBNIMBUS_TOKEN"):
        monkeypatch.delenv(f"AUDITKIT_{name}")


def options(address: server.Address, **others: str) -> list[str]:
    given = {
        "aimsio-url": address.aimsio_url,
        "aimsio-user": "demo",
        "jobnimbus-url": address.jobnimbus_url,
        "timezone": "America/Edmonton",
        "identity": "ann",
        **others,
    }
    return [word for name, value in given.items() if value for word in (f"--{name}", value)]


def settings_in(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "auditkit.toml").read_text("utf-8"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_file())


def holding_a_secret(folder: Path) -> list[str]:
    every = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in every if any(secret.encode() in path.read_bytes() for secret in SECRETS))


# ── At a terminal ───────────────────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """`auditkit init` in its own terminal: wait for a prompt, then type. `seen` is everything it showed."""

    def __init__(self, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        command = [PROGRAM, "init", *arguments]
        with interruptible():
            self.program = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.seen = ""
        self._read = 0

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._ours)

    def at(self, prompt: str, *typed: str) -> None:
        """Wait for this prompt after the one before, then type a line."""
        until = time.monotonic() + 60
        while prompt not in self.seen[self._read :]:
            assert self._more(until), f"no {prompt!r} in {self.seen[self._read :]!r}"
        self._read = self.seen.index(prompt, self._read) + len(prompt)
        for line in typed:
            self.type(f"{line}\n")

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def ended(self) -> int:
        while self._more(time.monotonic() + 60):
            pass
        return self.program.wait(60)

    def interrupted(self) -> int:
        """Press Ctrl-C; again if it fell between a prompt and the wait for its answer, as a person does."""
        while self.program.poll() is None:
            self.program.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.program.wait(5)
        return self.ended()

    def _more(self, until: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        with contextlib.suppress(OSError):  # the terminal is gone when its program is
            if chunk := os.read(self._ours, 4096):
                self.seen += chunk.decode().replace("\r\n", "\n")
                return True
        return False


def answer_all(terminal: Terminal, address: server.Address) -> None:
    terminal.at(
        "Aimsio URL (to practice: https://sandbox.aimsio.com) [https://portal.aimsio.com]: ", address.aimsio_url
    )
    terminal.at("Aimsio user: ", "demo")
    terminal.at("Aimsio password (hidden): ", SECRETS[0])
    terminal.at("JobNimbus URL [https://app.jobnimbus.com]: ", address.jobnimbus_url)
    terminal.at("JobNimbus token (hidden): ", SECRETS[1])
    terminal.at("e.g. America/Edmonton [America/Edmonton]: ", "")
    terminal.at("name or e-mail [", "ann@field.example")


def test_questions_in_order_and_secrets_in_the_keyring(folder: Path, address: server.Address, a_keyring: Path) -> None:
    with Terminal() as terminal:
        answer_all(terminal, address)
        assert terminal.ended() == 0
    assert settings_in(folder) == {
        "aimsio_url": address.aimsio_url,
        "aimsio_username": "demo",
        "jobnimbus_url": address.jobnimbus_url,
        "timezone": "America/Edmonton",
        "identity": "ann@field.example",
    }
    assert mode(folder / "auditkit.toml") == 0o600
    assert "in the system's keyring" in terminal.seen and "20 NRBs listed" in terminal.seen
    assert terminal.seen.rstrip().endswith("Next: auditkit sync")
    assert not [secret for secret in SECRETS if secret in terminal.seen], HIDDEN
    assert (files(folder), holding_a_secret(folder)) == (["auditkit.toml"], [])
    assert auditkit("doctor").code == 0, "what was saved is enough"


def test_without_a_keyring_it_offers_the_file_and_a_second_run_keeps_everything(
    folder: Path, address: server.Address
) -> None:
    with Terminal() as terminal:
        answer_all(terminal, address)
        terminal.at(
            f"no keyring here. Save the secrets in {folder / 'secrets.toml'}, readable by you alone? [y/N]: ", "y"
        )
        assert terminal.ended() == 0
    assert files(folder) == ["auditkit.toml", "secrets.toml"]
    assert (mode(folder / "secrets.toml"), holding_a_secret(folder)) == (0o600, ["secrets.toml"])
    before = (folder / "auditkit.toml").read_bytes()
    with Terminal() as again:
        again.at(f"[{address.aimsio_url}]: ", "")
        again.at("Aimsio user [unchanged]: ", "")
        again.at("Aimsio password (hidden) [unchanged]: ", "")
        again.at(f"[{address.jobnimbus_url}]: ", "")
        again.at("JobNimbus token (hidden) [unchanged]: ", "")
        again.at("[America/Edmonton]: ", "")
        again.at("[ann@field.example]: ", "")
        assert again.ended() == 0
    assert "are saved already" in again.seen and (folder / "auditkit.toml").read_bytes() == before
    assert not [secret for secret in SECRETS if secret in terminal.seen + again.seen], HIDDEN


def test_an_invalid_answer_is_asked_again_at_once(folder: Path, address: server.Address) -> None:
    """A person who refuses the file gets none, and a message which variables to set."""
    with Terminal() as terminal:
        terminal.at("Aimsio URL", "portal.aimsio.com")
        terminal.at("aimsio_url must be https://host with an optional path prefix")
        terminal.at("Aimsio URL", "http://portal.aimsio.com")
        terminal.at("aimsio_url must be https: plain http is allowed on loopback only")
        terminal.at("Aimsio URL", "https://aimsio.example")
        terminal.at("host aimsio.example is not a known vendor host; allow it with AUDITKIT_ALLOW_HOSTS=")
        terminal.at("Aimsio URL", f" {address.aimsio_url}/ ")
        terminal.at("Aimsio user: ", "")
        terminal.at("aimsio_username is required")
        terminal.at("Aimsio user: ", "demo")
        terminal.at("Aimsio password (hidden): ", "")
        terminal.at("aimsio_password is required")
        terminal.at("Aimsio password (hidden): ", "demo-\x07password")
        terminal.at("aimsio_password holds a character that cannot be typed")
        terminal.at("Aimsio password (hidden): ", SECRETS[0])
        terminal.at("JobNimbus URL", "https://user:hunter2@app.jobnimbus.com")
        terminal.at("jobnimbus_url must not hold a user name or password")
        terminal.at("JobNimbus URL", address.jobnimbus_url)
        terminal.at("JobNimbus token (hidden): ", f" {SECRETS[1]} ")
        terminal.at("Time zone", "edmonton")
        terminal.at("timezone is not an IANA time zone; did you mean America/Edmonton?")
        terminal.at("Time zone", "America/Edmonton")
        terminal.at("name or e-mail", "../ann")
        terminal.at("is not a name for an identity")
        terminal.at("name or e-mail", "ann")
        terminal.at("readable by you alone? [y/N]: ", "")
        assert terminal.ended() == 0
    assert "Next: set AUDITKIT_AIMSIO_PASSWORD and AUDITKIT_JOBNIMBUS_TOKEN before each command" in terminal.seen
    assert "credentials are partial" not in terminal.seen  # a choice is not a failure
    assert (files(folder), settings_in(folder)["aimsio_url"]) == (["auditkit.toml"], address.aimsio_url)


@pytest.mark.parametrize("prompts", [1, 3, 7, 8])
def test_ctrl_c_leaves_no_file(prompts: int, folder: Path, address: server.Address) -> None:
    typed = [address.aimsio_url, "demo", SECRETS[0], address.jobnimbus_url, SECRETS[1], "", ""]
    with Terminal() as terminal:
        for line in typed[: prompts - 1]:
            terminal.at("]: " if line in ("", address.aimsio_url, address.jobnimbus_url) else ": ", line)
        terminal.at(
            ("Aimsio URL", "user", "password", "JobNimbus URL", "token", "zone", "e-mail", "readable")[prompts - 1]
        )
        assert terminal.interrupted() == 2
    assert terminal.seen.rstrip().endswith("auditkit: stopped before any file was written; run `auditkit init` again")
    assert not list(folder.iterdir())


def test_an_existing_file_changes_only_after_consent(folder: Path, address: server.Address) -> None:
    ours = f'# ours\ntimezone = "UTC"  # why\naimsio_username = "other"\njobnimbus_url = "{address.jobnimbus_url}"\n'
    rules = '\n# thresholds\n[rules.nrb-unbilled]\nmin_amount = "25.00"\n'
    (folder / "auditkit.toml").write_text(ours + rules)
    (folder / "auditkit.toml").chmod(0o640)
    for reply in ("", "y"):
        with Terminal(*options(address, identity="")) as terminal:
            terminal.at("Aimsio password (hidden): ", SECRETS[0])
            terminal.at("JobNimbus token (hidden): ", SECRETS[1])
            terminal.at("name or e-mail", "ann")
            terminal.at("these settings would change:\n")
            terminal.at("Change auditkit.toml? [y/N]: ", reply)
            if reply:
                terminal.at("readable by you alone?", "y")
            assert terminal.ended() == (0 if reply else 2)
        shown = terminal.seen.partition("these settings would change:\n")[2].partition("Change")[0]
        assert shown.splitlines() == [
            f'  aimsio_url: not set → "{address.aimsio_url}"',
            "  aimsio_username: … → …",
            '  timezone: "UTC" → "America/Edmonton"',
            '  identity: not set → "ann"',
        ]
        if not reply:
            assert "is unchanged, and nothing was written" in terminal.seen
            assert (files(folder), (folder / "auditkit.toml").read_text()) == (["auditkit.toml"], ours + rules)
    text = (folder / "auditkit.toml").read_text()
    assert text.startswith('# ours\ntimezone = "America/Edmonton"  # why\naimsio_username = "demo"\n')
    assert text.endswith(f'aimsio_url = "{address.aimsio_url}"\nidentity = "ann"\n{rules}')
    assert mode(folder / "auditkit.toml") == 0o640


# ── In a script ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_options_and_variables_answer_everything(
    folder: Path, address: server.Address, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITKIT_IDENTITY", "ann")
    ran = auditkit("init", *options(address, identity=""), "--yes")
    assert (ran.code, ran.err) == (0, "") and "20 NRBs listed" in ran.out and ran.out.endswith("Next: auditkit sync\n")
    assert settings_in(folder)["identity"] == "ann" and holding_a_secret(folder) == ["secrets.toml"]
    assert not [secret for secret in SECRETS if secret in ran.out], HIDDEN
    without_secrets(monkeypatch)
    assert repr(Settings.load()).count("**********") == 3 and auditkit("doctor").code == 0
    again = auditkit("init")
    assert (again.code, again.err) == (0, "") and "are saved already" in again.out


def test_it_ends_with_the_checks_of_doctor(
    folder: Path, address: server.Address, a_keyring: Path, secrets: None
) -> None:
    ran = auditkit("init", *options(address))
    assert (ran.code, ran.err) == (0, "") and holding_a_secret(folder) == []
    names = [line.split()[1] for line in auditkit("doctor").out.splitlines()]
    assert [line.split()[1] for line in ran.out.splitlines() if line.startswith("ok ")] == names


def test_an_older_secret_in_a_locked_keyring(
    folder: Path, address: server.Address, a_keyring: Path, secrets: None
) -> None:
    """The keyring is used before the file, so the new secret would never be used."""
    a_keyring.write_text(json.dumps({f"auditkit {address.aimsio_url} · demo": "an older one"}))
    a_keyring.with_suffix(".sealed").touch()
    ran = auditkit("init", *options(address), "--yes")
    assert ran.code == 2 and ran.err == (
        "auditkit: the keyring holds an older secret, which is used first; delete it, e.g. with: "
        f"keyring del 'auditkit {address.aimsio_url}' demo\n"
    )
    assert (folder / "secrets.toml").exists()


def test_without_a_terminal_it_names_missing_options(folder: Path, address: server.Address, secrets: None) -> None:
    assert_refused(
        auditkit("init", "--aimsio-url", address.aimsio_url),
        "no terminal to ask at; give --aimsio-user, --jobnimbus-url, --timezone, --identity\n",
    )
    assert_refused(
        auditkit("init", *options(address)), "no keyring", str(folder / "secrets.toml"), "to allow it, give --yes"
    )
    assert not list(folder.iterdir())


def test_without_a_terminal_it_names_missing_secrets_by_variable(folder: Path, address: server.Address) -> None:
    ran = auditkit("init", *options(address), "--yes")
    assert_refused(ran, "give AUDITKIT_AIMSIO_PASSWORD, AUDITKIT_JOBNIMBUS_TOKEN\n")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("aimsio-url", "portal.aimsio.com", "aimsio_url must be https://host"),
        ("jobnimbus-url", "https://evil.example", "host evil.example is not a known vendor host"),
        ("timezone", "Mountain", "timezone is not an IANA time zone"),
        ("timezone", "calgary/edmonton", "timezone is not an IANA time zone"),
        ("identity", "a/b", "is not a name for an identity"),
    ],
)
def test_an_invalid_option(
    option: str, value: str, words: str, folder: Path, address: server.Address, secrets: None
) -> None:
    assert_refused(auditkit("init", *options(address, **{option: value}), "--yes"), words)
    assert not list(folder.iterdir())


def test_without_a_terminal_an_existing_file_needs_yes(
    folder: Path, address: server.Address, a_keyring: Path, secrets: None
) -> None:
    (folder / "auditkit.toml").write_text('timezone = "UTC"\n')
    assert_refused(
        auditkit("init", *options(address)), str(folder / "auditkit.toml"), "would change", "to allow it, give --yes"
    )
    assert (folder / "auditkit.toml").read_text() == 'timezone = "UTC"\n' and not a_keyring.exists()
    assert auditkit("init", *options(address), "--yes").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("timezone = \n", ("auditkit.toml:1: not TOML",)),
        ("tolerence = 1\n", ("unknown setting 'tolerence'", "did you mean tolerance?")),
        ("tolerance = 'much'\n", ("tolerance must be money",)),
        ("jobnimbus_token = 'tok'\n", ("is a secret", "as `auditkit init` does")),
        (
            '"timezone" = "UTC"\n',
            ("cannot be edited automatically", 'timezone = "America/Edmonton"', "aimsio_username = …"),
        ),
    ],
)
def test_an_invalid_file_is_unchanged(
    text: str, words: tuple[str, ...], folder: Path, address: server.Address, secrets: None
) -> None:
    (folder / "auditkit.toml").write_text(text)
    assert_refused(auditkit("init", *options(address), "--yes"), *words)
    assert (files(folder), (folder / "auditkit.toml").read_text()) == (["auditkit.toml"], text)


def test_a_secrets_file_that_others_may_read(folder: Path, address: server.Address, secrets: None) -> None:
    (folder / "secrets.toml").touch(0o644)
    (folder / "secrets.toml").chmod(0o644)
    assert_refused(auditkit("init", *options(address), "--yes"), str(folder / "secrets.toml"), "chmod 600 it")
    assert files(folder) == ["secrets.toml"]


def test_a_variable_that_overrides_an_answer(
    folder: Path, address: server.Address, a_keyring: Path, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITKIT_TIMEZONE", "Europe/Paris")
    ran = auditkit("init", *options(address))
    assert ran.err == (
        "auditkit: AUDITKIT_TIMEZONE in the environment differs, and overrides auditkit.toml; unset it\n"
    )
    assert settings_in(folder)["timezone"] == "America/Edmonton" and ran.code == 0


def test_an_unreachable_vendor_does_not_stop_it(
    folder: Path, address: server.Address, a_keyring: Path, secrets: None
) -> None:
    """Nothing listens on port 9 of loopback."""
    ran = auditkit("init", *options(address, **{"aimsio-url": "http://127.0.0.1:9"}))
    assert (ran.code, ran.err) == (2, "")
    assert "FAILED  Aimsio " in ran.out and "check host and port in AUDITKIT_AIMSIO_URL" in ran.out
    assert f"The settings are in {folder / 'auditkit.toml'}." in ran.out
    assert ran.out.endswith("Next: fix what failed, then check again with: auditkit doctor\n")
    assert settings_in(folder)["aimsio_url"] == "http://127.0.0.1:9"


def test_wrong_credentials_are_saved_and_reported(
    folder: Path, address: server.Address, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDITKIT_AIMSIO_PASSWORD", "mistyped-secret")
    ran = auditkit("init", *options(address), "--yes")
    assert ran.code == 2 and "answered 401" in ran.out and "run `auditkit init` again" in ran.out
    assert "mistyped-secret" not in ran.out


# ── Files and disks ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_go_to_the_project_and_git_ignores_secrets(
    folder: Path, address: server.Address, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q"], check=True)
    (folder / "pyproject.toml").touch()
    (folder / "notebooks").mkdir()
    monkeypatch.chdir(folder / "notebooks")
    assert auditkit("init", *options(address), "--yes").code == 0
    assert files(folder) == [".gitignore", "auditkit.toml", "pyproject.toml", "secrets.toml"]
    seen = subprocess.run(["git", "status", "--short", "-uall"], cwd=folder, check=True, capture_output=True, text=True)
    assert "auditkit.toml" in seen.stdout and "secrets.toml" not in seen.stdout


def test_a_symbolic_link_is_kept(folder: Path, address: server.Address, a_keyring: Path, secrets: None) -> None:
    (folder.parent / "kept.toml").write_text("surge = 5\n")
    (folder / "auditkit.toml").symlink_to(folder.parent / "kept.toml")
    assert auditkit("init", *options(address), "--yes").code == 0
    assert (folder / "auditkit.toml").is_symlink() and "surge = 5" in (folder.parent / "kept.toml").read_text()


def test_a_full_or_read_only_disk(
    folder: Path, tmp_path: Path, address: server.Address, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 16) as disk:
        (disk / "project").mkdir()
        monkeypatch.chdir(disk / "project")
        with contextlib.suppress(OSError), (disk / "filling").open("wb", buffering=0) as filling:
            while filling.write(b"x" * 4096):
                pass
        assert_refused(auditkit("init", *options(address), "--yes"), "No space left on device")
        assert not list((disk / "project").iterdir())
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert_refused(
            auditkit("init", *options(address), "--yes"),
            f"{disk / 'project'}: cannot be written",
            "run `auditkit init` in a folder you own",
        )


@pytest.mark.skipif(not shutil.which("unshare"), reason="the network cannot be disabled here")
def test_without_any_network(folder: Path, address: server.Address, a_keyring: Path, secrets: None) -> None:
    known = {"aimsio-url": "https://sandbox.aimsio.com", "jobnimbus-url": "https://app.jobnimbus.com"}
    command = ["unshare", "--map-root-user", "--net", str(PROGRAM), "init", *options(address, **known)]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if "unshare" in ran.stderr:
        pytest.skip("this user cannot disable the network here")
    assert (ran.returncode, ran.stderr) == (2, "")
    assert "name resolution" in ran.stdout and "Next: fix what failed" in ran.stdout
    assert settings_in(folder)["aimsio_url"] == "https://sandbox.aimsio.com"


# ── The machine's time zone ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("variable", "link", "zone"),
    [
        ("", "/usr/share/zoneinfo/America/Edmonton", "America/Edmonton"),
        ("", "../usr/share/zoneinfo/America/Argentina/Salta", "America/Argentina/Salta"),
        ("", "/var/db/timezone/zoneinfo/Europe/Paris", "Europe/Paris"),
        ("America/Toronto", "/usr/share/zoneinfo/Europe/Paris", "America/Toronto"),
        (":America/Toronto", None, "America/Toronto"),
        ("", "/usr/share/zoneinfo/Etc/UTC", ""),
        ("", "/usr/share/zoneinfo/UTC", ""),
        ("", "/etc/somewhere", ""),
        ("", "/usr/share/zoneinfo/No/Where", ""),
        ("MST7MDT", None, ""),
        ("", None, ""),
    ],
)
def test_the_time_zone_of_the_machine(
    variable: str, link: str | None, zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", variable)
    if link:
        (tmp_path / "localtime").symlink_to(link)
    assert machine_zone(tmp_path / "localtime") == zone
