"""The list of what can be taken home: opened from the keyboard, on a phone, and without JavaScript."""

import json

import pytest

from .conftest import SCREENS


@pytest.mark.parametrize("screen", SCREENS)
def test_it_opens_from_the_keyboard_and_stays_on_the_screen(visit, axe, screen):
    page = visit("03-momentum", screen)
    summary = page.locator(".take-away summary")
    assert summary.is_visible() and summary.inner_text() == "持ち帰る"
    summary.focus()
    page.keyboard.press("Enter")
    links = page.locator(".take-away a")
    assert links.all_inner_texts() == ["ノートブック .ipynb", "Markdown .md"]
    page.keyboard.press("Tab")
    assert links.first.evaluate("(link) => link === document.activeElement")
    width = page.viewport_size["width"]
    for link in links.all():
        box = link.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 24
    top = summary.bounding_box()
    assert top["y"] >= 0 and top["x"] + top["width"] <= width
    violations = axe.run(page, ".take-away", {"preload": False}).response["violations"]
    assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)
    assert visit.problems == []


def test_it_opens_without_javascript(visit):
    page = visit("03-momentum", java_script_enabled=False)
    page.locator(".take-away summary").click()
    assert page.locator(".take-away a").first.is_visible()
