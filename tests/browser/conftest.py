"""A real browser for the tests in this folder: the pages that were really built, and pages with playgrounds.

Without Playwright or without a Chromium the tests are skipped with the reason, unless FUMOTO_REQUIRE_BROWSER=1.
"""

import itertools
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from fumoto.checking.calling import safety
from fumoto.printed import read
from fumoto.printed.playground import PLAYED, SURFACES, labels_of, method_code, script, surface_code

from .alone import one_or_all, opened
from .asking import Frame, write_page
from .fields import fields  # noqa: F401  a fixture

HERE = Path(__file__).parent
BOOK = HERE.parents[1] / "book"
STATIC = BOOK / "_static"
HTML = Path(os.environ.get("FUMOTO_HTML", HERE.parents[1] / "build" / "html"))
# Every built page; the listings of source code are all alike, so two of them stand for the others.
PAGES = [
    *sorted(
        name
        for page in HTML.rglob("*.html")
        if not (name := page.relative_to(HTML).with_suffix("").as_posix()).startswith(
            ("_source/", "_static/")
        )
    ),
    *("_source/optimizers", "_source/checking/__init__"),
]
SCREENS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 375, "height": 740}, "color_scheme": "light", "has_touch": True},
}
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SETTLED = "() => !window.MathJax?.startup || window.MathJax.startup.promise.then(() => true)"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def unavailable(reason):
    """Skip, or fail where the browser tests are required."""
    if os.environ.get("FUMOTO_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no other test may start an event loop
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright is not installed")
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        unavailable(f"no browser: none of {', '.join(CHROMIUMS)} is on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ask(browser, tmp_path_factory):
    """``Frame.ask`` in Chromium: what the page says of a learner's source."""
    page = browser.new_page()
    page.set_default_timeout(120000)
    page.goto(write_page(tmp_path_factory.mktemp("page")))
    yield Frame(page.evaluate).ask
    page.close()


@pytest.fixture
def in_this_python(monkeypatch):
    """Python's checks, without another process for each: for sources that are known to end."""
    monkeypatch.setattr(safety, "_inside", True)


def until(page, condition, arg=None, seconds=10):
    """Wait until the JavaScript ``condition`` holds.

    ``page.wait_for_function`` asks again by ``eval`` within the page, which the policy of the book forbids.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition, arg):
        assert time.monotonic() < end, f"never: {condition}"
        page.wait_for_timeout(20)


def settle(page):
    """Wait until the formulas are set and nothing moves any more."""
    page.wait_for_load_state("load")
    until(page, "() => !document.querySelector('script[src*=tex-svg]') || !!window.MathJax?.startup?.promise")
    page.evaluate(SETTLED)
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished))")


@pytest.fixture
def visit(browser):
    """``visit("01-descent", "dark")`` opens a built page; ``visit.problems`` says what went wrong on it."""
    contexts, problems = [], []

    def open_page(name, screen="light", fragment="", **options):
        file = HTML / f"{name}.html"
        if not file.is_file():
            unavailable(f"{file} is not there: make html builds it")
        context = browser.new_context(**{**SCREENS[screen], **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10000)
        page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request", lambda r: problems.append(r.url) if not r.url.startswith(("file:", "data:")) else None
        )
        page.goto(file.as_uri() + fragment)
        return page

    open_page.problems = problems
    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def axe():
    """axe-core, as the PyPI package axe-playwright-python ships it: ``axe.run(page)``."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        unavailable("axe-playwright-python is not installed")
    return Axe()


def generated(folder=None):
    """The script that a page with every method and every surface gets, from the equations in ``folder``."""
    equations = read(folder, labels_of(SURFACES, PLAYED))
    surfaces = {name: surface_code(name, equations) for name in SURFACES}
    return script(surfaces, {name: method_code(name, equations) for name in PLAYED})


@pytest.fixture(scope="session")
def printed_script():
    return generated()


def figure_html(name, settings):
    return (
        f'<figure class="playground" id="{name}">\n'
        '<div class="playground-still"><svg role="img" aria-label="静止画" viewBox="0 0 100 40" width="300">'
        '<rect width="100" height="40" fill="#ddd"/></svg></div>\n'
        f'<script type="application/json" class="playground-config">{json.dumps(settings)}</script>\n'
        "<figcaption><p>出発点を引き、学習率を変えてみてください。</p></figcaption>\n</figure>"
    )


class Figure:
    """One playground on an open page, as the tests speak of it."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.root = page.locator(f"#{name}")

    def ask(self, what):
        return self.root.evaluate(f"(figure) => figure.fumotoPlayground.{what}")

    def trajectories(self):
        return self.ask("trajectories()")

    def state(self):
        """The state after the next frames were drawn."""
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return self.ask("state()")

    def part(self, selector):
        return self.root.locator(selector)

    def slider(self, name):
        return self.part(f'[data-name="{name}"] input')

    def button(self, text):
        return self.root.get_by_role("button", name=text, exact=True)

    def message(self):
        return self.part(".playground-sign:visible").all_inner_texts()


@pytest.fixture
def show(browser, printed_script, tmp_path):
    """``show(bowl=settings, ...)`` opens a page with these playgrounds and returns one ``Figure`` for each.

    ``script``: instead of the equations of the book.

    After the test, no page may have reported an error or asked for anything outside itself.
    """
    with opened(browser, tmp_path) as open_page:

        def show(*, theme="light", fragment="", script=printed_script, **rest):
            options = {k: rest.pop(k) for k in list(rest) if not isinstance(rest[k], dict) or k == "viewport"}
            text = (HERE / "playground.html").read_text(encoding="utf-8")
            for mark, part in {
                "THEME": theme,
                "STYLE": (STATIC / "playground.css").read_text(encoding="utf-8"),
                "EQUATIONS": script,
                "FIGURES": "\n<p>間の文章。</p>\n".join(itertools.starmap(figure_html, rest.items())),
                "MODULE": (STATIC / "playground.js").read_text(encoding="utf-8"),
            }.items():
                text = text.replace(mark, part, 1)
            page = open_page(text, fragment, **options)
            return one_or_all([Figure(page, name) for name in rest])

        yield show
