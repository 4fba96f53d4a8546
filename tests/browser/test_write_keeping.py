"""What was written in a field is kept on this device alone, and can be taken back."""

from .fields import RIGHT, SKELETON


def test_what_was_written_is_there_after_a_reload_and_nothing_is_sent(fields):
    one, two = fields("one", "two")
    one.set("mine")
    one.page.reload()
    assert (one.text, two.text) == ("mine", SKELETON.format("AdaGrad"))
    assert one.page.evaluate("Object.entries(localStorage)") == [["fumoto-write:page:one", "mine"]]
    one.button("もとに戻す").click()
    assert one.page.evaluate("Object.entries(localStorage)") == []
    assert set(fields.requests) == {"page.html"}


def test_the_skeleton_comes_back_and_so_does_what_was_written(fields):
    field = fields()
    assert field.button("もとに戻す").is_hidden()
    field.set("mine")
    field.button("もとに戻す").click()
    assert field.text == SKELETON.format("SGD")
    field.button("書いたものに戻す").click()
    assert field.text == "mine"
    field.button("もとに戻す").click()
    field.area.focus()
    field.press("Control+z")
    assert field.text == "mine"
    field.button("もとに戻す").click()
    field.area.focus()
    field.press("x")
    assert field.button("書いたものに戻す").is_hidden()
    assert field.button("もとに戻す").is_visible()


def test_the_solution_can_be_put_into_the_field(fields):
    field, other = fields("one", "two")
    assert other.take.count() == 0  # it needs the package of the book
    field.set("mine")
    field.take.click()
    assert field.text == (
        "import numpy as np\n\nclass MySGD:\n    def update(self, params, grads):\n\n"
        '        params["w"] -= np.sqrt(grads["w"])\n'
    )
    field.button("書いたものに戻す").click()
    assert field.text == "mine"


def test_without_local_storage_everything_else_works(fields):
    field = fields(
        before="Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    )
    assert "残せません" in field.root.inner_text()
    field.ask(report=RIGHT)
    assert RIGHT["verdict"] in field.result.inner_text()
