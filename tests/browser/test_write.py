"""The fields in which readers write code, in a real browser. The frame that runs the code is one that only answers."""

import html
import json

import pytest

from finishing import finished_pages
from writing import write

from .conftest import HERE, STATIC, until

SKELETON = "class My{0}:\n    def __init__(self, lr):\n        ...\n\n    def update(self, params, grads):\n        ...  # ここを書く\n"
SOLUTION = """>>> import numpy as np
>>> from fumoto.optimizers import SGD
>>> class My{0}{1}:
...     def update(self, params, grads):
...
...         params["w"] -= np.sqrt(grads["w"])
>>> SGD(lr=0.1)
"""
RIGHT = {
    "ok": True,
    "verdict": "一致: 式と同じ動きをします。",
    "notes": ["覚え書き。"],
    "tried": "4 通りを試しました。",
}
FOUND = {
    "kind": "符号が逆",
    "label": "eq-momentum-v",
    "number": "式 (2.1)",
    "address": "page.html#equation-eq-momentum-v",
    "printed": r"v \underline{-} g",
    "yours": r"v \underline{+} g",
}
WRONG = {"ok": False, "verdict": "既知の間違い: 符号が逆。", "findings": [FOUND], "step": 3}
ERROR = {"sentence": "4 行目: v という名前がありません。", "line": 4}


def field_html(name, method="SGD"):
    text = SKELETON.format(method)
    options = {"method": method, "values": "lr=0.1", "class": f"My{method}"}
    config = write.settings(options, text)
    config |= {"name": name, "page": "page", "root": "", "next": ["演習 3.2", "next.html#ex-next"]}
    return (
        f'<div class="exercise" id="ex-{name}"><p>書いてください。</p><div class="write" id="{name}">\n'
        f'<div class="highlight-python"><div class="highlight"><pre>{html.escape(write.still(config))}</pre></div></div>\n'
        f'<script type="application/json" class="write-config">{json.dumps(config)}</script>\n</div></div>\n'
        f'<div class="solution" id="solution-{name}"><p class="admonition-title"><a href="#ex-{name}">演習</a> の解答</p>'
        f'<div class="highlight-python"><div class="highlight"><pre>{html.escape(SOLUTION.format(method, "(SGD)" * (method == "AdaGrad")))}</pre></div></div></div>'
    )


class Field:
    """One field on an open page, as the tests speak of it."""

    def __init__(self, page, name):
        self.page, self.root = page, page.locator(f"#{name}")
        self.area, self.result = self.root.locator("textarea"), self.root.locator(".write-result")
        self.take = page.locator(f"#solution-{name}").get_by_role("button", name="この解答を欄に入れる")

    @property
    def text(self):
        return self.area.input_value()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def set(self, text):
        """Type over everything. ``|``: where the caret is left."""
        self.area.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text.replace("|", ""))
        if "|" in text:
            self.select(text.index("|"), text.index("|"))

    def select(self, start, end):
        self.area.evaluate("(area, [start, end]) => area.setSelectionRange(start, end)", [start, end])

    def shown(self):
        """The text with ``|`` at the caret, or around what is selected."""
        start, end = self.area.evaluate("(area) => [area.selectionStart, area.selectionEnd]")
        text = self.text
        return text[:start] + "|" + (text[start:end] + "|" if end > start else "") + text[end:]

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def ask(self, code="", **answer):
        """Let the frame answer so, and wait for the result."""
        self.set(f"# answer: {json.dumps(answer)}\n{code}" if answer else code)
        self.button("確かめる").click()
        self.result.locator("details").wait_for()

    def marks(self, kind):
        """(line, what is marked)."""
        return self.root.locator(f".write-mirror .{kind}").evaluate_all(
            "(nodes) => nodes.map((n) => [[...n.closest('.write-mirror').children].indexOf(n.closest('.write-line')) + 1, n.textContent])"
        )


@pytest.fixture
def show(browser, tmp_path):
    """``show("one", "two")`` opens a page with these fields, ``show.requests`` is what was asked for.

    After the test, nothing may have been reported on the console.
    """
    contexts, said = [], []
    frame = tmp_path / "_static" / "write" / "frame.html"
    frame.parent.mkdir(parents=True)
    frame.write_text((HERE / "write_frame.html").read_text(encoding="utf-8"), encoding="utf-8")

    def show(*names, theme="light", before="", **options):
        names = names or ("one",)
        text = (HERE / "write.html").read_text(encoding="utf-8").replace("THEME", theme)
        methods = ["SGD", "AdaGrad"]
        fields = "\n".join(field_html(name, method) for name, method in zip(names, methods, strict=False))
        for mark, part in {
            "STYLE": (STATIC / "write" / "write.css").read_text(encoding="utf-8"),
            "FIELDS": fields,
            "EDITOR": (STATIC / "write" / "editor.js").read_text(encoding="utf-8"),
            "RESULT": (STATIC / "write" / "result.js").read_text(encoding="utf-8"),
            "FIELD": (STATIC / "write" / "write.js").read_text(encoding="utf-8"),
        }.items():
            text = text.replace(mark, part, 1)
        text = text.replace("POLICY", finished_pages.policy(text), 1)
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 800, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda r: show.requests.append(r.url.rpartition("/")[2]))
        if before:
            page.add_init_script(before)
        page.goto(file.as_uri())
        return Field(page, names[0]) if len(names) == 1 else [Field(page, name) for name in names]

    show.requests = []
    yield show
    for context in contexts:
        context.close()
    assert said == []
    assert set(show.requests) <= {"page.html", "frame.html"}


# --- typing ----------------------------------------------------------------------------------------------


def test_the_still_code_becomes_a_field_with_the_skeleton(show):
    field = show()
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


def test_the_indentation_follows_the_keys_and_can_be_undone(show):
    field = show()
    for before, keys, after in KEYS:
        field.set(before)
        field.press(*keys)
        assert field.shown() == after, before
        for _ in range(3 * len(keys)):
            if field.text != before.replace("|", ""):
                field.press("Control+z")
        assert field.text == before.replace("|", "")


def test_selected_lines_are_indented_together_and_stay_selected(show):
    field = show()
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


def test_escape_lets_the_next_tab_leave_the_field(show):
    field = show()
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


def test_keys_of_the_input_method_are_left_alone(show):
    field = show()
    field.set("a")
    kept = field.area.evaluate(
        """(area) => ["Tab", "Escape", "Enter"].map((key) => area.dispatchEvent(
            new KeyboardEvent("keydown", { key, isComposing: true, ctrlKey: key === "Enter", cancelable: true, bubbles: true })))"""
    )
    assert kept == [True, True, True]
    field.press("Tab")  # the Escape was not ours
    assert field.text == "a    "
    assert show.requests == ["page.html"]


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


def test_the_partner_of_a_bracket_at_the_caret_is_shown(show):
    field = show()
    for text, pairs, alone in BRACKETS:
        field.set(text)
        field.page.wait_for_timeout(50)
        assert (field.marks("write-pair"), field.marks("write-alone")) == (pairs, alone), text
    field.area.blur()
    assert field.marks("write-pair") == []


def test_what_is_marked_lies_under_what_is_typed(show):
    field = show()
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


# --- what is kept ----------------------------------------------------------------------------------------


def test_what_was_written_is_there_after_a_reload_and_nothing_is_sent(show):
    one, two = show("one", "two")
    one.set("mine")
    one.page.reload()
    assert (one.text, two.text) == ("mine", SKELETON.format("AdaGrad"))
    assert one.page.evaluate("Object.entries(localStorage)") == [["fumoto-write:page:one", "mine"]]
    one.button("もとに戻す").click()
    assert one.page.evaluate("Object.entries(localStorage)") == []
    assert set(show.requests) == {"page.html"}


def test_the_skeleton_comes_back_and_so_does_what_was_written(show):
    field = show()
    assert field.button("もとに戻す").is_hidden()
    field.set("mine")
    field.button("もとに戻す").click()
    assert field.text == SKELETON.format("SGD")
    field.button("やり直す").click()
    assert field.text == "mine"
    field.button("もとに戻す").click()
    field.area.focus()
    field.press("Control+z")
    assert field.text == "mine"
    field.button("もとに戻す").click()
    field.area.focus()
    field.press("x")
    assert field.button("やり直す").is_hidden()
    assert field.button("もとに戻す").is_visible()


def test_the_solution_can_be_put_into_the_field(show):
    field, other = show("one", "two")
    assert other.take.count() == 0  # it needs the package of the book
    field.set("mine")
    field.take.click()
    assert field.text == (
        "import numpy as np\n\nclass MySGD:\n    def update(self, params, grads):\n\n"
        '        params["w"] -= np.sqrt(grads["w"])\n'
    )
    field.button("やり直す").click()
    assert field.text == "mine"


def test_without_local_storage_everything_else_works(show):
    field = show(before="Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })")
    assert "残せません" in field.root.inner_text()
    field.ask(report=RIGHT)
    assert RIGHT["verdict"] in field.result.inner_text()


# --- the result ------------------------------------------------------------------------------------------


def test_nothing_of_the_frame_is_loaded_before_the_button_is_pressed(show):
    field = show()
    field.set("some code")
    assert show.requests == ["page.html"]
    field.press("Control+Enter")
    field.result.locator("details").wait_for()
    assert show.requests == ["page.html", "frame.html"]
    inside = field.page.locator("iframe")
    assert inside.get_attribute("sandbox") == "allow-scripts"
    assert inside.is_hidden()
    assert "MySGD: 9" in field.result.inner_text()  # what the frame was told


def test_right_code_is_told_what_was_tried_and_where_to_go(show):
    field = show()
    field.ask(report=RIGHT, printed="hello\n<b>")
    text = field.result.inner_text()
    for part in ("✓", RIGHT["verdict"], "覚え書き。", "4 通りを試しました。", "hello\n<b>"):
        assert part in text
    assert field.result.get_by_role("link", name="演習 3.2").get_attribute("href") == "next.html#ex-next"
    assert field.result.get_attribute("role") == "status"
    field.result.locator("summary").click()
    assert 'print(check(MySGD, "SGD", lr=0.1))' in field.result.inner_text()


def test_wrong_code_is_told_the_equation_and_its_own(show):
    field = show()
    field.ask(report=WRONG)
    text = field.result.inner_text()
    for part in ("✗", WRONG["verdict"], "符号が逆", "はじめて違うのは 3 ステップ目です。"):
        assert part in text
    links = field.result.get_by_role("link").evaluate_all(
        "(all) => all.map((a) => [a.textContent, a.getAttribute('href')])"
    )
    assert links == [["式 (2.1)", FOUND["address"]], ["2.1. 式", "#equations"]]
    shown = field.result.locator(".write-equation")
    assert shown.all_inner_texts() == [rf"\[ {FOUND[which]} \]" for which in ("printed", "yours")]
    left, right = (box.bounding_box() for box in shown.all())
    assert left["y"] == right["y"] and left["x"] < right["x"]
    field.page.set_viewport_size({"width": 320, "height": 700})
    left, right = (box.bounding_box() for box in shown.all())
    assert left["y"] < right["y"]


def test_equations_are_set_by_the_mathjax_of_the_page(show):
    field = show(
        before="""window.MathJax = { startup: { promise: Promise.resolve() },
          typesetPromise: async (nodes) => nodes.forEach((node) => { node.textContent = "set"; }) };"""
    )
    field.ask(report=WRONG)
    until(
        field.page,
        "[...document.querySelectorAll('.write-equation')].every((node) => node.textContent === 'set')",
    )


def test_the_line_of_an_error_is_marked_until_something_is_typed(show):
    field = show()
    field.ask("a\nb\n  c\nd", error=ERROR)
    assert "!" in field.result.inner_text() and ERROR["sentence"] in field.result.inner_text()
    assert field.root.locator(".write-gutter .write-wrong").all_inner_texts() == ["✗ 4"]
    assert field.marks("write-wrong") == [[4, "  c"]]
    field.button("4 行目へ").click()
    assert field.shown().endswith("\n  |c\nd")
    field.press("x")
    assert field.root.locator(".write-wrong").count() == 0


def test_code_that_cannot_be_judged_is_neither_right_nor_wrong(show):
    field = show()
    field.ask(report={"ok": None, "verdict": "このページの Python では確かめられません。"})
    assert field.result.locator(".write-sign").inner_text() == "?"


def test_what_is_answered_is_text_and_never_a_part_of_the_page(show):
    evil = "<img src=x onerror='window.planted = 1'>"
    found = {**FOUND, "kind": evil, "number": evil, "printed": evil}
    field = show()
    field.ask(
        report={"ok": False, "verdict": evil, "findings": [found], "notes": [evil], "tried": evil},
        printed=evil,
    )
    assert field.result.locator("img").count() == 0
    assert field.result.inner_text().count(evil) == 7


def test_two_fields_share_one_frame_and_each_gets_its_own_answer(show):
    one, two = show("one", "two")
    one.ask("a")
    two.ask("bb")
    assert "MySGD: 1" in one.result.inner_text()
    assert "MyAdaGrad: 2" in two.result.inner_text()
    assert show.requests.count("frame.html") == 1
    one.set("# silent")
    one.button("確かめる").click()
    assert "確かめています…" in one.result.inner_text()
    two.ask("ccc")
    assert "途中でやめました" in one.result.inner_text()
    assert "MyAdaGrad: 3" in two.result.inner_text()
    one.ask("dddd")
    assert "MySGD: 4" in one.result.inner_text()


def test_a_message_from_anywhere_else_is_no_answer(show):
    field = show()
    field.ask("a")
    field.set("# silent")
    field.button("確かめる").click()
    field.page.evaluate(
        "for (let id = 0; id < 9; id++) window.postMessage({ id, report: { ok: true, verdict: 'forged' } }, '*')"
    )
    field.page.wait_for_timeout(100)
    assert "forged" not in field.result.inner_text()


def test_a_frame_that_never_comes_is_given_up(show, tmp_path):
    (tmp_path / "_static/write/frame.html").write_text(
        "<!doctype html><title>nothing</title>", encoding="utf-8"
    )
    field = show()
    field.page.clock.install()
    field.button("確かめる").click()
    field.page.wait_for_timeout(100)
    field.page.clock.run_for(29_000)
    assert "確かめています…" in field.result.inner_text()
    field.page.clock.run_for(2_000)
    until(
        field.page,
        "document.querySelector('.write-result').textContent.includes('このブラウザーでは確かめられません')",
    )
    assert field.page.locator("iframe").count() == 0


# --- every screen ----------------------------------------------------------------------------------------


def test_without_javascript_there_is_the_still_code(show):
    field = show(java_script_enabled=False)
    assert field.root.locator("pre").is_visible()
    assert field.area.count() == 0


def test_on_paper_there_is_the_still_code(show):
    field = show()
    field.ask(report=WRONG)
    field.page.emulate_media(media="print")
    assert field.root.locator("pre").first.is_visible()
    assert field.root.locator(".write-field").is_hidden()


def test_the_smallest_phone_scrolls_only_within_the_field(show):
    field = show(viewport={"width": 320, "height": 700}, has_touch=True, is_mobile=True)
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
def test_nothing_keeps_anyone_out(show, axe, theme, answer):
    field = show(theme=theme)
    field.ask("a\nb\nc", **answer)
    field.result.locator("summary").click()
    found = axe.run(field.page)
    assert found.violations_count == 0, found.generate_report()
