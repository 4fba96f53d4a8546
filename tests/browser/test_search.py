"""Search in the book that was really built, opened as a reader opens it: from a folder, without a server.

The expected pages were written down before the search was: where a reader who types this wants to go.
"""

import json
from urllib.parse import quote

import pytest

from .conftest import HTML, SCREENS

# What the reader types → the page that must come first.
QUERIES = {
    # topics, and the words people use for them
    "勾配消失": "08-initial-values",
    "vanishing gradient": "08-initial-values",
    "こうばいしょうしつ": "08-initial-values",
    "バイアス補正": "05-adam",
    "bias correction": "05-adam",
    "初期値": "08-initial-values",
    "重み初期化": "08-initial-values",
    "重みの初期値": "08-initial-values",
    "過学習": "07-overfitting",
    "オーバーフィッティング": "07-overfitting",
    "overfitting": "07-overfitting",
    "かがくしゅう": "07-overfitting",
    "鞍点": "03-momentum",
    "saddle point": "03-momentum",
    "あんてん": "03-momentum",
    "学習率": "choosing",
    "learning rate": "choosing",
    "ミニバッチ": "02-sgd",
    "mini-batch": "02-sgd",
    "復元抽出": "02-sgd",
    "指数移動平均": "05-adam",
    "重み減衰": "07-overfitting",
    "weight decay": "07-overfitting",
    "死んだ ReLU": "08-initial-values",
    "多項式": "07-overfitting",
    "シグモイド": "08-initial-values",
    "飽和": "08-initial-values",
    "外れ値": "09-batchnorm",
    "四分位範囲": "09-batchnorm",
    "標準化": "09-batchnorm",
    "正規分布": "08-initial-values",
    "損失": "01-descent",
    # methods
    "Adam": "05-adam",
    "アダム": "05-adam",
    "SGD": "02-sgd",
    "確率的勾配降下法": "02-sgd",
    "Momentum": "03-momentum",
    "モーメンタム": "03-momentum",
    "モメンタム": "03-momentum",
    "モーメント法": "03-momentum",
    "AdaGrad": "04-adagrad",
    "アダグラッド": "04-adagrad",
    "RMSprop": "05-adam",
    "AdaDelta": "06-comparison",
    "ネステロフ": "06-comparison",
    "NAG": "06-comparison",
    "ReLU": "08-initial-values",  # the section that compares it with Leaky ReLU; chapter 1 shows its class
    "Leaky ReLU": "08-initial-values",
    "Batch Normalization": "09-batchnorm",
    "BatchNormalization": "09-batchnorm",
    "バッチ正規化": "09-batchnorm",
    "バッチノルム": "09-batchnorm",
    "バッチノーマライゼーション": "09-batchnorm",
    "BN": "09-batchnorm",
    "Min-Max": "09-batchnorm",
    # people
    "ザビエル": "08-initial-values",
    "Xavier": "08-initial-values",
    "グロロット": "08-initial-values",
    "Glorot": "08-initial-values",
    "Heの初期値": "08-initial-values",
    "ヘの初期値": "08-initial-values",
    "Kaiming": "08-initial-values",
    # half-width, full-width, lower and upper case
    "Ａｄａｍ": "05-adam",
    "ａｄａｍ": "05-adam",
    "ADAM": "05-adam",
    "ｱﾀﾞﾑ": "05-adam",
    "ﾓｰﾒﾝﾀﾑ": "03-momentum",
    "ﾊﾞｲｱｽ補正": "05-adam",
    "ｂａｔｃｈ　ｎｏｒｍａｌｉｚａｔｉｏｎ": "09-batchnorm",
    # one character
    "η": "symbols",
    "α": "symbols",
    "β": "symbols",
    "ε": "symbols",
    "谷": "05-adam",  # the valley along the axes and turned
    "麓": "index",
    # several words, and words joined by particles
    "Adam 学習率": "05-adam",
    "ReLU　初期値": "08-initial-values",
    "鞍点 モメンタム": "03-momentum",
    "シグモイド 微分": "08-initial-values",
    "標準偏差 0.01": "08-initial-values",
    "BN 推論": "09-batchnorm",
    "ReLUの初期値": "08-initial-values",
    "Adamのバイアス補正": "05-adam",
    # looking something up
    "ハイパーパラメーター": "glossary",
    "hyperparameter": "glossary",
    "用語集": "glossary",
    "参考文献": "references",
    "検証表": "appendix-verification",
    "訂正一覧": "corrections",
    "記号表": "symbols",
    "式の書き方": "appendix-equations",
    "クラスター": "appendix-cluster",
    "Dask": "appendix-cluster",
    "PyTorch": "appendix-speed",
    "BLAS": "appendix-speed",
    "自分の実装を確かめる": "appendix-check",
    # functions
    "check": "appendix-check",
    "check_batchnorm": "appendix-check",
    "check_initializer": "appendix-check",
}

# The place on the page, where a whole page would be too little
PLACES = {
    "鞍点": "鞍点から抜ける速さ",
    "ザビエル": "Xavier の初期値: 線形の層で大きさを保つ",
    "He の初期値": "He の初期値: ReLU では 2 が要る",
    "重み減衰": "重み減衰",
    "AdaDelta": "AdaDelta",
    "死んだReLU": "動かす: 死んだ ReLU",
    "ハイパーパラメータ": "ハイパーパラメータ",
    "η": "η",
    "check_batchnorm": "Batch Normalization を確かめる",
}


def answer(page, query):
    """Ask ``query`` on an open page of the book; what the page says then."""
    page.goto(f"{(HTML / 'search.html').as_uri()}?q={quote(query)}")
    page.locator(".search-summary").wait_for()
    links = page.locator("#search-results li > a")
    return {
        "said": page.locator(".search-summary").inner_text(),
        "links": links.evaluate_all("(all) => all.map((a) => a.getAttribute('href'))"),
        "titles": links.all_inner_texts(),
    }


def first(found):
    return found["links"][0].partition(".html")[0] if found["links"] else found["said"]


def test_the_right_page_comes_first(visit):
    page = visit("search")
    came = {query: first(answer(page, query)) for query in QUERIES}
    assert {query: name for query, name in came.items() if name != QUERIES[query]} == {}
    assert visit.problems == []


def test_the_right_place_on_the_page_comes_first(visit):
    page = visit("search")
    came = {query: answer(page, query)["titles"][0].partition(" › ")[2] for query in PLACES}
    assert came == PLACES


def test_every_result_leads_to_a_place_that_exists(visit):
    page = visit("search")
    for query in ("学習", "式", "η", "Adam", "check", "勾配"):
        found = answer(page, query)
        assert len(found["links"]) > 3
        for link in found["links"]:
            name, _, target = link.partition("#")
            html = (HTML / name).read_text(encoding="utf-8")
            assert not target or f'id="{target}"' in html, link


@pytest.mark.parametrize("screen", SCREENS)
def test_the_results_are_legible(visit, axe, screen):
    page = visit("search", screen)
    answer(page, "バッチノルム")
    assert page.title() == "「バッチノルム」の検索結果 — 麓へ"
    assert page.locator("h1").inner_text() == "「バッチノルム」の検索結果"
    for excerpt in page.locator("#search-results .context").all():
        assert 10 < len(excerpt.inner_text()) < 160
        assert excerpt.locator("mark").count()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert visit.problems == []
    violations = axe.run(page, ".bd-search-container", {"preload": False}).response["violations"]
    assert violations == [], json.dumps(violations, ensure_ascii=False, indent=1)


def test_a_word_that_is_not_in_the_book_is_not_found(visit):
    page = visit("search")
    found = answer(page, "量子コンピューター")
    assert found["links"] == []
    assert found["said"].startswith("「量子コンピューター」は、この本に見つかりませんでした。")
    found = answer(page, "Adam 量子")  # every word must be there
    assert found["links"] == []
    assert visit.problems == []


def test_words_that_do_not_stand_together_are_looked_for_one_by_one(visit):
    found = answer(visit("search"), "重み初期化")
    assert found["said"].startswith("そのままの言葉はないので、「重み」「初期化」で探しました。")


def test_what_is_typed_is_text(visit):
    page = visit("search")
    query = "<img src=x onerror=document.title='broken'>\\(?[*"
    assert answer(page, query)["said"].startswith(f"「{query}」は、この本に見つかりませんでした。")
    assert page.locator(".bd-search-container img").count() == 0
    assert visit.problems == []


def test_nothing_typed_says_nothing(visit):
    for fragment in ("", "?q=", "?q=%20"):
        page = visit("search", fragment=fragment)
        page.wait_for_load_state("load")
        assert page.locator("#search-results").inner_text() == ""
        assert page.locator(".bd-search-container input").evaluate(
            "(input) => input === document.activeElement"
        )
        assert page.locator("#search-needs-javascript").count() == 0
    assert visit.problems == []


@pytest.mark.parametrize("how", ["keys", "button"])
def test_from_a_chapter_to_its_glossary_entry_and_back_to_the_search(visit, how):
    page = visit("05-adam")
    page.wait_for_load_state("load")
    if how == "keys":
        page.keyboard.press("Control+k")
    else:
        page.locator(".search-button__button:visible").first.click()
    box = page.locator("#pst-search-dialog input")
    assert box.get_attribute("placeholder") == "この本を検索"
    box.fill("ﾊｲﾊﾟｰﾊﾟﾗﾒｰﾀ")
    box.press("Enter")
    page.locator("#search-results li > a").first.click()
    page.wait_for_url("**/glossary.html#*")
    page.go_back()
    assert "ハイパーパラメータ" in page.locator("#search-results li > a").first.inner_text()
    assert visit.problems == []


def test_a_chapter_does_not_load_the_index(visit):
    page = visit("05-adam")
    page.wait_for_load_state("load")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    scripts = page.locator("script[src]").evaluate_all("(all) => all.map((script) => script.src)")
    assert scripts
    assert [name for name in loaded + scripts if "search" in name.rpartition("/")[2]] == []


def test_without_javascript_the_page_says_where_to_look(visit):
    page = visit("search", java_script_enabled=False)
    needs = page.locator("#search-needs-javascript")
    assert "検索には JavaScript が要ります" in needs.inner_text() and needs.is_visible()
    for link in needs.locator("a").all():
        assert (HTML / link.get_attribute("href")).is_file()
