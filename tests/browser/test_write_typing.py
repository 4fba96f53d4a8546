"""Typing into a field: the keys, the brackets, the lines."""

from .fields import SKELETON


def test_the_still_code_becomes_a_field_with_the_skeleton(fields):
    field = fields()
    assert field.text == SKELETON.format("SGD")
    assert field.root.locator("pre").first.is_hidden()
    assert field.root.locator(".write-gutter").inner_text().split() == ["1", "2", "3", "4", "5", "6", "7"]
    field.set("a\nb\nc")
    assert field.root.locator(".write-gutter").inner_text().split() == ["1", "2", "3"]


KEYS = [
    ("ab|c", ["Tab"], "ab    |c"),
    ("    a|", ["Shift+Tab"], "a|"),
    ("  a|", ["Shift+Tab"], "a|"),
    ("a|", ["Shift+Tab"], "a|"),
    ("if a:|", ["Enter", "b"], "if a:\n    b|"),
    ("    if a:  # 注釈|", ["Enter", "b"], "    if a:  # 注釈\n        b|"),
    ("    a = 1  # b:|", ["Enter", "b"], "    a = 1  # b:\n    b|"),
    ("    a|", ["Enter", "Enter", "b"], "    a\n    \n    b|"),
    ("a| b", ["Enter"], "a\n| b"),
    ("        |", ["Backspace"], "    |"),
    ("      |a", ["Backspace"], "    |a"),
    ("    |a", ["Backspace"], "|a"),
    ("    a  |", ["Backspace"], "    a |"),
    ("a\n|b", ["Backspace"], "a|b"),
]


def test_the_indentation_follows_the_keys_and_can_be_undone(fields):
    field = fields()
    for before, keys, after in KEYS:
        field.set(before)
        field.press(*keys)
        assert field.shown() == after, before
        for _ in range(3 * len(keys)):
            if field.text != before.replace("|", ""):
                field.press("Control+z")
        assert field.text == before.replace("|", "")


def test_selected_lines_are_indented_together_and_stay_selected(fields):
    field = fields()
    field.set("a:\nb\n\n  c\nd")
    field.select(4, 9)  # from within b to within c
    field.press("Tab")
    assert field.text == "a:\n    b\n\n      c\nd"
    assert field.shown() == "a:\n|    b\n\n      c|\nd"
    field.press("Shift+Tab", "Shift+Tab")
    assert field.text == "a:\nb\n\nc\nd"
    field.press("Control+z", "Control+z", "Control+z")
    assert field.text == "a:\nb\n\n  c\nd"
    field.select(0, 3)  # a whole line with its end: the next line is not meant
    field.press("Tab")
    assert field.text == "    a:\nb\n\n  c\nd"


def test_escape_lets_the_next_tab_leave_the_field(fields):
    field = fields()
    field.set("a")
    field.press("Escape", "Tab")
    assert field.text == "a"
    assert field.page.evaluate("document.activeElement.textContent") == "確かめる"
    field.press("Shift+Tab", "Tab")  # back in the field, where Tab indents again
    assert field.text == "a    "
    field.press("Escape", "b", "Tab")  # any other key ends it
    assert field.text == "a    b    "
    field.press("Escape", "Shift+Tab")
    assert field.page.evaluate("document.activeElement.tagName") != "TEXTAREA"
    described = field.area.get_attribute("aria-describedby")
    assert "Escape" in field.page.locator(f"#{described}").inner_text()


def test_keys_of_the_input_method_are_left_alone(fields):
    field = fields()
    field.set("a")
    kept = field.area.evaluate(
        """(area) => ["Tab", "Escape", "Enter"].map((key) => area.dispatchEvent(
            new KeyboardEvent("keydown", { key, isComposing: true, ctrlKey: key === "Enter", cancelable: true, bubbles: true })))"""
    )
    assert kept == [True, True, True]
    field.press("Tab")  # the Escape was not ours
    assert field.text == "a    "
    assert fields.requests == ["page.html"]


BRACKETS = [
    ("f(a[0]|)", [[1, "["], [1, "]"]], []),  # the one before the caret
    ("f(a|[0])", [[1, "["], [1, "]"]], []),
    ("f(\n  a\n)|", [[1, "("], [3, ")"]], []),
    ("f(a|)b", [[1, "("], [1, ")"]], []),
    ("f(a|", [], []),
    ("f(|a", [], [[1, "("]]),
    ("f(a]|", [], [[1, "]"]]),
    ('f(")", a)|', [[1, "("], [1, ")"]], []),
    ("f(  # )\n)|", [[1, "("], [2, ")"]], []),
]


def test_the_partner_of_a_bracket_at_the_caret_is_shown(fields):
    field = fields()
    for text, pairs, alone in BRACKETS:
        field.set(text)
        field.page.wait_for_timeout(50)
        assert (field.marks("write-pair"), field.marks("write-alone")) == (pairs, alone), text
    field.area.blur()
    assert field.marks("write-pair") == []


def test_what_is_marked_lies_under_what_is_typed(fields):
    field = fields()
    field.set("\n".join(f"line{k} = ({'x' * 200})" for k in range(60)))
    field.area.evaluate("(area) => area.scrollTo(150, 200)")
    field.page.wait_for_timeout(50)
    where = """(root) => { const area = root.querySelector("textarea"), mirror = root.querySelector(".write-mirror"), numbers = root.querySelector(".write-gutter");
      const { x, y } = mirror.getBoundingClientRect(), own = area.getBoundingClientRect();
      return [own.x - area.scrollLeft - x, own.y - area.scrollTop - y, numbers.getBoundingClientRect().y - y, area.scrollTop,
              mirror.querySelector(".write-line").getBoundingClientRect().height, parseFloat(getComputedStyle(area).lineHeight)]; }"""
    x, y, numbers, scrolled, line, wanted = field.root.evaluate(where)
    assert abs(x) < 1 and abs(y) < 1 and abs(line - wanted) < 0.1
    assert scrolled == 200
    padding = field.root.evaluate(
        "(root) => parseFloat(getComputedStyle(root.querySelector('textarea')).paddingTop)"
    )
    assert abs(numbers - padding) < 1
    assert field.area.bounding_box()["height"] < 700
