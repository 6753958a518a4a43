"""approvers.toml: what an entry is, and that anything else is refused in one line with the file's name."""

from decimal import Decimal
from pathlib import Path

import pytest

from auditkit.corrections.approvers import Approver, read_approvers
from auditkit.errors import SettingsError

KEY, OTHER = "A" * 43 + "=", "B" * 42 + "A="
ANN = f'[[approver]]\nname = "ann"\npublic_key = "{KEY}"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "approvers.toml"
    made.touch(0o600)
    return made


def refused(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read_approvers(path)
    message = str(caught.value)
    assert message.isprintable() and message.startswith(str(path))
    return message


def test_an_entry_and_its_defaults(path: Path) -> None:
    limits = 'max_objects = 25\nmax_money = "5000.5"\nmay_override = true\ndemo = true\n'
    path.write_text(f'{ANN}[[approver]]\nname = " Zoë  Lee "\npublic_key = "{OTHER}"\n{limits}', encoding="utf-8")
    assert read_approvers(path) == (
        Approver("ann", KEY, 0, Decimal(0), may_override=False, demo=False),
        Approver("Zoë Lee", OTHER, 25, Decimal("5000.50"), may_override=True, demo=True),
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("max_object = 1", "unknown key 'max_object'; an entry has name, public_key, max_objects, max_money, may_"),
        ('"\\u202e" = 1', "unknown key '\\u202e'"),
        *((f"max_objects = {value}", "max_objects must be a whole number") for value in ("-1", "1.0", "true", '"5"')),
        ("max_objects = 0xffffffffffff", "max_objects must be a whole number"),
        *(
            (
                f"max_money = {value}",
                'max_money must be money from 0 as text, with at most two decimals, e.g. "5000.00"',
            )
            for value in (
                "5000",
                "5000.00",
                "true",
                '"-1"',
                '"1.005"',
                '"1e3"',
                '"NaN"',
                '"1,000"',
                '"٣"',
                '" 1"',
                '""',
            )
        ),
        *(
            (f"{flag} = {value}", f"{flag} must be true or false")
            for flag in ("may_override", "demo")
            for value in ("1", '"yes"')
        ),
    ],
)
def test_a_wrong_entry_is_refused(line: str, words: str, path: Path) -> None:
    path.write_text(f"{ANN}{line}\n")
    assert f"{path}: approver 1: {words}" in refused(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[[approver]]\npublic_key = "{KEY}"\n', "approver 1: name is missing; write a person's name as text"),
        (
            '[[approver]]\nname = "ann"\n',
            "approver 1: public_key is missing; write the public key that `auditkit identity",
        ),
        (f'[[approver]]\nname = 5\npublic_key = "{KEY}"\n', "approver 1: name must be a person's name as text"),
        (
            f'[[approver]]\nname = "../ann"\npublic_key = "{KEY}"\n',
            "approver 1: '../ann' is not a name for an identity",
        ),
        ('[[approver]]\nname = "ann"\npublic_key = "ann"\n', "approver 1: public_key must be the public key that"),
        ('[[approver]]\nname = "ann"\npublic_key = 5\n', "approver 1: public_key must be"),
        (f'{ANN}[[approver]]\nname = " ANN"\npublic_key = "{OTHER}"\n', "ANN is listed twice"),
        (f'[[approver]]\nname = "ＡＮＮ"\npublic_key = "{OTHER}"\n', "FULLWIDTH LATIN CAPITAL LETTER A"),
        (f'{ANN}[[approver]]\nname = "bob"\npublic_key = "{KEY}"\n', "ann and bob have one key"),
        ("", "must hold [[approver]] entries and nothing else"),
        ("approver = 5", "must hold [[approver]] entries and nothing else"),
        ("approver = [5]", "approver 1: is not an entry"),
        (f"{ANN}[[aprover]]\n", "must hold [[approver]] entries and nothing else"),
        ("[approver]\nname = 'ann'\n", "must hold [[approver]] entries and nothing else"),
        ("[[approver]\n", "not TOML ("),
        (f'{ANN}name = "bob"\n', "not TOML ("),
        ("max_objects = " + "9" * 5000, "not TOML ("),
        ("x = " + "[" * 100_000, "not TOML ("),
    ],
    ids=range(18),
)
def test_a_wrong_file_is_refused(text: str, words: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    assert words in refused(path)


def test_a_binary_file_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    assert "not TOML (" in refused(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path / "approvers.toml")
    assert "is missing, so nobody may sign; list each person as `auditkit identity new` prints it" in message


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (Is a directory)" in refused(tmp_path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
def test_a_file_that_others_may_write_is_refused(mode: int, path: Path) -> None:
    path.write_text(ANN)
    path.chmod(mode)
    assert "others may write it and list anybody; check it, then chmod 600 it" in refused(path)
    path.chmod(0o644)  # others may read it
    assert [each.name for each in read_approvers(path)] == ["ann"]
