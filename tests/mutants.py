"""Do the tests fail when a line of a module is changed? Run by `make mutants`.

mutmut makes every small change it knows (a mutant) to one module at a time and runs that module's own tests on each. A
module passes when they cover every branch of it and at least 95 % of its mutants fail one of them. Mutants that no test
can distinguish from the original are listed here with the reason; a survivor that is not listed is printed, and so is a
line of the list that has no survivor any more.

To add a module, add a line to TARGETS. mutmut does not change what runs at import (constants, patterns, decorators,
defaults that are not literals), annotations, and calls of `len` and `isinstance`.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LEAST = 95.0


@dataclass(frozen=True)
class Target:
    """A module's own tests, and its equivalent mutants: function and new line → the reason."""

    tests: tuple[str, ...]
    same: Mapping[str, str] = field(default_factory=dict)


LETTER = "the letter's case does not change the digits"
FALSE = "None is falsy like False"
TRUE = "the lines before make the invariant true, so that its message is never raised"
PARSED = "the client has already parsed the same text, so that no error is raised here"
NO_ID = "no correction has this id, as none has the empty one"
OPERATIONS = "tests/corrections/test_operations.py"

TARGETS = {
    "auditkit.journal": Target(
        ("tests/test_journal.py",),
        {
            '_lock: holder = file.read().decode("LATIN-1").strip() or "?"': LETTER,
            "Journal.__init__: self._write_failed = None": FALSE,
            'canonical: text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=None)': FALSE,
        },
    ),
    "auditkit.values": Target(
        ("tests/test_values.py",),
        {'_number: text = format(value, "F") if isinstance(value, Decimal) else str(value)': LETTER},
    ),
    "auditkit.corrections.approval": Target(
        ("tests/corrections/test_approval.py",),
        {'approve: "money": format(plan.money, "F"),': LETTER},
    ),
    "auditkit.corrections.signatures": Target(("tests/corrections/test_approval.py",)),
    "auditkit.corrections.verdicts": Target(("tests/corrections/test_verdicts.py",)),
    "auditkit.corrections.apply": Target(
        (
            "tests/corrections/test_apply.py",
            "tests/corrections/test_invariants.py",
            "tests/corrections/test_recorder.py",
            "tests/corrections/test_recovery.py",
            f"{OPERATIONS}::test_an_unexpected_amount_is_a_side_effect",
            f"{OPERATIONS}::test_a_created_invoice_with_another_total_is_a_side_effect_that_names_it",
            f"{OPERATIONS}::test_a_creation_that_the_vendor_refuses_is_not_applied",
        ),
        {
            "apply: is_stopped = None": FALSE,
            "apply: _require(len(conclusions) == plan.objects, None)": TRUE,
            "apply: _require(len(conclusions) == plan.objects, "
            '"XXevery object has a verdict, or was not begunXX")': TRUE,
            'apply: _require(len(conclusions) == plan.objects, "EVERY OBJECT HAS A VERDICT, OR WAS NOT BEGUN")': TRUE,
            "_Run.__init__: self._may_send = None": NO_ID,
            '_Run.__init__: self._may_send = "XXXX"': NO_ID,
            "_Run.__init__: self._is_proven = None": FALSE,
            "_Run.__init__: self._is_denied = None": FALSE,
            '_Run._pre_read: self._may_send = "XXXX" if conclusion else correction.id': NO_ID,
            '_Run._send: self._may_send, self._is_proven = "XXXX", False': NO_ID,
            "_Run._obstacle: found = parse(text, None)": PARSED,
            "_Run._verify_once: found = parse(self._read(change, ids[0]), None) if len(ids) == 1 else None": PARSED,
            "_Run._send: _require(correction.sends == attempt, None)": TRUE,
            '_Run._send: _require(correction.sends == attempt, "XXno request leaves before its recordXX")': TRUE,
            '_Run._send: _require(correction.sends == attempt, "NO REQUEST LEAVES BEFORE ITS RECORD")': TRUE,
        },
    ),
    "auditkit.corrections.recorder": Target(
        ("tests/corrections/test_apply.py", "tests/corrections/test_recorder.py", "tests/corrections/test_recovery.py"),
        {'Recorder.record: "version": version("AUDITKIT"),': "the names of packages are compared without their case"},
    ),
}


@dataclass(frozen=True)
class Outcome:
    """The fate of a module's mutants, and the output of its tests where a branch was not covered."""

    mutants: int
    killed: int
    survived: Mapping[str, str]
    same: frozenset[str]
    uncovered: str

    @property
    def score(self) -> float:
        """Killed mutants, in percent of those that are not equivalent."""
        return 100 * self.killed / (self.mutants - len(self.same))


def undecorated(source: str) -> str:
    """The same module with each decorator of a function applied at its end: mutmut changes no decorated function."""
    module, lines = ast.parse(source), source.splitlines()
    holders = [("", module.body), *((f"{n.name}.", n.body) for n in module.body if isinstance(n, ast.ClassDef))]
    for prefix, body in holders:
        for function in [node for node in body if isinstance(node, ast.FunctionDef)]:
            for decorator in reversed(function.decorator_list):
                first, last = decorator.lineno - 1, decorator.end_lineno or decorator.lineno
                lines[first:last] = [""] * (last - first)
                name = prefix + function.name
                lines.append(f"{name} = {ast.unparse(decorator)}({name})")
    return "\n".join(lines) + "\n"


def work_folder(module: str, target: Target) -> Path:
    """A copy of what mutmut and the tests of a module need, under build/, which no other tool looks into."""
    folder = ROOT / "build" / "mutants" / module
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mutants").mkdir(parents=True)  # Python ignores a folder of its path that is missing at its start
    for name in ("auditkit", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    path = folder / f"{module.replace('.', '/')}.py"
    path.write_text(undecorated(path.read_text("utf-8")), "utf-8")
    settings = {
        "source_paths": ["auditkit"],
        "only_mutate": [str(path.relative_to(folder))],
        "pytest_add_cli_args_test_selection": target.tests,
        "pytest_add_cli_args": ["--hypothesis-profile=ci", "-pno:cacheprovider"],  # the same examples for each mutant
    }
    lines = [f"{name} =\n    " + "\n    ".join(values) for name, values in settings.items()]
    (folder / "setup.cfg").write_text("[mutmut]\n" + "\n".join(lines) + "\n", "utf-8")
    return folder


def run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment in a work folder; processes that tests start import the mutants too."""
    settings = {**os.environ, "PYTHONPATH": str(folder / "mutants")}
    return subprocess.run(
        [BIN / command[0], *command[1:]], cwd=folder, env=settings, capture_output=True, text=True, check=check
    )


def uncovered(module: str, target: Target) -> str:
    """Empty, or the report of the module's own tests where they do not cover a branch."""
    report = ("--cov-branch", "--cov-report=term-missing", "--cov-fail-under=100")
    command = ("-p", "no:cacheprovider", *target.tests, f"--cov={module}", *report)
    ran = subprocess.run([BIN / "pytest", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout if ran.returncode else ""


def survivors(folder: Path) -> dict[str, str]:
    """Function and new line (or the line that is gone) of each mutant that no test noticed → how mutmut shows it."""
    found = {}
    for line in run(folder, "mutmut", "results").stdout.splitlines():
        mutant = line.rpartition(":")[0].strip()
        shown = run(folder, "mutmut", "show", mutant).stdout
        changes = [row for row in shown.splitlines() if row[:1] in ("+", "-") and row[:3] not in ("+++", "---")]
        new = [row[1:].strip() for row in changes if row[0] == "+"] or [
            "without",
            *(row[1:].strip() for row in changes),
        ]
        function = mutant.rpartition("__mutmut_")[0].rpartition(".")[2].removeprefix("x_").removeprefix("xǁ")
        found[f"{function.replace('ǁ', '.')}: {' '.join(new)}"] = shown
    return found


def outcome(module: str, target: Target) -> Outcome:
    """Mutate a module and count."""
    folder = work_folder(module, target)
    # Named, so that mutmut first runs the tests by their ids: an id that pytest cannot find would "kill" every mutant.
    ran = run(folder, "mutmut", "run", f"{module}.*", check=False)
    if ran.returncode:
        said = [line for line in f"{ran.stdout}\n{ran.stderr}".splitlines() if "Running" not in line][-20:]
        sys.exit("\n".join([*said, f"{module}: mutmut stopped; a test fails, or has an id with a backslash in it"]))
    run(folder, "mutmut", "export-cicd-stats")
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text("utf-8"))
    alive = survivors(folder)
    same = frozenset(target.same) & alive.keys()
    survived = {name: shown for name, shown in alive.items() if name not in same}
    return Outcome(counts["total"], counts["killed"] + counts["timeout"], survived, same, uncovered(module, target))


def holds(module: str, target: Target) -> bool:
    """Print the result for a module and what to do about it; returns whether it passes."""
    start = time.monotonic()
    found = outcome(module, target)
    print(
        f"{module}: {found.mutants} mutants, {found.killed} killed, {len(found.survived)} survived, "
        f"{len(found.same)} mean the same: {found.score:.1f} %, {time.monotonic() - start:.0f} s",
        flush=True,
    )
    stale = target.same.keys() - found.same
    for shown in [*found.survived.values(), *(f"no survivor any more: {name}" for name in stale), found.uncovered]:
        print(shown, end="\n" if shown else "")
    return found.score >= LEAST and not stale and not found.uncovered


if __name__ == "__main__":
    held = [holds(module, TARGETS[module]) for module in sys.argv[1:] or TARGETS]
    sys.exit(0 if all(held) else 1)
