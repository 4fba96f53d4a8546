"""What a reader can take home: every page as Markdown, and the pages with cells as notebooks that run."""

import ast
import json
import os
import re
import sys
import warnings

import nbformat
import pytest
from nbclient import NotebookClient

from built import BOOK, HTML, SOURCES, page, require_book
from taking_home.plain_markdown import convert, convert_around_cells

WITH_CELLS = [
    name for name in SOURCES if "```{code-cell}" in (BOOK / f"{name}.md").read_text(encoding="utf-8")
]
# These compute for minutes. The build has just executed the same cells in the same order (tested for every notebook);
# they are run a second time, as notebooks, only where FUMOTO_EVERY_NOTEBOOK=1.
LONG = ["06-comparison", "07-overfitting", "08-initial-values", "09-batchnorm", "appendix-verification"]
ROLE = re.compile(r"\{(doc|eq|numref|ref|term|cite:\w+|glue:\w+)\}`|^`{3,}\{", re.M)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (r'<p>値は <span class="math">\(x_1^*\)</span> です。</p>', "値は $x_1^*$ です。"),
        (
            '<div class="math"><span class="eqno">(3.1)<a class="headerlink" href="#x">#</a></span>'
            r"\[a_t = b * c\]</div>",
            "$$\na_t = b * c \\tag{3.1}\n$$",
        ),
        (r'<div class="math">\[a\]</div>', "$$\na\n$$"),
        ('<h2>式<a class="headerlink" href="#x">#</a></h2>', "## 式"),
        ('<p><a href="02-sgd.html#x">式 (2.1)</a></p>', "式 (2.1)"),
        ('<p><a href="https://doi.org/1">論文</a></p>', "[論文](https://doi.org/1)"),
        ("<!-- S3-a --><p>文</p><script>x</script><style>y</style>", "文"),
        (
            '<div class="warning admonition"><p class="admonition-title">題</p><p>甲</p><p>乙</p></div>',
            "> **題**\n>\n> 甲\n>\n> 乙",
        ),
        (
            '<div class="solution dropdown admonition"><p class="admonition-title">解答<a href="#x"> 練習 1</a></p>'
            "<section><p>答</p></section></div>",
            "<details><summary>解答 練習 1</summary>\n\n答\n\n</details>",
        ),
        (
            '<div class="highlight-python"><div class="highlight"><pre>a_b *= <span>1</span>\n</pre></div></div>',
            "```python\na_b *= 1\n```",
        ),
        ("<pre>```{math}\na\n```\n</pre>", "````\n```{math}\na\n```\n````"),
        ('<dl><dt>f()<a href="x"><span class="viewcode-link">[ソース]</span></a></dt></dl>', "**f()**"),
        ("<dl><dt>慣性</dt><dd><p>説明</p></dd></dl>", "**慣性**\n\n説明"),
        (
            r'<table><tr><th>a</th></tr><tr><td><span class="math">\(|x|\)</span></td></tr></table>',
            "| a |\n| --- |\n| $\\vert x\\vert $ |",
        ),
        ('<figure><img alt="道" src="_images/x.svg"/></figure>', "![道](../_images/x.svg)"),
    ],
)
def test_html_becomes_plain_markdown(html, expected):
    assert convert(html) == expected


def test_where_the_book_is_published_its_own_links_are_kept():
    url = "https://example.org/fumoto/03-momentum.html"
    assert convert('<p><a href="02-sgd.html#x">2 章</a><img alt="道" src="_images/x.svg"/></p>', url) == (
        "[2 章](https://example.org/fumoto/02-sgd.html#x)![道](https://example.org/fumoto/_images/x.svg)"
    )


def test_cells_are_parted_from_their_captions_and_from_the_text():
    html = (
        '<p>前</p><div class="cell"><div class="cell_input"><pre>f()\n</pre></div>'
        '<div class="cell_output"><figure><img alt="" src="x"/><figcaption><p>図 1 説明</p></figcaption></figure></div>'
        '</div><p>間</p><div class="cell"><div class="cell_output"><table><tr><td>1</td></tr></table></div></div><p>後</p>'
    )
    assert convert_around_cells(html) == ("前", [("f()", "図 1 説明", "間"), (None, "", "後")])


@pytest.mark.parametrize("name", SOURCES)
def test_every_page_can_be_taken_away(name):
    require_book()
    links = {link.get_text(" ", strip=True): link for link in page(name).select("details.take-away a")}
    wanted = ["ノートブック .ipynb", "Markdown .md"] if name in WITH_CELLS else ["Markdown .md"]
    assert list(links) == wanted
    assert all(
        link.has_attr("download") and (HTML / name).parent.joinpath(link["href"]).is_file()
        for link in links.values()
    )


@pytest.mark.parametrize("name", SOURCES)
def test_the_markdown_says_what_the_page_says(name):
    require_book()
    text = (HTML / "_downloads" / f"{name}.md").read_text(encoding="utf-8")
    title = page(name).select_one("article h1").find(string=True, recursive=False)
    assert re.match(rf"# (\w+\. )?{re.escape(title)}\n", text)
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.M | re.S)
    assert not ROLE.search(prose)
    assert "\ue000" not in text
    bare = re.sub(r"\s+", "", re.sub(r"[\\*`>]", "", text))
    for paragraph in page(name).select("article.bd-article p"):
        if paragraph.find(["code", "span", "a", "img", "em"]) or paragraph.find_parent("figcaption"):
            continue
        assert re.sub(r"[\s*>]", "", paragraph.get_text()) in bare, paragraph


@pytest.mark.parametrize("name", WITH_CELLS)
def test_the_notebook_has_the_cells_that_were_executed(name):
    require_book()
    written = (HTML / "_downloads" / f"{name}.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(written, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    assert [cell["id"] for cell in notebook.cells] == [f"cell-{n}" for n in range(1, len(notebook.cells) + 1)]
    first, *code = [cell["source"] for cell in notebook.cells if cell["cell_type"] == "code"]
    assert "import fumoto" in first
    assert [cell["execution_count"] for cell in executed(name)] == list(range(1, len(code) + 1))
    assert [as_on_the_page(source) for source in code] == [source.strip() for source in executed_cells(name)]
    prose = "\n".join(cell["source"] for cell in notebook.cells if cell["cell_type"] == "markdown")
    assert not ROLE.search(re.sub(r"^(`{3,}).*?^\1$", "", prose, flags=re.M | re.S))
    assert "_images/" not in written  # the cells draw them
    captions = [number.get_text() for number in page(name).select("article figcaption .caption-number")]
    assert len(captions) >= len(cells_that_draw(name))
    assert all(re.search(rf"^{caption.strip()} ", prose, re.M) for caption in captions)


def executed(name):
    """The cells of the page as the build ran them; the last one was added by the build itself."""
    [memory] = (HTML.parent / "cache" / name).glob("executed/*/base.ipynb")
    cells = json.loads(memory.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"][:-1]


def executed_cells(name):
    return ["".join(cell["source"]) for cell in executed(name)]


def cells_that_draw(name):
    """Counted where they were executed: on the page, a figure may stand for a playground elsewhere."""
    return [cell for cell in executed(name) if "figure" in cell["metadata"].get("mystnb", {})]


def as_on_the_page(source):
    """Only ``glue`` is different: in the notebook it prints."""
    return re.sub(r"def glue\(.*?\n    print\(name, value\)", "from myst_nb import glue", source, flags=re.S)


@pytest.mark.parametrize(
    "name", sorted({*WITH_CELLS} - {"appendix-verification"})
)  # it needs the tests, and says so
def test_a_notebook_needs_nothing_but_the_package(name):
    """Not the folder of the book either: no cell opens a file."""
    require_book()
    notebook = nbformat.read(HTML / "_downloads" / f"{name}.ipynb", as_version=4)
    code = ast.parse("\n".join(cell["source"] for cell in notebook.cells if cell["cell_type"] == "code"))
    imported = {alias.name for node in ast.walk(code) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(code) if isinstance(node, ast.ImportFrom)}
    roots = {module.partition(".")[0] for module in imported}
    assert roots <= {"fumoto", "numpy"} | sys.stdlib_module_names
    assert not {node.id for node in ast.walk(code) if isinstance(node, ast.Name)} & {"open", "__file__"}


@pytest.mark.build
@pytest.mark.parametrize("name", WITH_CELLS)
def test_the_notebook_runs_from_top_to_bottom(name, tmp_path):
    """In a new kernel, in an empty folder."""
    require_book()
    if name in LONG and os.environ.get("FUMOTO_EVERY_NOTEBOOK") != "1":
        pytest.skip("it computes for minutes: FUMOTO_EVERY_NOTEBOOK=1 runs it")
    notebook = nbformat.read(HTML / "_downloads" / f"{name}.ipynb", as_version=4)
    folder = BOOK if name == "appendix-verification" else tmp_path  # where its reader is told to put it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the Jupyter libraries
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = sum(
        "image/png" in output.get("data", {}) or "image/svg+xml" in output.get("data", {})
        for output in outputs
    )
    assert drawn == len(cells_that_draw(name))
