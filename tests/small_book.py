"""A small book that is really built, for the tests of what the pages can do."""

import re
from io import StringIO
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

ROOT = Path(__file__).resolve().parents[1]


class SmallBook:
    """One page, ``index``, with a living figure (``extension``), beside copies of some pages of the book and of its package."""

    def __init__(self, folder, extension, pages):
        self.folder, self.extension = folder, extension
        for name in pages:
            self.write(f"book/{name}.md", (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8"))
        for path in (ROOT / "code" / "fumoto").rglob("*.py"):
            self.write(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        self.write(f"book/_static/{extension}.js", "// the front end\n")
        self.write("book/other.md", "# Other\n")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def read(self, name):
        return (self.folder / name).read_text(encoding="utf-8")

    def edit(self, page, old, new):
        text = self.read(f"book/{page}.md")
        assert old in text
        self.write(f"book/{page}.md", text.replace(old, new))

    def build(self, **more):
        """Build; what was said, line by line, and the names of the pages that were read."""
        said, read_pages = StringIO(), []
        settings = {
            "extensions": ["myst_parser", "sphinx.ext.mathjax", f"living.{self.extension}"],
            "myst_enable_extensions": ["dollarmath"],
            "exclude_patterns": ["0*"],
            "html_static_path": ["_static"],
            **more,
        }
        source, html, doctrees = (self.folder / name for name in ("book", "build/html", "build/doctrees"))
        with docutils_namespace():
            app = Sphinx(
                source, None, html, doctrees, "html", confoverrides=settings, status=None, warning=said
            )
            app.connect("source-read", lambda app, docname, source: read_pages.append(docname))
            app.build()
        lines = re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).splitlines()
        return [line for line in lines if line and "toctree" not in line], read_pages

    def html(self, name="index"):
        return self.read(f"build/html/{name}.html")
