"""The playgrounds and histograms on the pages that were really built (``make html``), as a reader opens them.

Axe reads the whole pages in ``test_book.py``, and single playgrounds in ``test_playground.py``.
"""

import re

import pytest

from .conftest import HTML, SCREENS, Figure, unavailable, until

PAGES = [
    *("index", "01-descent", "02-sgd", "03-momentum", "04-adagrad", "05-adam", "06-comparison"),
    "10-after-adam",
]


def figures(page):
    ids = page.locator("figure.playground").evaluate_all("(all) => all.map((figure) => figure.id)")
    return [Figure(page, name) for name in ids]


def test_every_page_with_playgrounds_is_tried(browser):
    if not HTML.is_dir():
        unavailable(f"{HTML} is not there: make html builds it")
    with_playgrounds = {
        page.stem for page in HTML.glob("*.html") if 'class="playground"' in page.read_text(encoding="utf-8")
    }
    assert with_playgrounds == set(PAGES)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_and_its_playgrounds_play(visit, name, screen):
    page = visit(name, screen)
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    found = figures(page)
    assert found
    for figure in found:
        figure.root.scroll_into_view_if_needed()
        assert figure.part(".playground-figure").is_visible()
        assert figure.root.locator("figcaption").last.is_visible()
        assert not figure.part(".playground-still").is_visible()
        assert figure.message() == []  # nothing diverges before the reader touches it
        steps = figure.state()["time"]
        assert steps == figure.state()["values"]["steps"]
        figure.button("再生").click()
        figure.page.wait_for_timeout(150)
        assert figure.state()["playing"] and 0 < figure.state()["time"] < steps
        figure.button("一時停止").click()
        assert not figure.state()["playing"]
        figure.button("最初に戻す").click()
        assert figure.state()["time"] == 0
        figure.button("1 歩進む").click()
        assert figure.state()["time"] == 1
        figure.button("元の設定に戻す").click()
        assert figure.state()["time"] == steps
        links = figure.part(".playground-equations a").evaluate_all("(all) => all.map((a) => a.href)")
        assert len(links) > 1
        for link in links:
            path, _, target = link.removeprefix(HTML.as_uri()).strip("/").partition("#")
            assert f'id="{target}"' in (HTML / path).read_text(encoding="utf-8"), link
    assert visit.problems == []


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", ["08-initial-values", "09-batchnorm"])
def test_a_page_is_sound_and_its_histograms_are_drawn(visit, name, screen):
    page = visit(name, screen)
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    [root] = page.locator("figure.histograms").all()
    root.scroll_into_view_if_needed()
    assert root.locator(".histograms-figure").is_visible()
    assert root.locator("figcaption").is_visible()
    assert not root.locator(".histograms-still").is_visible()
    pictures = root.locator(".histograms-rows svg")
    before = [picture.get_attribute("aria-label") for picture in pictures.all()]
    assert len(before) == 5
    root.locator('[data-name="scale"] input').press("Home")
    until(
        page,
        "(old) => [...document.querySelectorAll('.histograms-rows svg')].every((one, k) => one.ariaLabel !== old[k])",
        arg=before,
    )
    assert not re.search(r"NaN|Infinity|undefined|大きくなりすぎ", root.inner_text())
    links = root.locator(".histograms-unit a").evaluate_all("(all) => all.map((a) => a.href)")
    assert len(links) > 3
    for link in links:
        path, _, target = link.removeprefix(HTML.as_uri()).strip("/").partition("#")
        assert f'id="{target}"' in (HTML / path).read_text(encoding="utf-8"), link
    assert visit.problems == []


def test_a_link_to_the_still_figure_ends_at_the_playground(visit):
    """JavaScript hides the still figure; its number in the text still leads somewhere."""
    page = visit("06-comparison")
    page.locator('a.reference[href="#fig-saddle-race"]').first.evaluate("(link) => link.click()")
    until(page, "location.hash === '#fig-saddle-race'")
    top = "document.getElementById('play-saddle').getBoundingClientRect().top"
    until(page, f"Math.abs({top}) < 150")
    other = visit("06-comparison", "phone", fragment="#fig-saddle-race")
    other.wait_for_load_state("load")
    until(other, f"Math.abs({top}) < 150")
    assert not other.locator("#fig-saddle-race").is_visible()


def test_without_javascript_and_on_paper_the_still_figure_stands(visit):
    page = visit("06-comparison", java_script_enabled=False)
    assert page.locator("#fig-saddle-race img, #fig-saddle-race svg").first.is_visible()
    assert not page.locator("#play-saddle .playground-figure").is_visible()
    page = visit("06-comparison")
    page.locator("#play-saddle .playground-figure").wait_for()
    page.emulate_media(media="print")
    assert page.locator("#fig-saddle-race img, #fig-saddle-race svg").first.is_visible()
    assert not page.locator("#play-saddle .playground-figure").is_visible()


def test_zero_divided_by_zero_is_a_sign_and_no_nan(visit):
    page = visit("04-adagrad")
    figure = Figure(page, "play-adagrad-notes")
    figure.root.get_by_label("原ノートの式 ε なし").check()
    figure.state()
    [sign] = figure.message()
    assert sign == "計算できなくなりました(0 での割り算など): AdaGrad(原ノートの式 ε なし、1 歩目)"
    assert figure.part(".playground-now").inner_text() == "計算不能"
    assert "NaN" not in figure.root.inner_text()
    figure.root.get_by_label("印刷された式").check()
    figure.state()
    assert figure.message() == []


def test_a_link_to_an_equation_leads_to_it(visit):
    page = visit("03-momentum")
    figure = Figure(page, "play-wrong-sign")
    figure.root.get_by_label("原ノートの式 w − v").check()
    link = figure.part(".playground-equations a").last
    assert re.fullmatch(r"式 \(3\.\d+\)", link.inner_text())
    link.click()
    until(page, "location.hash === '#equation-eq-notes-momentum-w'")
    assert visit.problems == []
