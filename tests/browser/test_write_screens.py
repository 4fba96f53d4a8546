"""A field on every screen: without JavaScript, on paper, on the smallest phone, for everyone."""

import pytest

from .fields import ERROR, FOUND, RIGHT, WRONG


def test_without_javascript_there_is_the_still_code(fields):
    field = fields(java_script_enabled=False)
    assert field.root.locator("pre").is_visible()
    assert field.area.count() == 0


def test_on_paper_there_is_the_still_code(fields):
    field = fields()
    field.ask(report=WRONG)
    field.page.emulate_media(media="print")
    assert field.root.locator("pre").first.is_visible()
    assert field.root.locator(".write-field").is_hidden()


def test_the_smallest_phone_scrolls_only_within_the_field(fields):
    field = fields(viewport={"width": 320, "height": 700}, has_touch=True, is_mobile=True)
    long = {**FOUND, "yours": "x" * 200}
    field.ask("x = 1" * 60, report={**WRONG, "findings": [long]}, printed="y" * 300)
    page = field.page
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert field.area.evaluate("(area) => area.scrollWidth > area.clientWidth")
    assert field.area.evaluate("(area) => getComputedStyle(area).fontSize") == "16px"
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 44
    for line in field.root.locator("summary").all():
        assert line.bounding_box()["height"] >= 24


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "answer",
    [{"report": WRONG}, {"report": RIGHT, "printed": "x"}, {"error": ERROR}],
    ids=["wrong", "right", "error"],
)
def test_nothing_keeps_anyone_out(fields, axe, theme, answer):
    field = fields(theme=theme)
    field.ask("a\nb\nc", **answer)
    field.result.locator("summary").click()
    found = axe.run(field.page)
    assert found.violations_count == 0, found.generate_report()
