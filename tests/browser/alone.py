"""A page written for the tests, opened alone, and watched for what no page may do."""

import itertools
from contextlib import contextmanager


@contextmanager
def opened(browser, folder):
    """``open_page(text, fragment, **options)`` opens a page with this HTML.

    At the end, no page may have reported an error or asked for anything outside itself.
    """
    contexts, problems, numbers = [], [], itertools.count()

    def open_page(text, fragment="", **options):
        file = folder / f"page{next(numbers)}.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 800, "height": 1000}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda r: problems.append(r.url) if r.url.split("#")[0] != file.as_uri() else None)
        page.goto(file.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def one_or_all(figures):
    """The only figure of a page, or the list of them."""
    return figures[0] if len(figures) == 1 else figures


def names_reached_by_tab(figure, controls):
    """Press Tab once for each visible control of the figure: each is reached, outlined, and has a name. The names."""
    figure.state()
    wanted = figure.part(controls).evaluate_all(
        "(nodes) => nodes.filter((n) => n.checkVisibility() && !(n.type === 'radio' && !n.checked)).length"
    )
    reached = []
    for _ in range(wanted):
        figure.page.keyboard.press("Tab")
        reached.append(
            figure.page.evaluate("""() => { const node = document.activeElement;
                return [Boolean(node.closest("figure")), node.ariaLabel || node.labels?.[0]?.innerText || node.innerText,
                        getComputedStyle(node).outlineStyle !== "none"]; }""")
        )
    assert all(inside and name.strip() and outlined for inside, name, outlined in reached), reached
    return [name for _, name, _ in reached]
