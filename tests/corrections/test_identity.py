"""Identities: who can sign, what a key file must be, and that no private key or passphrase is shown."""

import base64
import copy
import json
import os
import pickle
import pty
import select
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from auditkit.corrections.approvers import read_approvers
from auditkit.corrections.identity import Identities, folded, is_public_key, is_signed, valid_name
from auditkit.errors import SettingsError
from tests.commands import PROGRAM, assert_refused, auditkit, started

WORDS = "correct horse battery staple"
PASSPHRASE = SecretStr(WORDS)


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    return Identities(tmp_path / "home" / "identities")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keyring, as a dict: (service, user) → secret."""
    secrets: dict[tuple[str, str], str] = {}

    class Kept(keyring.backend.KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return secrets.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            secrets[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            raise NotImplementedError

    monkeypatch.setattr(keyring.core, "_keyring_backend", Kept())
    return secrets


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    """The message of the refusal: one line without a passphrase."""
    with pytest.raises(SettingsError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.isprintable() and WORDS not in message and "PRIVATE" not in message
    return message


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "spelling",
    ["ann lee", "Ann Lee", "  ANN   LEE\n", "Ａｎｎ Ｌｅｅ", "ann\u00a0lee", "ann\u3000lee", "ⒶNN lee"],
    ids=ascii,
)
def test_one_name_in_many_spellings(spelling: str) -> None:
    assert folded(spelling) == "ann lee"


@pytest.mark.parametrize(("one", "other"), [("Zoë", "Zoe\u0308"), ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος")])
def test_one_name_composed_or_decomposed_and_in_either_case(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ann",
            "Ann Lee",
            "ann.lee@example.com",
            "O’Neil, Zoë",
            "Zoe\u0308",
            "Łukasz Ørsted",
            "Straße",
            "STRAẞE",
            "7of9",
        ),
        *("李 小龙", "ネコ猫", "김민준", "अनिल", "\u0958", "ਸਿੰਘ", "مريم", "אנה"),
    ],
    ids=ascii,
)
def test_a_plain_name(name: str) -> None:
    assert valid_name(f" {name}  ") == name


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("\u0430nn", "CYRILLIC SMALL LETTER A"),
        ("\u0430\u043d\u043d", "CYRILLIC SMALL LETTER A"),
        ("\u0391nn", "GREEK CAPITAL LETTER ALPHA"),
        ("\u13aann", "CHEROKEE LETTER GO"),
        ("d\u0131ana", "LATIN SMALL LETTER DOTLESS I"),
        ("\u0130nn", "COMBINING DOT ABOVE"),
        ("i\u0307nn", "COMBINING DOT ABOVE"),
        ("n\u0338n", "COMBINING LONG SOLIDUS OVERLAY"),
        ("\u0251nn", "LATIN SMALL LETTER ALPHA"),
        ("\u017fam", "LATIN SMALL LETTER LONG S"),
        ("\u212aim", "KELVIN SIGN"),
        ("\uff41nn", "FULLWIDTH LATIN SMALL LETTER A"),
        ("\ufb01nn", "LATIN SMALL LIGATURE FI"),
        ("\u2170nn", "SMALL ROMAN NUMERAL ONE"),
        ("ann \u0967", "DEVANAGARI DIGIT ONE"),
    ],
    ids=ascii,
)
def test_a_letter_that_looks_like_another_is_refused(name: str, letter: str, identities: Identities) -> None:
    assert letter in refused(valid_name, name) and "could be mistaken for another name" in refused(valid_name, name)
    assert letter in refused(identities.new, name, PASSPHRASE)
    assert not identities.folder.parent.exists()


def test_letters_of_two_scripts_are_refused() -> None:
    assert "mixes letters of CJK and LATIN: write it in one script" in refused(valid_name, "李 lee")


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", "\u3000", ".", "..", ".hidden", "-rf", "../ann", "a/b", "a\\b", "/etc/passwd", "a\0b"),
        *(
            "ann\n",
            "a\tn",
            "a\x1bnn",
            "a\x7f",
            "a\u0085",
            "a\u202enn",
            "a\u2066nn",
            "a\u200bnn",
            "a\u00adnn",
            "\ufeffann",
        ),
        *("ann\u3164", "ann\ufe0f", "ann\U000e0101", "ann\u034f", "\u0301ann", 'a"b', "a\nb", "a$b", "a\ud800"),
        *("a" * 61, "\ufdfa" * 4, "😀"),
    ],
    ids=ascii,
)
def test_an_invalid_name_is_refused(name: str, identities: Identities) -> None:
    for call in (valid_name, identities.refuse_taken, identities.public_key):
        assert "is not a name for an identity: write 1 to 60 letters" in refused(call, name)
    assert "is not a name" in refused(identities.new, name, PASSPHRASE)
    assert "is not a name" in refused(identities.open, name, PASSPHRASE)
    assert not identities.folder.parent.exists()


@pytest.mark.parametrize("letter", ["a", "é", "李", "𠀀"])
def test_the_longest_name_fits_a_file_name(letter: str, identities: Identities) -> None:
    identities.new(letter * 60, PASSPHRASE)
    assert identities.open(letter * 60, PASSPHRASE).name == letter * 60


# ── A key, made and opened ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_identity_can_be_opened_in_any_spelling_and_signs(identities: Identities) -> None:
    made = identities.new("Ann Lee", PASSPHRASE)
    again = identities.open("ANN  lee", PASSPHRASE)
    assert made.public_key == again.public_key == identities.public_key("ann lee") and is_public_key(made.public_key)
    assert (made.name, identities.names()) == ("Ann Lee", ("ann lee",))
    assert is_signed(made.public_key, "a text", again.sign("a text"))
    assert not is_signed(made.public_key, "another", again.sign("a text"))
    assert not is_signed(identities.new("bob", PASSPHRASE).public_key, "a text", again.sign("a text"))


def test_only_the_owner_can_read_files_and_folders_and_nothing_is_left_over(identities: Identities) -> None:
    before = os.umask(0)
    try:
        identities.new("ann", PASSPHRASE)
    finally:
        os.umask(before)
    home = identities.folder.parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}
    assert modes == {"home": 0o700, "identities": 0o700, "ann.pem": 0o600}


def test_the_private_key_is_stored_under_the_passphrase_only(identities: Identities) -> None:
    identities.new("ann", PASSPHRASE)
    public, end, private = (identities.folder / "ann.pem").read_bytes().partition(b"-----END PUBLIC KEY-----\n")
    assert public.startswith(b"-----BEGIN PUBLIC KEY-----") and end
    assert private.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    for guess in (None, WORDS.encode()):  # the words alone do not open it: scrypt makes each guess expensive
        with pytest.raises((TypeError, ValueError)):
            serialization.load_pem_private_key(private, guess)


@pytest.mark.parametrize("spelling", ["ann", "ANN", " aNN "])
def test_a_name_is_taken_in_any_spelling(spelling: str, identities: Identities) -> None:
    identities.new("Ann", PASSPHRASE)
    before = (identities.folder / "ann.pem").read_bytes()
    assert "an identity of this name already exists" in refused(identities.new, spelling, PASSPHRASE)
    assert "an identity of this name already exists" in refused(identities.refuse_taken, spelling)
    assert [path.read_bytes() for path in identities.folder.iterdir()] == [before]


def test_a_dangling_link_is_not_written_through(identities: Identities, tmp_path: Path) -> None:
    identities.folder.mkdir(parents=True)
    (identities.folder / "ann.pem").symlink_to(tmp_path / "elsewhere")
    assert "already" in refused(identities.new, "ann", PASSPHRASE)
    assert not (tmp_path / "elsewhere").exists() and len(list(identities.folder.iterdir())) == 1


def test_a_file_that_a_kill_left_over_is_not_an_identity(identities: Identities) -> None:
    identities.new("ann", PASSPHRASE)
    (identities.folder / ".0123abcd.bob.pem").touch()
    assert identities.names() == ("ann",)


def test_of_many_at_once_only_one_makes_the_key(identities: Identities) -> None:
    def attempt(_: int) -> str | None:
        try:
            return identities.new("ann", PASSPHRASE).public_key
        except SettingsError:
            return None

    with ThreadPoolExecutor(8) as pool:
        (made,) = filter(None, pool.map(attempt, range(8)))
    assert identities.open("ann", PASSPHRASE).public_key == made


@pytest.mark.parametrize("words", ["Wörter und Räume", "x" * 5000, "\0" * 20 + "!" * 12, "caf\udce9 " * 4], ids=ascii)
def test_a_passphrase_may_be_any_text(words: str, identities: Identities) -> None:
    identities.new("ann", SecretStr(words))
    identities.open("ann", SecretStr(words))
    assert "the passphrase is wrong" in refused(identities.open, "ann", SecretStr(words + "x"))


@pytest.mark.parametrize(
    ("passphrase", "message"),
    [
        (None, "a key needs a passphrase; set AUDITKIT_PASSPHRASE"),
        (SecretStr(""), "a key needs a passphrase; set AUDITKIT_PASSPHRASE"),
        (SecretStr(" " * 20), "too short: take 12 characters or more"),
        (SecretStr("eleven char"), "too short: take 12 characters or more"),
    ],
)
def test_a_key_needs_a_long_passphrase(passphrase: SecretStr | None, message: str, identities: Identities) -> None:
    assert message in refused(identities.new, "ann", passphrase)
    assert identities.names() == ()


def test_only_the_demo_has_keys_without_a_passphrase(identities: Identities) -> None:
    demo = Identities(identities.folder, protected=False)
    key = demo.new("ann", None).public_key
    assert demo.open("ann", None).public_key == demo.open("ann", PASSPHRASE).public_key == key
    assert "the key has no passphrase, which is allowed on the demo only" in refused(identities.open, "ann", None)
    assert "has no passphrase" in refused(identities.open, "ann", PASSPHRASE)
    demo.new("bob", PASSPHRASE)
    assert "needs its passphrase" in refused(demo.open, "bob", None)


# ── Files that are not as they were made ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o777], ids=oct)
def test_a_file_open_to_others_is_refused(mode: int, identities: Identities) -> None:
    identities.new("ann", PASSPHRASE)
    (identities.folder / "ann.pem").chmod(mode)
    assert "is open to others" in refused(identities.open, "ann", PASSPHRASE)


@pytest.mark.parametrize("passphrase", [SecretStr("correct horse battery stapel"), SecretStr("")])
def test_a_wrong_or_empty_passphrase_is_refused(passphrase: SecretStr, identities: Identities) -> None:
    identities.new("ann", PASSPHRASE)
    assert "passphrase" in refused(identities.open, "ann", passphrase)


def pem_of(key: Any, passphrase: bytes | None = None) -> tuple[bytes, bytes]:
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return (
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, lock),
    )


OURS, THEIRS, OTHER_KIND = (
    pem_of(Ed25519PrivateKey.generate()),
    pem_of(Ed25519PrivateKey.generate()),
    pem_of(Ed448PrivateKey.generate()),
)
FOREIGN_LOCK = pem_of(Ed25519PrivateKey.generate(), WORDS.encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a key that `auditkit identity new` made"),
        (b"\0\xff" * 6000, "is not a key that"),
        (OURS[1], "is not a key that"),
        (b"".join(OTHER_KIND), "is not a key that"),
        (OURS[0] + THEIRS[1], "its private key does not belong to its public key"),
        (OURS[0] + OTHER_KIND[1], "its private key does not belong to its public key"),
        (OURS[0] + b"junk", "the key is damaged"),
        (OURS[0] + OURS[1][:60], "the key is damaged"),
        (OURS[0] + OURS[0], "the key is damaged"),
        (b"".join(FOREIGN_LOCK), "the passphrase is wrong, or the key is damaged"),
        (OURS[0], "the system's keyring does not return its private key"),
    ],
    ids=range(11),
)
def test_a_file_that_is_not_a_key_is_refused(content: bytes, message: str, identities: Identities) -> None:
    identities.folder.mkdir(parents=True)
    path = identities.folder / "ann.pem"
    path.touch(mode=0o600)
    path.write_bytes(content)
    assert message in refused(Identities(identities.folder, protected=False).open, "ann", PASSPHRASE)


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (lambda path: None, "no such identity; make it with `auditkit identity new`"),
        (Path.mkdir, "is not a file"),
        (os.mkfifo, "is not a file"),
        (lambda path: path.symlink_to(path.with_name("bob.pem")), "cannot be read"),
    ],
    ids=["nothing", "folder", "pipe", "link to another's key"],
)
def test_anything_but_a_regular_file_is_refused(put: Any, message: str, identities: Identities) -> None:
    identities.new("bob", PASSPHRASE)
    put(identities.folder / "ann.pem")
    assert message in refused(identities.open, "ann", PASSPHRASE)
    assert message in refused(identities.public_key, "ann")


# ── The keyring ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_keyring_stores_the_private_key_under_the_passphrase(
    identities: Identities, tmp_path: Path, kept: dict[tuple[str, str], str]
) -> None:
    made = identities.new("ann", PASSPHRASE, in_keyring=True)
    other = Identities(tmp_path / "other home").new("ann", PASSPHRASE, in_keyring=True)
    assert (identities.folder / "ann.pem").read_text().count("-----BEGIN") == 1
    assert identities.is_in_keyring("ann")
    assert set(kept) == {("auditkit identity", each.public_key) for each in (made, other)}
    assert all(secret.startswith("-----BEGIN ENCRYPTED PRIVATE KEY") for secret in kept.values())
    assert identities.open("ann", PASSPHRASE).public_key == made.public_key
    assert "the passphrase is wrong" in refused(identities.open, "ann", SecretStr("another passphrase"))


def test_a_keyring_that_stores_nothing_is_reported(identities: Identities) -> None:
    assert "keyring did not store the key" in refused(identities.new, "ann", PASSPHRASE, in_keyring=True)
    assert identities.names() == ()


def test_a_locked_keyring_is_reported(
    identities: Identities, kept: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: str) -> None:
        raise keyring.errors.KeyringLocked("locked")

    identities.new("ann", PASSPHRASE, in_keyring=True)
    for name in ("get_password", "set_password"):
        monkeypatch.setattr(keyring.get_keyring(), name, locked)
    assert "keyring does not return its private key" in refused(identities.open, "ann", PASSPHRASE)
    assert "keyring did not store the key" in refused(identities.new, "bob", PASSPHRASE, in_keyring=True)


# ── What never shows ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_identity_shows_no_key_and_is_not_pickled_or_copied(identities: Identities) -> None:
    demo = Identities(identities.folder, protected=False)
    ann = demo.new("ann", None)
    private = (demo.folder / "ann.pem").read_text().splitlines()[-2]
    seed = base64.b64decode(private)[-32:]
    shown = f"{ann!r} {ann} {vars(ann)!r}"
    assert "ann" in shown
    assert [text for text in (private, seed.hex(), base64.b64encode(seed).decode(), repr(seed)) if text in shown] == []
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a private key and is not pickled or copied"):
            attempt(ann)
    with pytest.raises(AttributeError):
        ann.name = "bob"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text", ["", "x", "=" * 44, "é" * 44, "A" * 44, "A" * 43, "A" * 42 + "B=", " " + "A" * 43 + "=", "A" * 43 + "=\n"]
)
def test_which_texts_are_not_public_keys(text: str) -> None:
    assert not is_public_key(text)
    assert not is_signed(text, "text", "A" * 86 + "==")


def test_a_signature_has_one_spelling(identities: Identities) -> None:
    ann = identities.new("ann", PASSPHRASE)
    signature = ann.sign("text")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(signature[-3]) ^ 1]
    same_bytes = f"{signature[:-3]}{last}=="
    assert base64.b64decode(same_bytes) == base64.b64decode(signature)
    assert is_signed(ann.public_key, "text", signature) and not is_signed(ann.public_key, "text", same_bytes)


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "auditkit.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "demo"


def test_the_printed_lines_are_valid_in_approvers_toml(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_PASSPHRASE", WORDS)
    made = auditkit("identity", "new", "Ann O'Neil")
    assert (made.code, made.err) == (0, "") and f"listed in {home / 'approvers.toml'} may sign plans" in made.out
    assert WORDS not in made.out
    block = made.out[made.out.index("[[approver]]") :].partition("\n\n")[0]
    (home / "approvers.toml").touch(0o600)
    (home / "approvers.toml").write_text(block)
    (ann,) = read_approvers(home / "approvers.toml")
    assert (ann.name, ann.max_objects, ann.max_money, ann.may_override, ann.demo) == ("Ann O'Neil", 0, 0, False, True)
    assert Identities(home / "identities").open("Ann O'Neil", PASSPHRASE).public_key == ann.public_key


def test_the_lines_for_an_account_do_not_mention_the_demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = {"AIMSIO_URL": "http://localhost:1", "JOBNIMBUS_URL": "http://localhost:1"}
    account |= {"AIMSIO_USERNAME": "clerk", "AIMSIO_PASSWORD": "password", "JOBNIMBUS_TOKEN": "token"}
    for name, value in {**account, "PASSPHRASE": WORDS}.items():
        monkeypatch.setenv(f"AUDITKIT_{name}", value)
    made = auditkit("identity", "new", "ann")
    assert made.code == 0 and "[[approver]]" in made.out and "demo" not in made.out


def test_a_key_in_the_keyring_is_listed_as_such(
    home: Path, monkeypatch: pytest.MonkeyPatch, kept: dict[tuple[str, str], str]
) -> None:
    monkeypatch.setenv("AUDITKIT_PASSPHRASE", WORDS)
    assert "in the system's keyring" in auditkit("identity", "new", "ann", "--keyring").out
    (row,) = json.loads(auditkit("identity", "list", "--json").out)
    assert row["private_key"] == "keyring" and len(kept) == 1


def test_taken_and_invalid_names_are_refused_before_the_passphrase_prompt(home: Path) -> None:
    Identities(home / "identities").new("ann", PASSPHRASE)
    assert_refused(auditkit("identity", "new", "ANN"), "an identity of this name already exists")
    assert_refused(auditkit("identity", "new", "../ann"), "is not a name for an identity")


def test_the_list_shows_who_is_listed_with_which_limits(home: Path) -> None:
    assert f"There are no identities in {home / 'identities'}" in auditkit("identity", "list").out
    identities = Identities(home / "identities")
    keys = {name: identities.new(name, PASSPHRASE).public_key for name in ("ann", "bob", "cas")}
    entry = '[[approver]]\nname = "{}"\npublic_key = "{}"\nmax_objects = 1234\nmax_money = "5000.00"\n'
    (home / "approvers.toml").touch(0o600)
    (home / "approvers.toml").write_text(entry.format("Ann", keys["ann"]) + entry.format("bob", "A" * 43 + "="))
    rows = json.loads(auditkit("identity", "list", "--json").out)
    limits = [(row["name"], row["listed"], row["max_objects"], row["max_money"], row["may_override"]) for row in rows]
    assert limits == [
        ("ann", "yes", 1234, "5000.00", False),
        ("bob", "with another key", None, None, None),
        ("cas", "no", None, None, None),
    ]
    assert {row["name"]: row["public_key"] for row in rows} == keys
    out = auditkit("identity", "list").out
    assert "1,234" in out and "5,000.00" in out and "nan" not in out.lower() and keys["cas"] in out


def test_the_command_refuses_a_wrong_list_of_approvers(home: Path) -> None:
    Identities(home / "identities").new("ann", PASSPHRASE)
    (home / "approvers.toml").touch(0o600)
    (home / "approvers.toml").write_text("[[approver]]\nnam = 'ann'\n")
    assert_refused(auditkit("identity", "list"), "approvers.toml: approver 1: unknown key 'nam'")


AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def typed(*lines: str, home: Path) -> tuple[int, str]:
    """Exit code and screen of `identity new ann` at a terminal at which these lines are typed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", AT_A_TERMINAL, PROGRAM, "identity", "new", "ann"]
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(command, cwd=home.parents[1], start_new_session=True, **streams) as ran:
        os.close(theirs)
        screen, waiting = b"", list(lines)
        while select.select([ours], [], [], 30)[0]:
            try:
                screen += os.read(ours, 1000)
            except OSError:  # the other end is closed
                break
            if waiting and screen.endswith(b": "):
                os.write(ours, waiting.pop(0).encode())
        else:
            ran.kill()
        os.close(ours)
        return ran.wait(), screen.decode()


def test_a_passphrase_is_typed_twice_without_echo(home: Path) -> None:
    code, screen = typed(f"{WORDS}\n", f"{WORDS}\n", home=home)
    assert code == 0 and "[[approver]]" in screen and WORDS not in screen
    assert Identities(home / "identities").open("ann", PASSPHRASE)


@pytest.mark.parametrize("end", ["\x03", "\x04"], ids=["Ctrl-C", "end of input"])
def test_interrupting_the_passphrase_prompt_creates_nothing(end: str, home: Path) -> None:
    code, screen = typed(end, home=home)
    assert code == 2 and "no passphrase was given, so nothing was done" in screen
    assert not home.exists()


def test_without_a_terminal_the_passphrase_must_be_set(home: Path) -> None:
    with started("identity", "new", "ann") as ran:
        out, err = ran.communicate(timeout=30)
    assert (ran.returncode, out) == (2, "")
    assert err == "auditkit: there is no terminal to ask for the passphrase at; set AUDITKIT_PASSPHRASE\n"
