"""TOML files that people edit, too: what changes, what is kept; a file is written whole or not at all."""

import stat
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.files import write_whole
from auditkit.toml_edit import quoted, with_values

VALUES = {"timezone": "America/Edmonton", "identity": "ann"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'timezone = "America/Edmonton"\nidentity = "ann"\n'),
        ('identity = "ann"\n', 'identity = "ann"\ntimezone = "America/Edmonton"\n'),
        (
            "# ours\n timezone  = 'UTC' # was \"x\"\nsurge = 5\n",
            '# ours\ntimezone = "America/Edmonton" # was "x"\nsurge = 5\nidentity = "ann"\n',
        ),
        (
            'surge = 5\n\n# thresholds\n[rules.nrb-unbilled]\ntimezone = "kept"\n',
            'surge = 5\n\ntimezone = "America/Edmonton"\nidentity = "ann"\n\n# thresholds\n[rules.nrb-unbilled]\n'
            'timezone = "kept"\n',
        ),
        ("surge = 5", 'surge = 5\ntimezone = "America/Edmonton"\nidentity = "ann"\n'),
        ("surge = 5\r\n", 'surge = 5\r\ntimezone = "America/Edmonton"\r\nidentity = "ann"\r\n'),
        (
            'identity = "a \\" b"\ntimezone = \'UTC\'\n',
            'identity = "ann"\ntimezone = "America/Edmonton"\n',
        ),
        (
            'allow_hosts = [\n  "a.example",\n]\n',
            'allow_hosts = [\n  "a.example",\n]\ntimezone = "America/Edmonton"\nidentity = "ann"\n',
        ),
    ],
    ids=["none", "one is there", "comments", "before tables", "no last end", "CRLF", "escapes", "a list on lines"],
)
def test_values_are_set_and_everything_else_is_kept(before: str, after: str) -> None:
    assert with_values(before, VALUES) == after
    assert tomllib.loads(after) == {**tomllib.loads(before), **VALUES}
    assert with_values(after, VALUES) == after


@pytest.mark.parametrize(
    "text",
    [
        '"timezone" = "UTC"\n',
        "timezone = 5\n",
        'timezone = """\nUTC"""\n',
        "[timezone]\na = 1\n",
        'note = """\ntimezone = "in a text"\n"""\n',
        'note = """\n[in a text]\n"""\n',
    ],
    ids=["quoted key", "number", "text on lines", "table", "inside a text", "no table"],
)
def test_a_text_that_cannot_be_edited_safely(text: str) -> None:
    assert with_values(text, VALUES) is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert tomllib.loads(f"{quoted(text)} = {quoted(text)}") == {text: text}
    assert "\n" not in quoted(text)


def test_a_file_is_replaced_whole_with_its_mode(tmp_path) -> None:
    path = tmp_path / "auditkit.toml"
    write_whole(path, "a = 1\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_whole(path, "a = 2\n", 0o640)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("a = 2\n", 0o640)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "folder", "a = 3\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["auditkit.toml", "folder"]
