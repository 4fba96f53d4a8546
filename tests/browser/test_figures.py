"""The letters of the published figures: as large as the caption, not cut off, not on top of one another."""

import itertools

import pytest

from .conftest import HTML, SCREENS, unavailable

ADDRESSES = "(all) => all.map((image) => image.src)"
LETTERS = """() => [...document.querySelectorAll('g[id^="text_"]:has(g[transform])')].map((group) => {
  const box = group.getBoundingClientRect();
  const sizes = [...group.querySelectorAll('g[transform]')]
    .map((part) => /scale\\(([\\d.]+)/.exec(part.getAttribute('transform')))
    .map((match) => 100 * match[1]);  // matplotlib draws its outlines for 100 points
  const said = document.createTreeWalker(group, NodeFilter.SHOW_COMMENT).nextNode();
  return { text: said.data.trim(), size: Math.min(...sizes),
           left: box.left, right: box.right, top: box.top, bottom: box.bottom };
})"""


@pytest.fixture(scope="module")
def drawings(browser):
    """{file: (the letters, the width of its drawing)} of every picture in the book, with the page that shows it."""
    if not HTML.is_dir():
        unavailable(f"{HTML} is not there: make html builds it")
    page, found = browser.new_page(), {}
    for file in sorted(HTML.glob("*.html")):
        page.goto(file.as_uri(), wait_until="domcontentloaded")  # the addresses stand in the page as it came
        for address in page.locator('article figure img[src$=".svg"]').evaluate_all(ADDRESSES):
            found.setdefault(address, []).append(file.stem)
    for address in found:
        page.goto(address)
        letters = page.evaluate(LETTERS)
        view = page.evaluate(
            "(({width, height}) => [width, height])(document.documentElement.viewBox.baseVal)"
        )
        scale = page.evaluate("document.documentElement.getScreenCTM().a")
        found[address] = found[address], letters, view, scale
    page.close()
    assert len(found) > 50
    return found


def test_no_letter_is_cut_off_or_covers_another(drawings):
    wrong = []
    for address, (pages, letters, (width, height), scale) in drawings.items():
        for a in letters:
            if min(a["left"], a["top"]) < 0 or a["right"] > width * scale or a["bottom"] > height * scale:
                wrong.append((*pages, address[-12:], "cut off", a["text"]))
        for a, b in itertools.combinations(letters, 2):
            across = min(a["right"], b["right"]) - max(a["left"], b["left"])
            along = min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])
            if min(across, along) > 1:
                wrong.append((*pages, address[-12:], "one on another", a["text"], b["text"]))
    assert wrong == []


WIDTHS = [*(screen["viewport"]["width"] for screen in SCREENS.values()), 320, 600]


def test_letters_are_not_smaller_than_the_caption(drawings, visit):
    wrong = []
    for name in sorted({pages[0] for pages, *_ in drawings.values()}):
        page = visit(name)
        for width in sorted(set(WIDTHS)):
            page.set_viewport_size({"width": width, "height": 800})
            wrong += [(name, width, *found) for found in too_small(page, drawings)]
            assert page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            ), (name, width)
    assert wrong == []


def too_small(page, drawings):
    """(the end of the address, the smallest letter, the caption's) of each figure with a letter below its caption's."""
    shown = page.locator('article figure:has(img[src$=".svg"])').evaluate_all(
        """(all) => all.map((figure) => {
          const image = figure.querySelector('img'), style = getComputedStyle(image);
          const width = image.getBoundingClientRect().width;
          return [image.src, width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
                  parseFloat(getComputedStyle(figure.querySelector('figcaption')).fontSize)];
        })"""
    )
    for address, width, caption in shown:
        _, letters, (natural, _), _ = drawings[address]
        smallest = min(letter["size"] for letter in letters) * width / natural
        if smallest < caption:
            yield address[-12:], smallest, caption
