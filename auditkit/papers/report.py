"""Publish: run a notebook on the newest snapshot and write it as one HTML file. The same snapshot, the same bytes.

Not here: what a notebook shows, and how the page is made (page).
"""

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import ValidationError
from nbformat.reader import NotJSONError
from papermill.exceptions import PapermillException
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from auditkit.errors import AuditkitError, SettingsError
from auditkit.files import write_whole
from auditkit.papers.report_page import ReportHeader, page
from auditkit.progress import progress
from auditkit.settings import PREFIX, Settings, project_root

__all__ = ["publish"]

_CELL_SECONDS = 600
_KERNEL = "python3"
# What nbformat, papermill and the parser of Python say of a file that is no notebook of Python.
_BROKEN = (NotJSONError, ValidationError, PapermillException, SyntaxError, ValueError, TypeError, AttributeError)


def publish(settings: Settings, notebook: str, *, front: ReportHeader, parameters: Mapping[str, Any]) -> Path:
    """Run `notebooks/<notebook>.ipynb` and return the path of its HTML below the home's `reports/`.

    `parameters` are those of the notebook's first code cell; `period` is part of the file's name. Raises
    `SettingsError` when there is no such notebook, `AuditkitError` with the failing cell's error. Importing this module
    needs the extra `notebooks`.
    """
    source = _find(notebook)
    loaded = _load(source, parameters, is_demo=front.facts.is_demo)
    name = f"{notebook}-{parameters['period']}" if parameters.get("period") else notebook
    text = page(_execute(loaded, source, settings, is_demo=front.facts.is_demo), name=name, front=front)
    path = settings.folder / "reports" / f"{name}.html"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise AuditkitError(f"{path}: {error.strerror}; the report before is unchanged") from None
    return path


def _find(notebook: str) -> Path:
    """The notebook of the project that one stands in, else ours, which lie beside the package."""
    if Path(notebook).name != notebook:
        raise SettingsError(f"--notebook {notebook}: give the name of one in notebooks/, without folder and ending")
    folders = [project_root(Path.cwd()) / "notebooks", Path(__file__).parents[2] / "notebooks"]
    for folder in folders:
        if (path := folder / f"{notebook}.ipynb").is_file():
            return path
    names = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    raise SettingsError(f"{folders[0] / notebook}.ipynb: no such notebook (there are: {', '.join(names) or 'none'})")


def _load(source: Path, parameters: Mapping[str, Any], *, is_demo: bool) -> Any:  # noqa: ANN401  a notebook node
    """The notebook with its parameters. Those that it does not know, and practice on an account, are refused."""
    try:
        notebook = load_notebook_node(str(source))
        declared = {name for cell in notebook.cells if "parameters" in cell.metadata.tags for name in _assigned(cell)}
        unknown = sorted(set(parameters) - declared)
        practice = bool(notebook.metadata.get("auditkit", {}).get("practice"))
        given = {"refresh": False, **parameters}
        notebook = parameterize_notebook(notebook, given, kernel_name=_KERNEL, language="python")
    except (*_BROKEN, OSError) as error:
        raise AuditkitError(f"{source}: not a notebook ({str(error).splitlines()[0]})") from None
    if unknown:
        raise SettingsError(f"{source.name}: its first cell knows no {', '.join(unknown)}; leave that away")
    if practice and not is_demo:
        raise SettingsError(f"{source.name}: is practice on demo data, no report on an account; see it in `make lab`")
    return notebook


def _assigned(cell: Any) -> Iterator[str]:  # noqa: ANN401  a notebook node
    """The names to which a cell gives a value."""
    for node in ast.parse(cell.source).body:
        for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
            if isinstance(target, ast.Name):
                yield target.id


def _execute(notebook: Any, source: Path, settings: Settings, *, is_demo: bool) -> Any:  # noqa: ANN401  a notebook node
    """The notebook, run on the newest snapshot of this home; no vendor is asked, and it shows no bars."""
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # papermill gives its own cell a random one, which would be in the page
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name=_KERNEL,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(source.parent)}},
    )
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    try:
        with progress(f"Running {source.name}", cells, "cell") as advance:
            client.on_cell_executed = lambda **_: advance(1)
            client.execute(env=_environment(settings, is_demo=is_demo))
    except CellExecutionError as error:
        raise AuditkitError(
            f"{source.name}: a cell failed with {error.ename}: {' '.join(error.evalue.split())}"
        ) from None
    except CellTimeoutError:
        raise AuditkitError(
            f"{source.name}: a cell ran longer than {_CELL_SECONDS:,} seconds; run it in `make lab`"
        ) from None
    except DeadKernelError as error:
        raise AuditkitError(f"{source.name}: the kernel stopped ({' '.join(str(error).split())})") from None
    return notebook


def _environment(settings: Settings, *, is_demo: bool) -> dict[str, str]:
    """Ours, for the kernel: the same home, no bars; on the demo no account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (is_demo and name.startswith((f"{PREFIX}AIMSIO_", f"{PREFIX}JOBNIMBUS_")))
    }
    demo = {f"{PREFIX}DEMO": "1"} if is_demo else {}
    return {**kept, **demo, f"{PREFIX}HOME": str(settings.folder), f"{PREFIX}QUIET": "1"}
