"""What a field says when it is asked to check, and the frame that runs the code."""

from .conftest import until
from .fields import ERROR, FOUND, RIGHT, WRONG


def test_nothing_of_the_frame_is_loaded_before_the_button_is_pressed(fields):
    field = fields()
    field.set("some code")
    assert fields.requests == ["page.html"]
    field.press("Control+Enter")
    field.result.locator("details").wait_for()
    assert sorted(fields.requests) == ["SGD.js", "frame.html", "page.html"]
    inside = field.page.locator("iframe")
    assert inside.get_attribute("sandbox") == "allow-scripts"
    assert inside.is_hidden()
    assert "MySGD: 9" in field.result.inner_text()  # what the frame was told


def test_right_code_is_told_what_was_tried_and_where_to_go(fields):
    field = fields()
    field.ask(report=RIGHT, printed="hello\n<b>")
    text = field.result.inner_text()
    for part in ("✓", RIGHT["verdict"], "覚え書き。", "4 通りを試しました。", "hello\n<b>"):
        assert part in text
    assert field.result.get_by_role("link", name="演習 3.2").get_attribute("href") == "next.html#ex-next"
    assert field.result.get_attribute("role") == "status"
    field.result.locator("summary").click()
    assert 'print(check(MySGD, "SGD", lr=0.1))' in field.result.inner_text()


def test_wrong_code_is_told_the_equation_and_its_own(fields):
    field = fields()
    field.ask(report=WRONG)
    text = field.result.inner_text()
    for part in ("✗", WRONG["verdict"], "符号が逆", "はじめて違うのは、3 ステップ目です。"):
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


def test_another_method_is_told_with_a_link_to_its_equation(fields):
    field = fields()
    see = {"number": "式 (3.1)", "address": "03.html#equation-eq-momentum-v"}
    field.ask(report={"ok": False, "verdict": "別の手法: Momentum の式と同じ動きをします。", "name": "Momentum", "see": see})
    assert "Momentum の式: 式 (3.1)" in field.result.inner_text()
    assert field.result.get_by_role("link", name="式 (3.1)").get_attribute("href") == see["address"]


def test_equations_are_set_by_the_mathjax_of_the_page(fields):
    field = fields(
        before="""window.MathJax = { startup: { promise: Promise.resolve() },
          typesetPromise: async (nodes) => nodes.forEach((node) => { node.textContent = "set"; }) };"""
    )
    field.ask(report=WRONG)
    until(
        field.page,
        "[...document.querySelectorAll('.write-equation')].every((node) => node.textContent === 'set')",
    )


def test_the_line_of_an_error_is_marked_until_something_is_typed(fields):
    field = fields()
    field.ask("a\nb\n  c\nd", error=ERROR)
    assert "!" in field.result.inner_text() and ERROR["sentence"] in field.result.inner_text()
    assert field.root.locator(".write-gutter .write-wrong").all_inner_texts() == ["✗ 4"]
    assert field.marks("write-wrong") == [[4, "  c"]]
    field.button("4 行目へ").click()
    assert field.shown().endswith("\n  |c\nd")
    field.press("x")
    assert field.root.locator(".write-wrong").count() == 0


def test_the_line_of_an_error_is_brought_into_sight(fields):
    field = fields()
    field.page.set_viewport_size({"width": 375, "height": 500})
    field.ask("\n".join("a" * 60), error=ERROR)
    field.button("4 行目へ").click()
    wrong = field.root.locator(".write-gutter .write-wrong").bounding_box()
    assert 60 < wrong["y"] < 300, wrong


def test_code_that_cannot_be_judged_is_neither_right_nor_wrong(fields):
    field = fields()
    field.ask(report={"ok": None, "verdict": "このページの Python では確かめられません。"})
    assert field.result.locator(".write-sign").inner_text() == "?"


def test_what_is_answered_is_text_and_never_a_part_of_the_page(fields):
    evil = "<img src=x onerror='window.planted = 1'>"
    found = {**FOUND, "kind": evil, "number": evil, "printed": evil}
    field = fields()
    field.ask(
        report={"ok": False, "verdict": evil, "findings": [found], "notes": [evil], "tried": evil},
        printed=evil,
    )
    assert field.result.locator("img").count() == 0
    assert field.result.inner_text().count(evil) == 6  # the kind is not said again where the verdict says it


def test_two_fields_share_one_frame_and_each_gets_its_own_answer(fields):
    one, two = fields("one", "two")
    one.ask("a")
    two.ask("bb")
    assert "MySGD: 1" in one.result.inner_text()
    assert "MyAdaGrad: 2" in two.result.inner_text()
    assert fields.requests.count("frame.html") == 1
    one.set("# silent")
    one.button("確かめる").click()
    assert "確かめています…" in one.result.inner_text()
    two.ask("ccc")
    assert "途中でやめました" in one.result.inner_text()
    assert "MyAdaGrad: 3" in two.result.inner_text()
    one.ask("dddd")
    assert "MySGD: 4" in one.result.inner_text()


def test_a_message_from_anywhere_else_is_no_answer(fields):
    field = fields()
    field.ask("a")
    field.set("# silent")
    field.button("確かめる").click()
    field.page.evaluate(
        "for (let id = 0; id < 9; id++) window.postMessage({ id, report: { ok: true, verdict: 'forged' } }, '*')"
    )
    field.page.wait_for_timeout(100)
    assert "forged" not in field.result.inner_text()


def test_a_table_that_is_missing_is_looked_for_again_when_asked_again(fields, tmp_path):
    table = tmp_path / "_static/write/tables/SGD.js"
    text = table.read_text()
    table.unlink()
    field = fields()
    field.ask("a")
    assert "このブラウザーでは確かめられません" in field.result.inner_text()
    assert any("SGD.js" in line or "ERR_FILE_NOT_FOUND" in line for line in fields.said)
    fields.said.clear()
    table.write_text(text)
    field.ask("a")
    assert "MySGD: 1" in field.result.inner_text()


def test_a_frame_that_never_comes_is_given_up(fields, tmp_path):
    (tmp_path / "_static/write/frame.html").write_text(
        "<!doctype html><title>nothing</title>", encoding="utf-8"
    )
    field = fields()
    field.set("some code")
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


def test_a_skeleton_that_is_as_it_was_is_not_judged(fields):
    field = fields()
    field.button("確かめる").click()
    field.result.locator("details").wait_for()
    assert "まだ書かれていません" in field.result.inner_text()
    assert "✗" not in field.result.inner_text()
    assert fields.requests == ["page.html"]
