"""Every page that was really built (``make html``), as a reader opens it from the folder: light, dark and on a phone."""

import json

import pytest

from .conftest import HTML, PAGES, settle, unavailable, until
from .interface import english_words


@pytest.fixture
def sound(axe):
    """``sound(page, rules=None)``: axe finds nothing on the whole page."""

    def check(page, rules=None):
        options = {"preload": False, "resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = {"type": "rule", "values": rules}
        violations = axe.run(page, None, options).response["violations"]
        assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)

    return check


def test_there_is_a_book(browser):
    if not HTML.is_dir():
        unavailable(f"{HTML} is not there: make html builds it")
    assert len(PAGES) > 18


def fits(page):
    """Nothing is wider than the screen."""
    wanted, given = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wanted <= given, "the page scrolls sideways"
    page.evaluate("window.scrollTo(1e6, 0)")
    assert page.evaluate("window.scrollX") == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_quiet_and_fits_and_its_interface_is_japanese(visit, sound, name):
    """All rules in the light; in the dark and on a phone those whose answer can change there."""
    page = visit(name, "light")
    settle(page)
    fits(page)
    sound(page)
    assert english_words(page) == []
    assert page.locator("html").get_attribute("lang") == "ja"
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    sound(page, ["color-contrast"])
    phone = visit(name, "phone")
    settle(phone)
    fits(phone)
    sound(phone, ["scrollable-region-focusable", "target-size", "aria-dialog-name", "label"])
    assert visit.problems == []


@pytest.mark.parametrize("name", PAGES)
def test_no_formula_in_a_sentence_is_cut_off_on_a_phone(visit, name):
    page = visit(name, "phone")
    settle(page)
    cut = page.evaluate(
        """() => [...document.querySelectorAll('.bd-article span.math')]
        .filter((formula) => formula.checkVisibility() && !formula.closest('table'))  // a table scrolls
        .filter((formula) => formula.firstElementChild.getBoundingClientRect().width > formula.clientWidth + 3)
        .map((formula) => formula.parentElement.textContent.slice(0, 60))"""
    )
    assert cut == []


@pytest.mark.parametrize("screen", ["light", "phone"])
def test_what_is_wider_than_the_page_scrolls_in_its_own_box(visit, screen):
    """Equations, tables and code: reached with the Tab key where they overflow, and only there."""
    reached = 0
    for name in ("01-descent", "05-adam", "appendix-verification"):
        page = visit(name, screen)
        settle(page)
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('.bd-article :is(div.math, .pst-scrollable-table-container, pre)')]
            .filter((box) => box.checkVisibility())
            .map((box) => [box.scrollWidth > box.clientWidth + 1, box.tabIndex === 0, box.getAttribute('aria-label')])"""
        )
        for wide, focusable, label in boxes:
            assert wide == focusable
            assert not wide or label.endswith("(横に送れます)")
        reached += sum(wide for wide, _, _ in boxes)
    assert reached
    assert visit.problems == []


def test_a_solution_opens_and_closes_by_mouse_and_by_keyboard(visit):
    page = visit("02-sgd")
    solution = page.locator(".solution").first
    button, text = solution.locator(".toggle-button"), solution.locator("p").nth(1)
    assert button.get_attribute("aria-label") == "解答の開け閉め"

    def is_open():
        return button.get_attribute("aria-expanded") == "true" and text.is_visible()

    assert not is_open()
    button.click()
    assert is_open()
    button.press("Enter")
    assert not is_open()
    button.press("Space")
    assert is_open()
    solution.locator(".admonition-title").click(position={"x": 5, "y": 5})
    assert not is_open()
    assert visit.problems == []


def test_every_opened_solution_is_accessible_too(visit, sound):
    for name in ("02-sgd", "08-initial-values"):
        page = visit(name, "phone")
        settle(page)
        page.evaluate("document.querySelectorAll('.toggle-button').forEach((button) => button.click())")
        settle(page)
        assert page.locator(".toggle-button-hidden").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        sound(page, ["color-contrast", "scrollable-region-focusable"])


def test_the_button_copies_the_code(visit):
    page = visit("03-momentum", permissions=["clipboard-read", "clipboard-write"])
    blocks = page.locator(".cell_input div.highlight, div.highlight-python div.highlight")
    assert page.locator(".copy-code").count() == blocks.count() > 3
    block = blocks.first
    button = block.get_by_role("button", name="コピー", exact=True)
    block.hover()
    button.click()
    block.get_by_role("button", name="コピーしました").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("pre").inner_text().rstrip("\n")
    assert "コピー" not in copied
    button.wait_for()  # the label comes back
    blocks.nth(1).locator(".copy-code").focus()
    page.keyboard.press("Enter")
    blocks.nth(1).get_by_role("button", name="コピーしました").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == blocks.nth(1).locator(
        "pre"
    ).inner_text().rstrip("\n")
    assert visit.problems == []


def test_code_is_copied_where_the_clipboard_is_closed(visit):
    page = visit("03-momentum")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    block = page.locator(".cell_input div.highlight").first
    block.hover()
    block.locator(".copy-code").click()
    block.get_by_role("button", name="コピーしました").wait_for()
    assert visit.problems == []


def test_the_first_tab_leads_past_the_navigation(visit):
    page = visit("02-sgd")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "本文へスキップ"
    assert link.is_visible()
    page.keyboard.press("Enter")
    until(page, "location.hash === '#main-content'")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_theme_is_switched_and_remembered(visit):
    page = visit("02-sgd", "light")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "light"
    page.get_by_role("button", name="明暗の切り替え").first.click()
    page.locator(".dropdown-menu:visible").get_by_text("ダーク").click()
    assert page.evaluate(theme) == "dark"
    page.reload()
    assert page.evaluate(theme) == "dark"
    page.get_by_role("button", name="明暗の切り替え").first.click()
    page.locator(".dropdown-menu:visible").get_by_text("端末の設定に従う").click()
    assert page.evaluate(theme) == "light"
    assert visit.problems == []


def test_on_a_phone_the_contents_open_and_close(visit, sound):
    page = visit("02-sgd", "phone")
    settle(page)
    page.get_by_role("button", name="左の欄の開け閉め").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_role("link", name="3. モーメンタム(Momentum)").wait_for()
    sound(page)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.get_by_role("button", name="このページの目次の開け閉め").click()
    page.locator("dialog[open]").get_by_role("link", name="2.7. 演習").wait_for()
    sound(page)
    assert visit.problems == []


def test_japanese_lines_break_by_the_strict_rules(visit):
    page = visit("01-descent")
    style = "(selector, name) => getComputedStyle(document.querySelector(selector))[name]"
    assert page.evaluate(f"({style})('article p', 'lineBreak')") == "strict"
    for selector in ("h1", "h2", ".nav-link", ".admonition-title"):
        assert page.evaluate(f"({style})('{selector}', 'wordBreak')") == "auto-phrase", selector
