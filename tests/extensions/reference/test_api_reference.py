"""The API reference: every public name is in it, every equation it names is a link, and pages and entries lead to each other.

Built here from the real API pages and docstrings, and from chapters reduced to their equations and the code they show.
"""

import inspect
import pickle
import re
import shutil
import subprocess
import sys
from importlib import import_module

import pytest
from bs4 import BeautifulSoup
from docutils import nodes

import fumoto
from built import BOOK, ROOT
from fumoto.surfaces import Surface
from rebuilding.page_inputs import READS

MODULES = [
    "optimizers",
    "network",
    "layers",
    "batchnorm",
    "dropout",
    "layernorm",
    "initializers",
    "training",
    "schedules",
    "clipping",
    "surfaces",
    "datasets",
    "normalization",
]
EXTENSIONS = [
    "myst_parser",
    "sphinx.ext.mathjax",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "reference.docstrings",
    "reference.api_reference",
]
SHOWN = r"^```\{literalinclude\} \.\./code/(fumoto/\S+)\.py\n:pyobject: (\S+)\n(?:.*\n)*?```$"


def reduced(page):
    """A page with nothing but its title, its equations (the appendices only quote them) and the code it shows."""
    text = page.read_text(encoding="utf-8")
    title = re.search(r"^# .*$", text, re.M)[0]
    blocks = [
        block
        for name, block in READS["fumoto.printed.pages"](ROOT)
        if name == page.name and name[0].isdigit()
    ]
    blocks += [found[0] for found in re.finditer(SHOWN, text, re.M)]
    return "\n\n".join([title, "`fumoto.printed.read()`, `Adam` and `Adam` again", *blocks])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the HTML."""
    folder = tmp_path_factory.mktemp("api")
    source = folder / "book"
    for name in ("api", "locale"):
        shutil.copytree(BOOK / name, source / name)
    shutil.copytree(ROOT / "code", folder / "code", ignore=shutil.ignore_patterns("data", "__pycache__"))
    pages = [page for page in BOOK.glob("*.md") if page.name != "index.md"]
    for page in pages:
        (source / page.name).write_text(reduced(page), encoding="utf-8")
    toctree = "\n".join(
        ["# Index\n", "```{toctree}", ":numbered:", ":glob:\n", "[01]*", "[a-z]*", "api/*", "```"]
    )
    (source / "index.md").write_text(toctree, encoding="utf-8")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", ROOT, "-b", "html"]
    build += ["-D", f"extensions={','.join(EXTENSIONS)}", source, folder / "html"]
    done = subprocess.run(build, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return folder / "html"


def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def without_examples(page):
    """The text of a page, less its code."""
    for example in page.select("article pre"):
        example.decompose()
    return page.select_one("article").get_text()


@pytest.fixture(scope="module")
def entries(built):
    """The name of each entry -> (its page, its description)."""
    found = {}
    for path in sorted(built.glob("api/*.html")):
        for signature in soup(path).select("dt.sig[id]"):
            found[signature["id"]] = path, signature.find_next_sibling("dd")
    return found


def public_names(module):
    """Its own classes and functions, and the surfaces."""
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__
        described = isinstance(value, Surface) or (
            mine and (inspect.isroutine(value) or inspect.isclass(value))
        )
        if described and not name.startswith("_"):
            yield f"{module.__name__}.{name}"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_an_entry_with_a_description(entries, name):
    names = list(public_names(import_module(f"fumoto.{name}")))
    assert names
    missing = [name for name in names if name not in entries or not entries[name][1].get_text(strip=True)]
    assert not missing


def test_what_the_package_itself_and_its_checks_offer_has_an_entry(entries):
    from fumoto import checking, printed

    assert set(checking.__all__) == {"Report", *(name for name in checking.__all__ if hasattr(fumoto, name))}
    for name in checking.__all__:
        assert f"fumoto.{name}" in entries or f"fumoto.checking.{name}" in entries
    for name in printed.__all__:
        assert entries[f"fumoto.printed.{name}"][1].get_text(strip=True), name
    assert "SGD から Adam までの 7 つ" in entries["fumoto.printed.METHODS"][1].get_text()


def test_every_equation_a_docstring_names_is_a_link_to_it(built, entries):
    labels = {
        re.search(r"^:label: (\S+)", block, re.M)[1] for _, block in READS["fumoto.printed.pages"](ROOT)
    }
    linked = set()
    for path in built.glob("api/*.html"):
        page = soup(path)
        for link in page.select("a[title^=eq-]"):
            target = path.parent / link["href"].partition("#")[0]
            assert soup(target).find(id=link["href"].partition("#")[2]), link
            linked.add(link["title"])
        assert not re.findall(r"eq-[a-z]", without_examples(page)), path.name
    assert linked <= labels
    for label in ("eq-adam-mhat", "eq-batchnorm-dx", "eq-cross-entropy-E", "eq-he-std", "eq-bowl-f"):
        assert label in linked


def test_code_shown_on_a_page_leads_to_its_entry_and_back(built, entries):
    pairs = [
        (page.stem, f"{file.replace('/', '.')}.{name}")
        for page in BOOK.glob("*.md")
        for file, name in re.findall(SHOWN, page.read_text(encoding="utf-8"), re.M)
        if not file.endswith("mistakes") and "experiments" not in file  # which have no entries
    ]
    assert len(pairs) > 15
    for page, name in pairs:
        path, description = entries[name]
        assert soup(built / f"{page}.html").select(f'p.api-link a[href="api/{path.name}#{name}"]'), (
            page,
            name,
        )
        assert description.select(f'p.api-chapters a[href="../{page}.html"]'), (page, name)


def test_the_first_mention_of_a_name_on_a_page_is_a_link(built):
    links = soup(built / "03-momentum.html").select("article p:not(.api-link) a code")
    assert [link.get_text() for link in links] == ["fumoto.printed.read()", "Adam"]


def test_an_entry_leads_to_its_line_of_source(entries):
    _, description = entries["fumoto.optimizers.Adam"]
    [link] = description.parent.dt.select("a:not(.headerlink)")
    line = (
        (ROOT / "code/fumoto/optimizers.py")
        .read_text(encoding="utf-8")
        .splitlines()
        .index("class Adam(ElementwiseOptimizer):")
    )
    assert link["href"] == f"../_source/optimizers.html#L-{line + 1}"


def test_the_trees_that_are_remembered_are_small_and_their_text_is_what_is_shown(built):
    for path in built.glob(".doctrees/api/*.doctree"):
        content = path.read_bytes()
        assert len(content) < 300_000, path.name
        for text in pickle.loads(content).findall(nodes.Text):
            assert "\0" not in text, text


def test_signatures_and_descriptions_are_plain(built):
    for path in built.glob("api/*.html"):
        text = without_examples(soup(path))
        assert not re.findall(r"<factory>|object at 0x|ndarray\[|``|Bases:|Parameters|\[source\]", text), (
            path.name
        )
        assert "Link to this" not in path.read_text(encoding="utf-8")
