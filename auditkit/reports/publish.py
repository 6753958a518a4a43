"""Publish: run a notebook on the newest snapshot and write it as one HTML file. The same snapshot, the same bytes.

Not here: what a notebook shows, and how the page is made (page).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import ValidationError
from nbformat.reader import NotJSONError
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from auditkit.config import PREFIX, Settings, project_root
from auditkit.errors import AuditkitError, SettingsError
from auditkit.private_files import write_whole
from auditkit.progress import progress
from auditkit.reports.page import Front, page

__all__ = ["publish"]

_CELL_SECONDS = 600


def publish(settings: Settings, notebook: str, *, front: Front, parameters: Mapping[str, Any]) -> Path:
    """Run `notebooks/<notebook>.ipynb` and return the path of its HTML below the home's `reports/`.

    `parameters` are those of the notebook's first code cell; `period` is part of the file's name. Raises
    `SettingsError` when there is no such notebook, `AuditkitError` with the failing cell's error. Importing this module
    needs the extra `notebooks`.
    """
    source = _found(notebook)
    name = f"{notebook}-{parameters['period']}" if parameters.get("period") else notebook
    text = page(_executed(source, settings, parameters, is_demo=front.facts.is_demo), name=name, front=front)
    path = settings.folder / "reports" / f"{name}.html"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise AuditkitError(f"{path}: {error.strerror}; the report before is unchanged") from None
    return path


def _found(notebook: str) -> Path:
    """The notebook of the project that one stands in, else ours, which lie beside the package."""
    folders = [project_root(Path.cwd()) / "notebooks", Path(__file__).parents[2] / "notebooks"]
    for folder in folders:
        if (path := folder / f"{notebook}.ipynb").is_file():
            return path
    names = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    raise SettingsError(f"{folders[0] / notebook}.ipynb: no such notebook (there are: {', '.join(names) or 'none'})")


def _executed(source: Path, settings: Settings, parameters: Mapping[str, Any], *, is_demo: bool) -> Any:  # noqa: ANN401  a notebook node
    """The notebook, run without progress bars on the newest snapshot of this home; no vendor is asked."""
    try:
        notebook = parameterize_notebook(load_notebook_node(str(source)), {"refresh": False, **parameters})
    except (NotJSONError, ValidationError, OSError) as error:
        raise AuditkitError(f"{source}: not a notebook ({str(error).splitlines()[0]})") from None
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # papermill gives its own cell a random one, which would be in the page
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
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
    except (DeadKernelError, CellTimeoutError) as error:
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
