"""The playgrounds, played with in a real browser (see conftest.py for when these tests are skipped)."""

import json
import shutil
import statistics

import numpy as np
import pytest

import played
from fumoto.experiments.momentum import roots
from fumoto.printed.playground import PLAYED, SURFACES

from .alone import names_reached_by_tab
from .conftest import BOOK, generated, until

ALL = ["SGD", "Momentum", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam", "AdamW", "Lion"]
VALUES = {"eta": 0.1, "alpha": 0.9, "rho": 0.9, "beta_1": 0.9, "beta_2": 0.999, "varepsilon": 1e-8}
BEST = {"bowl": {"SGD.eta": 0.5, "Momentum.eta": 0.3, "Momentum.alpha": 0.5}}
KAPPA = {"low": 1, "high": 100, "log": True, "title": "条件数 κ"}


def config(**changes):
    """A playground's configuration, with what the tests do not care about filled in."""
    return {
        "surface": "bowl",
        "methods": ["SGD", "Momentum"],
        "on": ["SGD", "Momentum"],
        "start": [-7, 2],
        "steps": 60,
        "values": VALUES,
        "sliders": {
            "eta": {"low": 0.001, "high": 2, "log": True, "title": "学習率 η"},
            "alpha": {"low": 0, "high": 0.99, "title": "慣性 α"},
            "steps": {"low": 1, "high": 500, "title": "歩数"},
        },
        **changes,
    }


# ---- What is drawn is what the formulas say ----


@pytest.mark.parametrize("surface", SURFACES)
def test_every_path_equals_that_of_the_package_over_500_steps(show, surface):
    """Every method and every switchable mistake, from the equations of the pages."""
    start, names = SURFACES[surface].surface.start, list(PLAYED)
    settings = config(surface=surface, methods=names, on=names, start=start, steps=played.STEPS)
    figure = show(play={**settings, "values": played.VALUES, "sliders": {}})
    paths, losses, fates = figure.trajectories(), figure.ask("losses()"), figure.ask("fates()")
    assert list(paths) == names
    for name, path in paths.items():
        expected = played.python_path(surface, name)
        end = played.finite_steps(expected)
        assert end > 5, "too early to see anything"
        assert end == played.STEPS + 1 or name in played.WRONG
        if len(path) != end:  # the browser also stops where only the height is no number any more
            assert fates[name]["kind"] == "diverged"
            with np.errstate(over="ignore"):
                assert not np.isfinite(SURFACES[surface].surface(expected[len(path)]))
        ours, theirs = np.array(path, float), expected[: len(path)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14, err_msg=name)
        heights = SURFACES[surface].surface(theirs.T)
        np.testing.assert_allclose(
            np.array(losses[name], float), heights, rtol=1e-11, atol=1e-13, err_msg=name
        )


def test_another_sign_on_a_page_is_another_path_in_the_browser(show, tmp_path):
    """Nothing but the text of one equation is changed."""
    for page in BOOK.glob("*.md"):
        shutil.copy(page, tmp_path)
    page = tmp_path / "03-momentum.md"
    text = page.read_text(encoding="utf-8")
    assert text.count(r"\alpha v_t - \eta g_t") == 1
    page.write_text(text.replace(r"\alpha v_t - \eta g_t", r"\alpha v_t + \eta g_t"), encoding="utf-8")
    right = show(play=config()).trajectories()
    wrong = show(play=config(), script=generated(tmp_path)).trajectories()
    assert right["SGD"] == wrong["SGD"]
    assert right["Momentum"][1] == pytest.approx([-6.93, 1.6])
    assert wrong["Momentum"][1] == pytest.approx([-7.07, 2.4])  # uphill


def test_a_value_may_belong_to_one_method(show):
    values = {**VALUES, "Momentum.eta": 0.03}
    sliders = {"Momentum.eta": {"low": 0.01, "high": 1, "log": True, "title": "Momentum の η"}}
    figure = show(play=config(values=values, sliders=sliders))
    for method, eta in {"SGD": 0.1, "Momentum": 0.03}.items():
        expected = played.python_path("bowl", method, (-7, 2), 60, {**VALUES, "eta": eta})
        np.testing.assert_allclose(figure.trajectories()[method], expected, rtol=0, atol=1e-12)
    figure.slider("Momentum.eta").press("End")
    assert figure.state()["values"]["Momentum.eta"] == 1


def test_several_versions_of_one_method_exclude_one_another(show):
    pairs = [["Momentum", "Momentum/notes"], ["Momentum", "Nesterov"]]
    figure = show(play=config(on=["Momentum"], switch=pairs))
    for label, name in {
        "原ノートの式 w − v": "Momentum/notes",
        "NAG": "Nesterov",
        "印刷された式": "Momentum",
    }.items():
        figure.root.get_by_role("radio", name=label, exact=True).check()
        assert list(figure.trajectories()) == [name]
    assert figure.part("input[type=radio]:checked").count() == 1


def test_the_notes_version_takes_the_place_of_the_printed_equation(show):
    figure = show(play=config(switch=[["Momentum", "Momentum/notes"]]))
    assert list(figure.trajectories()) == ["SGD", "Momentum"]
    figure.root.get_by_label("原ノートの式 w − v").check()
    path = figure.trajectories()["Momentum/notes"]
    assert path[1] == pytest.approx([-7 - 0.07, 2 + 0.4])  # uphill
    assert "発散しました: Momentum(原ノートの式 w − v、" in figure.message()[0]
    figure.root.get_by_label("印刷された式").check()
    assert "Momentum" in figure.trajectories()
    assert figure.message() == []


# ---- Controls ----


def middle(box, share=0.5):
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def touch(page, *points):
    """One finger: down, along the points, up."""
    session = page.context.new_cdp_session(page)
    for kind, point in zip(["touchStart"] + ["touchMove"] * (len(points) - 1), points, strict=True):
        session.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [dict(zip("xy", point, strict=True))]}
        )
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_slider_by_mouse(show):
    figure = show(play=config())
    slider = figure.slider("eta")
    slider.scroll_into_view_if_needed()
    page, box, before = figure.page, slider.bounding_box(), figure.trajectories()
    page.mouse.move(*middle(box, 0.6))
    page.mouse.down()
    page.mouse.move(*middle(box, 0.7))
    page.mouse.up()
    eta = figure.state()["values"]["eta"]
    assert 0.1 < eta < 0.4
    assert slider.get_attribute("aria-valuetext") == figure.part('[data-name="eta"] output').inner_text()
    assert float(slider.get_attribute("aria-valuetext")) == eta
    assert figure.trajectories() != before


def test_a_slider_by_keyboard(show):
    figure = show(play=config())
    slider = figure.slider("eta")
    slider.focus()
    slider.press("Home")
    assert figure.state()["values"]["eta"] == 0.001
    slider.press("End")
    assert figure.state()["values"]["eta"] == 2
    slider.press("ArrowLeft")
    assert figure.state()["values"]["eta"] == pytest.approx(2 * 2000 ** (-1 / 200), rel=5e-3)
    figure.slider("alpha").press("End")
    assert figure.state()["values"]["alpha"] == 0.99
    figure.slider("steps").press("ArrowRight")
    assert figure.state()["values"]["steps"] == 61
    assert len(figure.trajectories()["SGD"]) <= 62


def test_a_slider_by_touch(show):
    figure = show(play=config(), has_touch=True, is_mobile=True, viewport={"width": 375, "height": 740})
    slider = figure.slider("eta")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    touch(figure.page, *[middle(box, share) for share in (0.6, 0.5, 0.4, 0.3)])
    assert 0.001 < figure.state()["values"]["eta"] < 0.05


def test_methods_and_surfaces_are_chosen(show):
    figure = show(play=config(methods=ALL, on=["SGD"], surfaces=["bowl", "ravine", "saddle", "hollow"]))
    assert list(figure.trajectories()) == ["SGD"]
    figure.root.get_by_role("checkbox", name="Adam", exact=True).check()
    figure.root.get_by_role("checkbox", name="GD", exact=False).uncheck()
    assert list(figure.trajectories()) == ["Adam"]
    figure.root.get_by_role("combobox", name="地形", exact=True).select_option("曲がった谷")
    state = figure.state()
    assert (state["surface"], state["start"]) == ("ravine", [-1.4, 0])
    assert figure.trajectories()["Adam"][0] == [-1.4, 0]
    figure.root.get_by_role("combobox", name="地形", exact=True).select_option("窪みのある斜面")
    assert figure.trajectories()["Adam"][0] == [-5]
    figure.button("元の設定に戻す").click()
    assert list(figure.trajectories()) == ["SGD"]
    assert figure.state()["surface"] == "bowl"


@pytest.mark.parametrize("by", ["mouse", "touch"])
def test_the_start_is_dragged(show, by):
    size = {"width": 375, "height": 740} if by == "touch" else {"width": 800, "height": 1000}
    figure = show(play=config(), has_touch=by == "touch", viewport=size)
    figure.part(".playground-stage").scroll_into_view_if_needed()
    figure.state()
    stage, handle = (figure.part(f".playground-{part}").bounding_box() for part in ("stage", "start"))
    goal = stage["x"] + stage["width"] * 9 / 13, stage["y"] + stage["height"] * 0.25  # x = 1, y = 1.75
    if by == "touch":
        begin = np.array(middle(handle))
        touch(figure.page, *[tuple(map(float, begin + (goal - begin) * k / 5)) for k in range(6)])
    else:
        figure.page.mouse.move(*middle(handle))
        figure.page.mouse.down()
        figure.page.mouse.move(*goal, steps=4)
        figure.page.mouse.up()
    assert figure.state()["start"] == pytest.approx([1, 1.75], abs=0.05)
    assert figure.trajectories()["SGD"][0] == figure.state()["start"]
    moved = figure.part(".playground-start").bounding_box()
    assert middle(moved) == pytest.approx(goal, abs=2)


def test_the_start_is_moved_by_keys(show):
    figure = show(play=config())
    handle = figure.part(".playground-start")
    handle.press("ArrowRight")
    handle.press("ArrowDown")
    handle.press("Shift+ArrowDown")
    assert figure.state()["start"] == [-6.9, 1.89]
    assert "(−6.90, 1.89)" in handle.get_attribute("aria-label")
    for _ in range(30):
        handle.press("ArrowLeft")
    assert figure.state()["start"] == [-8, 1.89]  # stays on the map


def test_a_click_on_the_map_puts_the_start_there(show):
    figure = show(play=config(on=["SGD"]))
    box = figure.part(".playground-paths").bounding_box()
    figure.part(".playground-paths").click(position={"x": box["width"] * 0.9, "y": box["height"] * 0.9})
    assert figure.state()["start"] == pytest.approx([3.7, -2.8], abs=0.05)


# ---- Time ----


def test_play_pause_step_reset(show):
    figure = show(play=config(steps=500))
    state = figure.state()
    assert (state["playing"], state["time"]) == (False, 500)  # nothing moves unasked; the whole path is there
    figure.button("再生").click()
    figure.page.wait_for_timeout(300)
    playing = figure.state()
    assert playing["playing"] and 0 < playing["time"] < 400
    figure.button("一時停止").click()
    paused = figure.state()
    figure.page.wait_for_timeout(100)
    assert not paused["playing"] and figure.state()["time"] == paused["time"]
    figure.button("1 歩進む").click()
    assert figure.state()["time"] == np.floor(paused["time"]) + 1
    figure.button("最初に戻す").click()
    assert figure.state()["time"] == 0
    assert figure.part(".playground-clock").inner_text() == "0 / 500 歩"
    figure.part(".playground-scrub").press("End")
    assert figure.state()["time"] == 500


def test_playing_ends_with_the_whole_path(show):
    figure = show(play=config(steps=3))
    figure.button("再生").click()
    figure.page.wait_for_function("!document.getElementById('play').fumotoPlayground.state().playing")
    state = figure.state()
    assert (state["playing"], state["time"]) == (False, 3)


def test_a_point_tells_its_step_place_and_loss(show):
    figure = show(play=config())
    figure.part(".playground-reset").click()
    figure.button("1 歩進む").click()
    figure.state()
    figure.part(".playground-point:visible").nth(0).focus()
    figure.state()
    assert figure.part(".playground-tip").inner_text().split("\n") == [
        "GD",
        "1 歩目",
        "w = (−6.93, 1.60)",
        "損失 4.96",
    ]
    figure.page.keyboard.press("ArrowRight")
    figure.state()
    assert "2 歩目" in figure.part(".playground-tip").inner_text()
    assert "2 歩目" in figure.part(".playground-point:visible").nth(0).get_attribute("aria-label")
    figure.page.keyboard.press("Tab")
    figure.page.keyboard.press("Tab")  # on to the handle of the start
    assert figure.part(".playground-start").evaluate("(node) => node === document.activeElement")
    figure.state()
    assert not figure.part(".playground-tip").is_visible()
    stage = figure.part(".playground-stage").bounding_box()
    figure.page.mouse.move(stage["x"] + stage["width"] * 1.07 / 13, stage["y"] + stage["height"] * 1.9 / 7)
    figure.state()
    assert "損失" in figure.part(".playground-tip").inner_text()
    figure.page.mouse.move(stage["x"], stage["y"] - 20)
    figure.state()
    assert not figure.part(".playground-tip").is_visible()


# ---- Divergence ----


def texts(page):
    """Everything a reader could come across: text and attributes."""
    return page.evaluate("""() => [document.querySelector("main").innerText,
        ...[...document.querySelectorAll("main *")].filter((node) => node.tagName !== "SCRIPT").flatMap((node) => [...node.attributes].map((a) => a.value))].join("\\n")""")


def test_too_large_a_rate_shows_a_sign_and_recovers(show):
    figure = show(play=config(on=["SGD"], steps=500))
    assert figure.message() == []
    slider = figure.slider("eta")
    slider.press("End")
    figure.state()
    assert figure.message() == ["発散しました: GD(2 歩目)"]
    assert figure.part(".playground-now").first.inner_text() == "発散"
    status = figure.root.get_by_role("status")
    status.get_by_text("発散しました: GD(2 歩目)").wait_for()
    for _ in range(40):
        slider.press("ArrowLeft")
    figure.state()
    assert figure.message() == []
    status.get_by_text("収まりました").wait_for()
    assert figure.part(".playground-now").first.inner_text() != "発散"


def test_leaving_the_map_downhill_is_not_called_divergence(show):
    figure = show(play=config(surface="saddle", methods=["SGD"], on=["SGD"], start=[1.5, 0.001], steps=200))
    figure.state()
    assert figure.message() == []
    assert figure.part(".playground-now").inner_text() == "地図の外"
    figure.root.get_by_role("status").get_by_text("地図の外へ出ました: GD(").wait_for()


@pytest.mark.parametrize("surface", ["bowl", "saddle", "ravine", "hollow"])
def test_no_nan_reaches_the_screen(show, surface):
    start = [-5] if surface == "hollow" else [1.5, 1]
    values = {**VALUES, "eta": 1.9, "varepsilon": 0, "rho": 0}
    figure = show(play=config(surface=surface, methods=ALL, on=ALL, start=start, steps=500, values=values))
    figure.state()
    seen = texts(figure.page)
    figure.part(".playground-reset").click()
    for _ in range(3):
        figure.button("1 歩進む").click()
        figure.state()
        seen += texts(figure.page)
    figure.button("再生").click()
    figure.page.wait_for_timeout(200)
    seen += texts(figure.page)
    for word in ("NaN", "Infinity", "undefined", "null"):
        assert word not in seen


# ---- Looks ----


def pixel(figure, x=0.97, y=0.5):
    return figure.part(".playground-ground").evaluate(
        """(canvas, [x, y]) => {
            const ink = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
            ink.drawImage(canvas, -canvas.width * x, -canvas.height * y);
            return [...ink.getImageData(0, 0, 1, 1).data];
        }""",
        [x, y],
    )


def picture(figure, part):
    figure.state()
    return figure.part(f".playground-{part}").evaluate("(canvas) => canvas.toDataURL()")


def test_nothing_is_left_of_what_was_drawn_before(show):
    figure = show(play=config(methods=ALL, on=ALL, surfaces=["bowl", "ravine"]))
    fresh = {part: picture(figure, part) for part in ("ground", "paths", "loss")}
    slider = figure.slider("eta")
    slider.press("End")
    assert picture(figure, "paths") != fresh["paths"]
    figure.root.get_by_role("combobox", name="地形", exact=True).select_option("曲がった谷")
    assert picture(figure, "ground") != fresh["ground"]
    figure.button("最初に戻す").click()
    figure.button("1 歩進む").click()
    figure.button("元の設定に戻す").click()
    assert {part: picture(figure, part) for part in fresh} == fresh
    for box in figure.part(".playground-method input").all():
        box.uncheck()
    blank = "(c) => c.toDataURL() === Object.assign(document.createElement('canvas'), {width: c.width, height: c.height}).toDataURL()"
    figure.state()
    assert figure.part(".playground-paths").evaluate(blank)


def test_dark_and_light_follow_the_theme(show):
    figure = show(play=config())
    figure.state()
    light = pixel(figure)
    figure.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    figure.state()
    dark = pixel(figure)
    assert sum(light[:3]) > 450 > 300 > sum(dark[:3])
    figure.page.evaluate("document.documentElement.dataset.theme = 'light'")
    figure.state()
    assert pixel(figure) == light


@pytest.mark.parametrize("surface", ["bowl", "hollow"])
def test_narrow_screens_do_not_scroll_sideways(show, surface):
    pairs = [["Momentum", "Momentum/notes"]]
    start = [-5] if surface == "hollow" else [-7, 2]
    settings = config(
        surface=surface,
        surfaces=["bowl", "hollow"],
        methods=ALL,
        on=ALL,
        start=start,
        switch=pairs,
        best=BEST,
    )
    figure = show(play=settings, viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True)
    figure.state()
    assert figure.page.evaluate("document.documentElement.scrollWidth") == 375
    sizes = figure.part(
        "button:visible:not(.playground-point), select, label:visible:has(input)"
    ).evaluate_all("(nodes) => nodes.map((node) => node.getBoundingClientRect().height)")
    assert min(sizes) >= 44  # wide enough for a finger


def test_sharp_on_dense_screens_and_after_resizing(show):
    figure = show(play=config(), device_scale_factor=2)
    figure.state()
    size = "(c) => [c.width, c.height, c.clientWidth, c.clientHeight]"
    width, height, css_width, css_height = figure.part(".playground-paths").evaluate(size)
    assert (width, height) == (2 * css_width, 2 * css_height)
    figure.page.set_viewport_size({"width": 500, "height": 900})
    figure.state()
    assert figure.part(".playground-paths").evaluate(size)[2] < css_width


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_unasked(show, motion):
    figure = show(play=config(), reduced_motion=motion)
    figure.page.wait_for_timeout(200)
    state = figure.state()
    assert (state["playing"], state["time"]) == (False, 60)


def test_nothing_is_drawn_before_the_figure_comes_near(show):
    first, last = show(first=config(), last=config(), viewport={"width": 800, "height": 200})
    first.state()
    picture = "document.querySelector('#last canvas').toDataURL()"
    empty = last.page.evaluate(picture)
    assert empty != first.root.evaluate("(figure) => figure.querySelector('canvas').toDataURL()")
    last.root.scroll_into_view_if_needed()
    until(last.page, f"(empty) => {picture} !== empty", empty)


def test_without_javascript_the_still_figure_stands(show):
    figure = show(play=config(), java_script_enabled=False)
    assert figure.part(".playground-still").is_visible()
    assert figure.part(".playground-figure").count() == 0


def test_print_shows_the_still_figure(show):
    figure = show(play=config())
    assert not figure.part(".playground-still").is_visible()
    assert figure.part(".playground-figure").is_visible()
    figure.page.emulate_media(media="print")
    assert figure.part(".playground-still").is_visible()
    assert not figure.part(".playground-figure").is_visible()


# ---- Each method with settings of its own ----


def ends(figure):
    return {name: path[-1] for name, path in figure.trajectories().items()}


def alone(figure_show, **values):
    """Where the two methods end with these values for both."""
    return ends(figure_show(play=config(values={**VALUES, **values})))


def test_a_surface_with_settings_of_their_own_starts_with_them(show):
    figure = show(play=config(surfaces=["bowl", "ravine"], best=BEST))
    box = figure.part(".playground-tuned")
    assert box.is_checked()
    own = {
        "SGD": alone(show, eta=0.5)["SGD"],
        "Momentum": alone(show, eta=0.3, alpha=0.5)["Momentum"],
    }
    assert ends(figure) == own
    box.uncheck()
    shared = alone(show)
    assert ends(figure) == shared
    box.check()
    assert ends(figure) == own
    figure.slider("steps").fill("61")  # how long to look is not a setting of a method
    assert box.is_checked()
    figure.slider("alpha").fill("0.5")  # and this is, for all of them
    assert not box.is_checked()
    assert ends(figure)["SGD"] == show(play=config(steps=61)).trajectories()["SGD"][-1]
    figure.button("元の設定に戻す").click()
    assert box.is_checked() and ends(figure) == own


def test_a_surface_without_them_has_the_shared_values_and_says_so(show):
    figure = show(play=config(surfaces=["bowl", "ravine"], best=BEST))
    figure.part("select").select_option("ravine")
    box = figure.part(".playground-tuned")
    assert box.is_disabled() and not box.is_checked()
    plain = show(play=config(surface="ravine", start=SURFACES["ravine"].surface.start))
    assert ends(figure) == ends(plain)
    figure.part("select").select_option("bowl")
    assert box.is_checked()


def test_the_address_remembers_whether_they_are_used(show):
    settings = config(best=BEST)
    first = show(play=settings)
    first.part(".playground-tuned").uncheck()
    first.page.wait_for_function("location.hash.includes('best=0')")
    second = show(play=settings, fragment=first.page.evaluate("location.hash"))
    assert not second.part(".playground-tuned").is_checked()
    assert ends(second) == alone(show)


def test_without_such_settings_there_is_no_box(show):
    assert not show(play=config()).part(".playground-best").is_visible()


# ---- Roots ----


def narrow(kappa, eta, alpha, **changes):
    values = {**VALUES, "kappa": kappa, "eta": eta, "alpha": alpha}
    return config(surface="narrow", roots=True, values=values, **changes)


def test_the_roots_are_those_of_the_characteristic_equation(show):
    """They come from the printed rules alone; one real and one complex pair, all complex, all real, and diverging."""
    settings = [(20.0, 1.8, 0.5), (20.0, 3.0, 0.6), (4.0, 0.02, 0.2), (20.0, 3.9, 0.9)]
    figures = show(**{f"play{k}": narrow(*each) for k, each in enumerate(settings)})
    for (kappa, eta, alpha), figure in zip(settings, figures, strict=True):
        slopes = eta * np.array([1 / kappa, 1.0])
        found, rates = figure.ask("roots()"), figure.ask("rates()")
        ours = np.sort([[complex(*root) for root in both] for both in found["Momentum"]], axis=1)
        expected = np.sort(roots(alpha, slopes).T, axis=1)
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found["SGD"], [[[1 - slope, 0]] for slope in slopes], rtol=1e-12)
        assert rates["Momentum"] == pytest.approx(np.abs(expected).max())
        assert rates["SGD"] == pytest.approx(np.abs(1 - slopes).max())


def test_kappa_moves_the_valley_the_paths_and_the_roots(show):
    figure = show(play=narrow(20.0, 1.8, 0.5, sliders={"kappa": KAPPA}))
    fresh = {part: picture(figure, part) for part in ("ground", "paths", "roots")}
    said = figure.part(".playground-rates").inner_text()
    figure.slider("kappa").press("End")
    assert figure.state()["values"]["kappa"] == 100
    for part, before in fresh.items():
        assert picture(figure, part) != before, part
    expected = played.python_path("narrow", "Momentum", (-7, 2), 60, figure.state()["values"])
    np.testing.assert_allclose(figure.trajectories()["Momentum"], expected, rtol=1e-11, atol=1e-12)
    spoken = figure.part(".playground-roots").get_attribute("aria-label")
    assert "Momentum、x の向き 0.963 と 0.519、y の向き −0.150 ± 0.691i、倍率 0.963" in spoken
    assert figure.part(".playground-rates").inner_text() != said


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_plane_on_a_phone(show, axe, theme):
    phone = {"viewport": {"width": 375, "height": 740}, "has_touch": True, "is_mobile": True}
    figure = show(play=narrow(20.0, 1.8, 0.5, sliders={"kappa": KAPPA}), theme=theme, **phone)
    figure.state()
    assert figure.page.evaluate("document.documentElement.scrollWidth") == 375
    violations = axe.run(figure.page).response["violations"]
    assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)


def test_without_roots_there_is_no_plane(show):
    assert not show(play=config()).part(".playground-plane").is_visible()


# ---- Address ----


def test_the_address_carries_the_state(show):
    settings = config(surfaces=["bowl", "ravine"], switch=[["Momentum", "Momentum/notes"]])
    first = show(play=settings)
    first.slider("eta").press("PageUp")
    first.root.get_by_role("combobox", name="地形", exact=True).select_option("曲がった谷")
    first.root.get_by_role("checkbox", name="GD").uncheck()
    first.root.get_by_label("原ノートの式 w − v").check()
    first.part(".playground-start").press("ArrowUp")
    first.part(".playground-reset").click()
    first.button("1 歩進む").click()
    first.page.wait_for_function("location.hash.includes('step=1')")
    fragment = first.page.evaluate("location.hash")
    assert fragment.startswith("#play:surface=ravine;on=Momentum;start=-1.4,0.1;eta=")
    second = show(play=settings, fragment=fragment)
    assert second.state() == first.state()
    assert second.trajectories() == first.trajectories()


def test_a_wrong_address_does_no_harm(show):
    fragment = (
        "#play:surface=moon;on=SGD,Nobody;start=1e999,x;eta=NaN;alpha=7;steps=1e9;step=-3;junk;%F0%9F%8F%94"
    )
    figure = show(play=config(), fragment=fragment)
    state = figure.state()
    assert (state["surface"], state["start"], state["time"]) == ("bowl", [-7, 2], 0)
    values = state["values"]
    assert (values["eta"], values["alpha"], values["steps"]) == (0.1, 0.99, 500)
    show(play=config(), fragment="#play:%E0%A4%A")  # not even decodable


def test_ordinary_anchors_still_work(show):
    figure = show(play=config(), fragment="#after")
    assert figure.state()["values"]["eta"] == 0.1
    assert figure.page.evaluate("location.hash") == "#after"
    figure.page.evaluate("location.hash = '#play:eta=0.5'")
    figure.page.wait_for_function(
        "document.getElementById('play').fumotoPlayground.state().values.eta === 0.5"
    )


def test_a_link_followed_at_once_stays_in_the_address(show):
    figure = show(play=config())
    figure.slider("eta").press("End")
    figure.page.evaluate("location.hash = '#after'")
    figure.page.wait_for_timeout(600)  # the address is written a quarter of a second after the last change
    assert figure.page.evaluate("location.hash") == "#after"


def test_several_playgrounds_do_not_disturb_one_another(show):
    pairs = [["Momentum", "Momentum/notes"]]
    hollow = config(surface="hollow", start=[-5], steps=40, switch=pairs)
    first, second = show(one=config(switch=pairs), two=hollow, fragment="#two:eta=0.5")
    assert [figure.part("input[type=radio]:checked").count() for figure in (first, second)] == [1, 1]
    assert (first.state()["values"]["eta"], second.state()["values"]["eta"]) == (0.1, 0.5)
    first.slider("eta").press("End")
    assert second.state()["values"]["eta"] == 0.5
    assert second.message() == []
    ids = first.page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


# ---- Speed and access ----


@pytest.mark.alone
def test_seven_methods_and_500_steps_play_at_60_frames_per_second(show):
    figure = show(play=config(methods=ALL, on=ALL, steps=500, values={**VALUES, "eta": 0.02}))
    figure.page.evaluate("""() => {  // how long each drawing takes
        const ask = requestAnimationFrame, work = globalThis.work = [];
        globalThis.requestAnimationFrame = (draw) => ask((now) => {
            const begin = performance.now();
            draw(now);
            work.push(performance.now() - begin);
        });
    }""")
    figure.button("再生").click()
    frames = figure.root.evaluate("""async (figure) => {
        const next = () => new Promise(requestAnimationFrame), gaps = [];
        for (let last = await next(), k = 0; k < 60; k++) {
            const now = await next();
            gaps.push(now - last);
            last = now;
        }
        return gaps;
    }""")
    assert figure.state()["playing"]
    work = figure.page.evaluate("globalThis.work.filter((ms) => ms > 0)")
    assert len(work) > 30
    changes = figure.slider("eta").evaluate("""async (slider) => {  // while the reader pulls at a slider
        const work = [], figure = slider.closest("figure");
        for (let k = 0; k < 20; k++) {
            const begin = performance.now();
            slider.value = 100 + k;
            slider.dispatchEvent(new Event("input"));
            figure.fumotoPlayground.paint();
            work.push(performance.now() - begin);
            await new Promise(requestAnimationFrame);
        }
        return work;
    }""")
    medians = [statistics.median(times) for times in (work, frames, changes)]
    print("ms: {:.1f} of work in a frame, {:.1f} from frame to frame, {:.1f} for a change".format(*medians))
    assert medians[0] < 8  # half of a frame, also on a busy machine
    assert medians[1] < 34  # what the machine makes of it
    assert medians[2] < 33


def test_every_control_has_a_name_and_is_reached_by_tab(show):
    figure = show(play=config(surfaces=["bowl", "ravine"], switch=[["Momentum", "Momentum/notes"]]))
    names_reached_by_tab(figure, "input, select, button, a")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(show, axe, theme):
    settings = config(
        surfaces=["bowl", "ravine"], methods=ALL, on=ALL, switch=[["Momentum", "Momentum/notes"]]
    )
    figure = show(play=settings, theme=theme)
    figure.slider("eta").press("End")  # with the sign of divergence
    figure.state()
    violations = axe.run(figure.page).response["violations"]
    assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)
