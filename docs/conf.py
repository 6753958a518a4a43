"""How the pages of this folder become a site: `make site`. Everything in it is local, so that it opens offline.

Not here: the content of the pages. `make docs` writes the generated ones.
"""

from sphinx.application import Sphinx

project = "auditkit"
extensions = ["myst_parser"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = "auditkit"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False

# The order of the pages is here, because the pages are plain Markdown, which a code host shows as well.
_PARTS = {
    "Begin": ("accounts", "month-end", "scheduling", "sampling"),
    "Look up": ("commands", "python", "tables", "rules"),
    "Rely on it": ("completeness", "linking", "corrections", "workpaper", "security"),
}


def _with_contents(_: Sphinx, page: str, text: list[str]) -> None:
    """Add the contents of the site to its first page."""
    if page == "index":
        for caption, pages in _PARTS.items():
            text[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", *pages, "```", ""])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _with_contents)
