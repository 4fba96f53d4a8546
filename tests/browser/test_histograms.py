"""The histograms of the layers, played with in a real browser (see conftest.py for when these tests are skipped)."""

import itertools
import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest

from fumoto.printed import read
from fumoto.printed.histograms import ACTIVATIONS, SCALES, labels_of, script
from layer_outputs import LAYER_OF, layer_outputs
from living import histograms

from .alone import names_reached_by_tab, one_or_all, opened
from .conftest import until

STATIC = Path(__file__).parents[2] / "book" / "_static"
EVERYTHING = (list(ACTIVATIONS), list(SCALES), True)
STDS = {"xavier": 0.1, "he": np.sqrt(0.02)}
PHONE = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
PAGE = """<!doctype html>
<html lang="ja" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>histograms for the tests</title>
<style>
  body {{ margin: 0 auto; max-width: 720px; padding: 12px; font-family: system-ui, "Noto Sans CJK JP", "IPAexGothic", sans-serif; background: #fff; color: #222832; line-height: 1.6; }}
  html[data-theme="dark"] {{ color-scheme: dark; }}
  html[data-theme="dark"] body {{ background: #14181e; color: #ced6dd; }}
</style>
<style>{style}</style>
</head>
<body>
<main>
<h1>層を通る値</h1>
{figures}
<p id="after">図のあとの文章。</p>
</main>
<script>{generated}</script>
<script>(() => {{ "use strict";
{module}}})();</script>
</body>
</html>
"""


def settings(**changes):
    """What the directive makes of these options."""
    options = {
        "activations": "sigmoid tanh relu leaky-relu",
        "scales": "0.01 xavier he 1",
        "range": "0.0001..10",
        "batchnorm": "none before after",
        "bias": "-1..1",
    }
    return histograms.settings(
        {**options, **{name.replace("_", "-"): text for name, text in changes.items()}}
    )


def figure_html(name, config):
    still = '<svg role="img" aria-label="静止画" viewBox="0 0 100 40" width="300"></svg>'
    return (
        f'<figure class="histograms" id="{name}">\n<div class="histograms-still">{still}</div>\n'
        f"{histograms.Histograms().config_html(config)}<figcaption>つまみを動かしてください。</figcaption></figure>"
    )


class Figure:
    """One figure on an open page, as the tests speak of it."""

    def __init__(self, page, name):
        self.page, self.name = page, name
        self.root = page.locator(f"#{name}")

    def ask(self, what):
        return self.root.evaluate(f"(figure) => figure.fumotoHistograms.{what}")

    def state(self):
        """The state after the next frames were drawn."""
        self.page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return self.ask("state()")

    def found(self, every=1):
        """What was found for each layer; of the outputs, one in ``every``."""
        return self.ask(
            f"found().map((part) => ({{...part, outputs: [...part.outputs].filter((_, j) => j % {every} === 0)}}))"
        )

    def set(self, **state):
        return self.ask(f"change({json.dumps(state)})")

    def part(self, selector):
        return self.root.locator(selector)

    def slider(self, name="scale"):
        return self.part(f'[data-name="{name}"] input')

    def radio(self, name):
        return self.root.get_by_role("radio", name=name, exact=True)

    def button(self, text):
        return self.root.get_by_role("button", name=text, exact=True)

    def rows(self):
        return self.part(".histograms-numbers").all_inner_texts()

    def drawings(self):
        return [path.get_attribute("d") for path in self.part(".histograms-bars").all()]


@pytest.fixture(scope="module")
def generated():
    return script(*EVERYTHING, read(labels=labels_of(*EVERYTHING)))


@pytest.fixture
def show(browser, tmp_path, generated):
    """``show(name=settings, ...)`` opens a page with these figures and returns one ``Figure`` for each.

    After the test, no page may have reported an error or asked for anything outside itself.
    """
    with opened(browser, tmp_path) as open_page:

        def show(figures, *, theme="light", fragment="", code=generated, **options):
            text = PAGE.format(
                theme=theme,
                style=(STATIC / "histograms.css").read_text(encoding="utf-8"),
                figures="\n<p>間の文章。</p>\n".join(itertools.starmap(figure_html, figures.items())),
                generated=code,
                module=(STATIC / "histograms.js").read_text(encoding="utf-8"),
            )
            page = open_page(text, fragment, **options)
            return one_or_all([Figure(page, name) for name in figures])

        yield show


# ---- What is drawn is what the equations say ----


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_equal_those_of_the_layers_of_the_package(show, activation):
    """Every activation, scale and place; sums are rounded in another order, so relative to the largest output."""
    figure = show({"play": settings()})
    for scale, place in itertools.product([0.0001, 0.01, "xavier", "he", 1, 10], ["none", "before", "after"]):
        figure.set(activation=activation, scale=scale, place=place)
        figure.state()
        expected = layer_outputs(activation, STDS.get(scale, scale), place)
        for ours, theirs in zip(figure.found(every=37), expected, strict=True):
            outputs, where = theirs.outputs.ravel()[::37], f"{activation} {scale} {place}"
            # BatchNorm divides by √ε at least: of values that hardly differ it magnifies the rounding
            lost = 0 if place == "none" else 1e-12
            size = 1e-9 * np.abs(theirs.outputs).max() + lost
            np.testing.assert_allclose(ours["outputs"], outputs, rtol=1e-9, atol=size, err_msg=where)
            np.testing.assert_allclose(ours["spread"], theirs.spread, rtol=1e-9, atol=lost, err_msg=where)
            assert abs(ours["share"] - theirs.share) < 1e-4, where
            assert not ours["countsDead"] or ours["dead"] == theirs.dead, where


def test_a_bias_is_added_to_every_node(show):
    figure = show({"play": settings(activations="relu leaky-relu", scale="he")})
    for activation, bias in itertools.product(["relu", "leaky-relu"], [-1, -0.5, 0.5]):
        figure.set(activation=activation, bias=bias)
        figure.state()
        expected = layer_outputs(activation, STDS["he"], bias=bias)
        for ours, theirs in zip(figure.found(every=37), expected, strict=True):
            np.testing.assert_allclose(ours["outputs"], theirs.outputs.ravel()[::37], rtol=1e-9, atol=1e-12)
            assert ours["dead"] == theirs.dead


@pytest.mark.parametrize("activation", LAYER_OF)
def test_bars_are_as_high_as_the_counts(show, activation):
    figure = show({"play": settings(activations=activation, scale="he")})
    low, high, bins = {"sigmoid": (0, 1, 60), "tanh": (-1, 1, 60)}.get(activation, (-12, 8, 120))
    for drawing, theirs in zip(figure.drawings(), layer_outputs(activation, STDS["he"]), strict=True):
        outputs = theirs.outputs.ravel()
        if bins == 120:
            outputs = np.log10(outputs[outputs > 0])
        counts, _ = np.histogram(outputs, bins, (low, high))
        heights = 40 - np.array([float(y) for y in re.findall(r"V([\d.]+)H", drawing)])
        np.testing.assert_allclose(heights / heights.max(), counts / counts.max(), atol=0.01)


def test_another_sign_in_an_equation_draws_something_else(show, generated):
    wrong = generated.replace("(x - mu)/", "(x + mu)/")
    assert wrong != generated
    figures = [show({"play": settings(batchnorm="after")}, code=code) for code in (generated, wrong)]
    right, other = (figure.found(every=1000) for figure in figures)
    assert right[0]["outputs"] != other[0]["outputs"]
    assert figures[0].drawings() != figures[1].drawings()


# ---- Controls ----


def middle(box, share=0.5):
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def test_the_slider_by_mouse(show):
    figure = show({"play": settings()})
    slider, before = figure.slider(), figure.drawings()
    box = slider.bounding_box()
    figure.page.mouse.move(*middle(box, 0.8))
    figure.page.mouse.down()
    figure.page.mouse.move(*middle(box, 0.5), steps=3)
    assert 0.02 < figure.state()["sigma"] < 0.05  # already while it is dragged
    figure.page.mouse.up()
    text = figure.part('[data-name="scale"] output').inner_text()
    assert slider.get_attribute("aria-valuetext") == text == f"{figure.state()['sigma']:.3g}"
    assert figure.drawings() != before


def test_the_sliders_by_keyboard(show):
    figure = show({"play": settings()})
    slider = figure.slider()
    slider.focus()
    slider.press("Home")
    assert figure.state()["sigma"] == 0.0001
    slider.press("End")
    assert figure.state()["sigma"] == 10
    slider.press("ArrowLeft")
    assert figure.state()["sigma"] == pytest.approx(10 * 1e5 ** (-1 / 200), rel=5e-3)
    figure.slider("bias").press("Home")
    assert figure.state()["bias"] == -1
    assert figure.part('[data-name="bias"] output').inner_text() == "−1"


def test_the_slider_by_touch(show):
    figure = show({"play": settings()}, **PHONE)
    slider = figure.slider()
    slider.scroll_into_view_if_needed()
    box, session = slider.bounding_box(), figure.page.context.new_cdp_session(figure.page)
    for kind, share in [("touchStart", 0.8), ("touchMove", 0.5), ("touchMove", 0.2), ("touchEnd", None)]:
        points = [] if share is None else [dict(zip("xy", middle(box, share), strict=True))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert 0.0005 < figure.state()["sigma"] < 0.002


def test_named_scales_are_exact_and_marked(show):
    figure = show({"play": settings(activations="relu")})
    assert figure.button("1").get_attribute("aria-pressed") == "true"
    figure.button("He(0.14)").click()
    assert figure.state()["sigma"] == pytest.approx(np.sqrt(0.02), rel=1e-15)
    assert figure.part('[data-name="scale"] output').inner_text() == "0.141(He)"
    assert figure.button("He(0.14)").get_attribute("aria-pressed") == "true"
    assert figure.button("1").get_attribute("aria-pressed") == "false"
    figure.slider().press("ArrowRight")
    figure.state()
    assert figure.part("[aria-pressed=true]").count() == 0
    figure.button("元の設定に戻す").click()
    assert figure.state()["sigma"] == 1


def test_activation_and_place_are_chosen(show):
    figure = show({"play": settings()})
    assert figure.part("input:checked").count() == 2
    figure.radio("ReLU").check()
    assert figure.state()["activation"] == "relu"
    assert "死んだノード 0 / 100" in figure.rows()[0].replace("\n", " ")
    figure.radio("活性化関数の後").check()
    assert figure.state()["place"] == "after"
    assert "標準偏差 1" in figure.rows()[4].replace("\n", " ")
    figure.radio("なし").check()
    figure.radio("シグモイド").check()
    figure.state()
    assert "飽和" in figure.rows()[0]
    assert "死んだノード" not in figure.rows()[0]
    assert figure.part("input:checked").count() == 2


def test_the_equations_that_are_evaluated_now_are_linked(show):
    used = ["eq-affine-a", "eq-mean", "eq-std", "eq-sigmoid", "eq-relu", "eq-he-std", "eq-batchnorm-scale"]
    figure = show(
        {"play": {**settings(), "equations": {label: [f"式 {label}", f"#{label}"] for label in used}}}
    )

    def links():
        figure.state()
        return figure.part("a").evaluate_all("(links) => links.map((link) => link.hash.slice(1))")

    assert links() == used[:4]
    figure.radio("ReLU").check()
    figure.button("He(0.14)").click()
    figure.radio("活性化関数の前").check()
    assert sorted(links()) == sorted([*used[:3], *used[4:]])


def test_the_axes_are_named_and_numbered(show):
    figure = show({"play": settings(activations="tanh relu leaky-relu")})
    axis, unit = figure.part(".histograms-axis"), figure.part(".histograms-unit").first
    assert axis.inner_text().split() == ["−1", "0", "1"]
    assert unit.inner_text().startswith("横軸は出力、縦軸は個数")
    figure.radio("Leaky ReLU").check()
    figure.state()
    assert axis.inner_text().split() == ["10⁻¹²", "10⁻⁸", "10⁻⁴", "1", "10⁴", "10⁸"]
    assert "対数目盛。青が正、黄が負の値" in unit.inner_text()
    figure.radio("活性化関数の後").check()
    figure.state()
    assert axis.inner_text().split() == ["−4", "−2", "0", "2", "4"]


def test_what_cannot_be_chosen_is_not_offered(show):
    config = histograms.settings({"activations": "tanh", "scale": "xavier"})
    figure = show({"play": config})
    assert figure.part("fieldset").count() == 0
    assert figure.slider("bias").count() == 0
    assert figure.button("元の設定に戻す").is_visible()


# ---- Too large ----


def test_values_that_are_too_large_show_a_sign_and_no_nan(show):
    figure = show({"play": settings(activations="relu", range="0.01..1e100")})
    figure.slider().press("End")
    figure.state()
    rows = figure.rows()
    assert "出力が 0 50 %" in rows[0].replace("\n", " ")
    assert "値が大きくなりすぎました" in rows[-1]
    assert "枠の外 50 %" in rows[0].replace("\n", " ")
    for place in ("活性化関数の前", "活性化関数の後", "なし"):
        figure.radio(place).check()
        figure.state()
        html = figure.root.evaluate("(figure) => figure.outerHTML")
        assert not re.search(
            r"\bNaN\b|Infinity|undefined|\bnull(?!,)", re.sub(r"<script.*?</script>", "", html, flags=re.S)
        )
    figure.page.wait_for_function(
        "document.querySelector('.histograms-live').textContent.includes('大きくなりすぎ')"
    )
    figure.slider().press("Home")
    figure.state()
    assert not any("大きくなりすぎ" in row for row in figure.rows())


def test_the_smallest_scales_show_no_nan_either(show):
    figure = show({"play": settings(range="1e-300..10")})
    for activation, place in itertools.product(
        ["シグモイド", "tanh", "ReLU", "Leaky ReLU"], ["なし", "活性化関数の前", "活性化関数の後"]
    ):
        figure.radio(activation).check()
        figure.radio(place).check()
        figure.slider().press("Home")
        figure.state()
        assert not re.search(r"NaN|Infinity|undefined", figure.root.inner_text() + "".join(figure.drawings()))


# ---- The address ----


def test_the_address_holds_the_state(show):
    first = show({"play": settings()})
    first.radio("tanh").check()
    first.button("He(0.14)").click()
    first.radio("活性化関数の前").check()
    first.slider("bias").press("Home")
    first.page.wait_for_function("location.hash.includes('bias=-1')")
    fragment = first.page.evaluate("location.hash")
    assert fragment == "#play:activation=tanh;scale=he;place=before;bias=-1"
    second = show({"play": settings()}, fragment=fragment)
    assert second.state() == first.state()
    assert second.found(every=1000) == first.found(every=1000)
    assert second.part("input:checked").count() == 2


def test_a_wrong_address_does_no_harm(show):
    figure = show(
        {"play": settings()}, fragment="#play:activation=step;scale=1e999;place=%41;bias=NaN;junk;%F0%9F"
    )
    assert figure.state() == {"activation": "sigmoid", "scale": 1, "place": "none", "bias": 0, "sigma": 1}
    figure = show({"play": settings()}, fragment="#play:scale=1e9;bias=-7")
    assert (figure.state()["sigma"], figure.state()["bias"]) == (10, -1)


def test_a_link_followed_at_once_stays_in_the_address(show):
    figure = show({"play": settings()})
    figure.slider().press("End")
    figure.page.evaluate("location.hash = '#after'")
    figure.page.wait_for_timeout(600)  # the address is written a quarter of a second after the last change
    assert figure.page.evaluate("location.hash") == "#after"


def test_several_figures_do_not_disturb_one_another(show):
    first, second = show({"one": settings(), "two": settings(activations="relu")}, fragment="#two:scale=he")
    assert first.state()["sigma"] == 1
    assert second.state()["sigma"] == pytest.approx(np.sqrt(0.02))
    first.slider().press("End")
    first.radio("活性化関数の前").check()
    assert second.state()["place"] == "none"
    assert second.part("input:checked").count() == 1
    ids = first.page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))
    second.page.evaluate("location.hash = '#one:scale=0.5'")
    second.page.wait_for_function("document.getElementById('one').fumotoHistograms.state().scale === 0.5")


# ---- Speed and access ----


@pytest.mark.alone
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_change_is_drawn_in_50_ms(show, activation):
    figure = show({"play": settings(activations=activation, batchnorm="after")})
    changes = figure.slider().evaluate("""async (slider) => {
        const work = [], figure = slider.closest("figure");
        for (let k = 0; k < 20; k++) {
            const begin = performance.now();
            slider.value = 100 + k;
            slider.dispatchEvent(new Event("input"));
            figure.fumotoHistograms.paint();
            document.body.offsetHeight;
            work.push(performance.now() - begin);
            await new Promise(requestAnimationFrame);
        }
        return work;
    }""")
    print(f"{activation}: {statistics.median(changes):.1f} ms for a change")
    assert statistics.median(changes) < 50


def test_every_control_has_a_name_and_is_reached_by_tab(show):
    names = names_reached_by_tab(show({"play": settings()}), "input, button")
    assert len(set(names)) == len(names)


def test_the_result_is_said_once_the_hand_rests(show):
    figure = show({"play": settings()})
    figure.page.wait_for_timeout(700)
    live = figure.part("[role=status]")
    assert live.inner_text() == ""  # not unasked
    figure.button("0.01").click()
    figure.radio("活性化関数の前").check()
    figure.page.wait_for_function("document.querySelector('.histograms-live').textContent !== ''")
    said = live.inner_text()
    assert said.startswith(
        "シグモイド、σ = 0.01、BatchNorm 活性化関数の前。1 層は標準偏差 0.21、飽和 1 % 未満。5 層は"
    )
    labels = [picture.get_attribute("aria-label") for picture in figure.part("svg").all()[1:]]
    assert labels[4].startswith("5 層の出力の分布。標準偏差 0.21、飽和 1 % 未満")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", ["none", "after"])
def test_axe_finds_nothing(show, axe, theme, place):
    config = settings(activations="leaky-relu sigmoid", range="0.01..1e100")
    figure = show({"play": config}, theme=theme, fragment=f"#play:scale=1e99;place={place}")
    figure.state()  # with the sign that values are too large
    violations = axe.run(figure.page).response["violations"]
    assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)


def test_light_and_dark_follow_the_theme(show):
    colors = set()
    for theme in ("light", "dark"):
        figure = show({"play": settings()}, theme=theme)
        style = "(node) => getComputedStyle(node).fill"
        colors.add(figure.part(".histograms-bars").first.evaluate(style))
    assert len(colors) == 2


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_phone_shows_it_without_sideways_scroll(show, activation):
    figure = show(
        {"play": settings(batchnorm="none before after")},
        **PHONE,
        fragment=f"#play:activation={activation};scale=10",
    )
    figure.state()
    assert figure.page.evaluate("document.documentElement.scrollWidth") == 375
    small = figure.part("input, button, label").evaluate_all(
        "(nodes) => nodes.filter((n) => n.type !== 'radio' && !n.htmlFor).map((n) => n.getBoundingClientRect().height).filter((h) => h < 44)"
    )
    assert small == []
    assert figure.part("svg").last.bounding_box()["width"] > 250


def test_nothing_is_computed_before_the_figure_comes_near(show):
    """A page with several figures opens at once; the place of the last one is kept for it."""
    first, last = show({"first": settings(), "last": settings()}, viewport={"width": 800, "height": 200})
    first.state()
    before = last.root.bounding_box()
    assert first.drawings()[0]
    assert (last.drawings(), last.ask("found()")) == ([None] * 5, None)
    assert last.part("output").all_inner_texts() == first.part("output").all_inner_texts()
    last.root.scroll_into_view_if_needed()
    until(last.page, "() => document.querySelector('#last .histograms-bars').getAttribute('d')")
    assert last.drawings() == first.drawings()
    assert last.root.bounding_box()["height"] == before["height"]


def test_without_javascript_and_in_print_the_still_stands_in(show):
    figure = show({"play": settings()}, java_script_enabled=False)
    assert figure.part(".histograms-still").is_visible()
    assert figure.part("figcaption").is_hidden()
    figure = show({"play": settings()})
    assert figure.part(".histograms-still").is_hidden()
    figure.page.emulate_media(media="print")
    assert figure.part(".histograms-still").is_visible()
    assert figure.part(".histograms-figure").is_hidden()
