"""`python -m docs.generator`: write the generated pages into `docs/`."""

from pathlib import Path

from docs.generator.pages import pages

if __name__ == "__main__":
    root = Path(__file__).parents[2]
    for name, text in pages(root).items():
        (root / "docs" / name).write_text(text, "utf-8")
