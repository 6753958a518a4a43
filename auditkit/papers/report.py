"""Run a notebook on the newest snapshot and write it as one HTML file. The same snapshot gives the same bytes.

Not here: what a notebook shows, and how the page is made (`report_page.py`). Importing this needs the extra
`notebooks`.
"""

import ast
import atexit
import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import ValidationError
from nbformat.reader import NotJSONError
from papermill.exceptions import PapermillException
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from auditkit.errors import AuditkitError, SettingsError
from auditkit.files import write_whole
from auditkit.papers.facts import ReportHeader
from auditkit.papers.notebook_files import find_notebook, shipped_notebooks
from auditkit.progress import progress
from auditkit.settings import PREFIX, Settings

__all__ = ["publish"]

_CELL_SECONDS = 600
_KERNEL = "python3"
_JUPYTER_FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
# What nbformat, papermill and Python's parser raise for a file that is not a notebook of Python.
_BROKEN = (NotJSONError, ValidationError, PapermillException, SyntaxError, ValueError, TypeError, AttributeError)


class _Kernel(AsyncKernelManager):
    """A kernel of the interpreter that runs auditkit, whatever kernels Jupyter knows on this machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="auditkit", language="python")


def publish(settings: Settings, notebook: str, *, front: ReportHeader, parameters: Mapping[str, Any]) -> Path:
    """Run a notebook and return the path of its HTML below the home's `reports/`.

    `parameters` go to the notebook's first code cell; a `period` is part of the file's name. Raises `SettingsError` if
    there is no such notebook, and `AuditkitError` with the error of a cell that fails.
    """
    source = find_notebook(notebook)
    loaded = _load(source, parameters, is_demo=front.facts.is_demo)
    name = f"{notebook}-{parameters['period']}" if parameters.get("period") else notebook
    with _private_jupyter() as folder:
        from auditkit.papers.report_page import page  # noqa: PLC0415  nbconvert looks for its folders when imported

        executed = _execute(loaded, source, folder, _environment(settings, is_demo=front.facts.is_demo))
        text = page(executed, name=name, front=front)
    path = settings.folder / "reports" / f"{name}.html"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise AuditkitError(f"{path}: {error.strerror}; the report before is unchanged") from None
    return path


@contextlib.contextmanager
def _private_jupyter() -> Iterator[Path]:
    """An empty folder in place of those of Jupyter and IPython, whose templates and start-up files could change a page.

    It also serves a user without a home folder.
    """
    with tempfile.TemporaryDirectory(prefix="auditkit-report-") as folder:
        before = {name: os.environ.get(name) for name in _JUPYTER_FOLDERS}
        os.environ.update(dict.fromkeys(_JUPYTER_FOLDERS, folder))
        try:
            yield Path(folder)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _load(source: Path, parameters: Mapping[str, Any], *, is_demo: bool) -> Any:  # noqa: ANN401  a notebook node
    """The notebook with its parameters. Refuses parameters that it does not declare, and practice on an account."""
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of a notebook without parameters
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
        raise SettingsError(f"{source.name}: its first cell has no parameter {', '.join(unknown)}; leave it out")
    if practice and not is_demo:
        raise SettingsError(
            f"{source.name}: practices on demo data, so it is no report on an account; run it in Jupyter"
        )
    return notebook


def _assigned(cell: Any) -> Iterator[str]:  # noqa: ANN401  a notebook node
    """The names that a cell assigns."""
    for node in ast.parse(cell.source).body:
        for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
            if isinstance(target, ast.Name):
                yield target.id


def _execute(notebook: Any, source: Path, private: Path, environment: Mapping[str, str]) -> Any:  # noqa: ANN401  a notebook node
    """The notebook after its run on the newest snapshot of this home. No vendor is called, and no bars are shown."""
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # papermill gives its own cell a random one, which would be in the page
    client = NotebookClient(
        notebook,
        km=_Kernel(connection_file=str(private / "kernel.json")),
        timeout=_CELL_SECONDS,
        kernel_name=_KERNEL,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(_folder(source))}},
    )
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    try:
        with progress(f"Running {source.name}", cells, "cell") as advance:
            client.on_cell_executed = lambda **_: advance(1)
            client.execute(env=environment, cleanup_kc=True)
    except CellExecutionError as error:
        raise AuditkitError(
            f"{source.name}: a cell failed with {error.ename}: {' '.join(error.evalue.split())}"
        ) from None
    except CellTimeoutError:
        raise AuditkitError(
            f"{source.name}: a cell ran longer than {_CELL_SECONDS:,} seconds; run it in Jupyter"
        ) from None
    except (DeadKernelError, RuntimeError) as error:  # the second is raised if no kernel could be started
        raise AuditkitError(f"{source.name}: the kernel stopped ({' '.join(str(error).split())})") from None
    finally:
        atexit.unregister(client._cleanup_kernel)  # else it fails at exit, with a traceback, after a kernel died
    return notebook


def _folder(source: Path) -> Path:
    """Where the kernel runs: beside a notebook of the project; for a shipped one here, where the settings are."""
    return Path.cwd() if source.parent == shipped_notebooks() else source.parent


def _environment(settings: Settings, *, is_demo: bool) -> dict[str, str]:
    """The kernel's environment: ours with the settings as they are now; on the demo, no account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not (is_demo and name.startswith((f"{PREFIX}AIMSIO_", f"{PREFIX}JOBNIMBUS_")))
    }
    demo = {f"{PREFIX}DEMO": "1"} if is_demo else {}
    return {**kept, **settings.variables(), **demo, f"{PREFIX}QUIET": "1"}
