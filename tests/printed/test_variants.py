"""The tests can fail: every mistake in every equation is caught by the suite's own comparison."""

import pytest

from equation_checks.killing import survivors
from fumoto.printed import read, variants

BOOK = read()


@pytest.fixture(scope="module")
def mistakes():
    """Label -> the mistakes in this equation."""
    return {label: variants(equation) for label, equation in BOOK.items()}


@pytest.mark.parametrize("label", BOOK)
def test_every_mistake_in_an_equation_is_caught(label):
    alive, total = survivors(label)
    assert not alive, (f"killed {total - len(alive)} of {total}", [(v.id, v.equation.latex) for v in alive])


def test_every_equation_has_mistakes_and_ids_are_unique(mistakes):
    assert all(mistakes.values())
    every = [v.id for found in mistakes.values() for v in found]
    assert len(set(every)) == len(every)
    assert len(every) > 500


def test_mistakes_are_the_same_every_time(mistakes):
    for label, equation in BOOK.items():
        assert [(v.id, v.equation.latex) for v in variants(equation)] == [
            (v.id, v.equation.latex) for v in mistakes[label]
        ]


@pytest.mark.parametrize(
    ("label", "kind", "latex"),
    [
        ("eq-momentum-w", "符号が逆", r"w_{t+1} = w_t - v_{t+1}"),
        ("eq-momentum-w", "古い値を使っている", r"w_{t+1} = w_t + v_t"),
        ("eq-sgd-w", "積が差になっている", r"g_t - \eta"),
        ("eq-adagrad-w", "因子が抜けている", r"w_{t+1} = w_t - \frac{\eta}{\varepsilon + \sqrt{h_{t+1}}}"),
        ("eq-adagrad-w", "項が抜けている", r"w_{t+1} = w_t - \frac{\eta g_t}{\sqrt{h_{t+1}}}"),
        ("eq-adam-w", "根号の外の項が中にある", r"\sqrt{\hat{v}_{t+1} + \varepsilon}"),
        ("eq-adam-w", "分母の項が割り算の外にある", r"w_t + \varepsilon - \frac{\eta"),
        ("eq-adam-w", "補正していない値を使っている", r"\frac{\eta m_{t+1}}{"),
        ("eq-adam-w", "平方根が抜けている", r"\hat{v}_{t+1} + \varepsilon}"),
        ("eq-rmsprop-h", "2 乗が抜けている", r"g_t"),
        ("eq-adam-m", "項が抜けている", r"m_{t+1} = \beta_1 m_t"),
    ],
)
def test_the_mistakes_people_make_are_among_them(mistakes, label, kind, latex):
    assert any(v.kind == kind and latex in v.equation.latex for v in mistakes[label])
