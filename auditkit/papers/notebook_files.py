"""Where notebooks are: those of the current project, and the six that auditkit ships.

Not here: running one (`report.py`), and what `%load_ext auditkit` does in one (`notebook.py`).
"""

from pathlib import Path

from auditkit.errors import SettingsError
from auditkit.files import write_whole
from auditkit.settings import project_root

__all__ = ["FOLDER", "copy_notebooks", "find_notebook", "shipped_notebooks"]

FOLDER = "notebooks"
_PACKAGE = Path(__file__).parents[1]


def shipped_notebooks() -> Path:
    """The folder of the six: inside an installed package, beside the package in a checkout."""
    inside = _PACKAGE / FOLDER
    return inside if inside.is_dir() else _PACKAGE.parent / FOLDER


def find_notebook(name: str) -> Path:
    """The path of a notebook, given without folder and ending; one in the project comes before a shipped one.

    Raises `SettingsError`, with the names that exist.
    """
    if Path(name).name != name:
        raise SettingsError(f"--notebook {name}: give the name of one in {FOLDER}/, without folder and ending")
    folders = [project_root(Path.cwd()) / FOLDER, shipped_notebooks()]
    for folder in folders:
        if (path := folder / f"{name}.ipynb").is_file():
            return path
    names = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    raise SettingsError(f"{folders[0] / name}.ipynb: no such notebook (there are: {', '.join(names) or 'none'})")


def copy_notebooks(folder: Path) -> dict[Path, bool]:
    """Copy the six into a folder, which is made. Path → whether it was written: an existing file is kept as it is.

    Raises `OSError`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copied = {}
    for source in sorted(shipped_notebooks().glob("*.ipynb")):
        target = folder / source.name
        copied[target] = not target.exists()
        if copied[target]:
            write_whole(target, source.read_text("utf-8"), 0o644)
    return copied
