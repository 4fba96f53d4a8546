"""A report: a few sentences in a terminal, mathematics in a notebook."""

from checking.learners import SETTINGS
from fumoto import check, mistakes, optimizers


def test_a_report_shows_both_equations_and_where_they_differ():
    report = check(mistakes.NotesMomentum, "Momentum", **SETTINGS["Momentum"])
    lines = str(report).splitlines()
    assert "符号が逆" in lines[0]
    assert lines[1].endswith(r"w_{t+1} = w_t + v_{t+1}")
    assert lines[2].endswith(r"w_{t+1} = w_t - v_{t+1}")
    assert lines[3] == "違い: v_{t+1} が - v_{t+1} になっています"
    assert lines[4] == "読むページ: 03-momentum.html#equation-eq-momentum-w"
    assert lines[-1].startswith("(重みの組 4 通り、それぞれ 60 ステップ")


def test_a_notebook_shows_a_report_as_mathematics():
    text = check(mistakes.NotesMomentum, "Momentum", **SETTINGS["Momentum"])._repr_markdown_()
    assert text.startswith("**既知の間違い: 符号が逆")
    assert r"$$w_{t+1} = w_t + v_{t+1}$$" in text
    assert r"$$w_{t+1} = w_t - \underline{v_{t+1}}$$" in text
    assert '<a href="03-momentum.html#equation-eq-momentum-w">eq-momentum-w</a>' in text
    assert check(optimizers.SGD, "SGD", lr=0.1)._repr_markdown_().startswith("**一致")


def test_what_a_reader_raises_is_no_markup_in_a_notebook():
    def update(self, params, grads):
        raise ValueError("<img src=x onerror=alert(1)> $\\infty$ **x** `y`\nz [a](b)" + "長" * 1000)

    report = check(type("Raising", (optimizers.SGD,), {"update": update}), "SGD", lr=0.1)
    text = report._repr_markdown_()
    assert "&lt;img src=x onerror=alert(1)&gt; \\$\\\\infty\\$ \\*\\*x\\*\\* \\`y\\` z \\[a\\](b)" in text
    assert "<img" not in text
    assert len(text) < 500
