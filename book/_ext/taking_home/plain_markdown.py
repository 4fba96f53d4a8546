"""組んだページの HTML を、ふつうの Markdown に直す。参照の番号も本文の数値も、HTML ではもう文字になっている。

ライブラリを使わない理由: HTML を読むのは markdownify で、ここにあるのは、この本の部品の直し方だけである。sphinx-markdown-builder は、本をもう一度組む。
"""

import re
from urllib.parse import urljoin

from bs4 import BeautifulSoup
from markdownify import ATX, MarkdownConverter, strip_pre

_CELL = "\ue000"  # セルのあった場所と、その説明の終わりの印。私用領域の文字なので、本文には現れない
_UNSEEN = ".headerlink, .viewcode-link, .claim-mark, script, style, figure:is(.playground, .histograms) > figcaption"


def convert(html, url=""):
    """ページの HTML → Markdown。図は ``![説明](…)`` になる。

    ``url``: そのページが公開されている場所。わかっていれば、ほかのページへのリンクも残す。
    """
    return _tidy(_Converter(url=url).convert_soup(_seen(html)))


def convert_around_cells(html, url=""):
    """ページの HTML → ``(はじめの Markdown, セルの並び)``。セル 1 つは ``(中身, 図の説明, 次のセルまでの Markdown)``。

    セルを動かせば出るもの(図と表)は、どこにも入れない。中身を見せないセルでは、中身が ``None`` になる。
    """
    soup = _seen(html)
    sources = []
    for cell in soup.select("div.cell"):
        source = cell.select_one(".cell_input pre")
        sources.append(source.get_text().strip() if source else None)
        captions = cell.select("figcaption")
        cell.clear()
        cell.extend([_mark(soup), *captions, _mark(soup)])
    for image in soup.select("figure img"):
        image.decompose()  # 動かせる図の代わりに立つ図も、もとのセルが描く
    first, *texts = [_tidy(text) for text in _Converter(url=url).convert_soup(soup).split(_CELL)]
    return first, list(zip(sources, texts[::2], texts[1::2], strict=True))


def _seen(html):
    soup = BeautifulSoup(html, "html.parser")
    for element in soup.select(_UNSEEN):
        element.decompose()
    return soup


def _mark(soup):
    mark = soup.new_tag("p")
    mark.string = _CELL
    return mark


def _tidy(text):
    lines = (line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _quoted(text):
    return "\n".join(f"> {line}".rstrip() for line in _tidy(text).splitlines())


def _language(pre):
    """コードの囲みの言語。Sphinx は、その外側の要素のクラスに書く。"""
    outer = pre.find_parent("div", class_=re.compile("^highlight-"))
    [name] = [name for name in outer["class"] if name.startswith("highlight-")] if outer else [""]
    name = name.removeprefix("highlight-")
    return {"ipython3": "python", "default": "python", "myst-ansi": "text"}.get(name, name)


class _Converter(MarkdownConverter):
    class Options(MarkdownConverter.DefaultOptions):
        heading_style = ATX
        bullets = "-"
        url = ""

    def convert_a(self, el, text, parent_tags):
        href = el.get("href", "")
        if not re.match("https?:", href):
            if not self.options["url"]:
                return text  # 手もとに持ち帰ると、本の中へのリンクは切れる
            el["href"] = urljoin(self.options["url"], href)
        return super().convert_a(el, text, parent_tags)

    def convert_img(self, el, text, parent_tags):
        el["src"] = urljoin(self.options["url"], el["src"]) if self.options["url"] else f"../{el['src']}"
        return super().convert_img(el, text, parent_tags)

    def convert_span(self, el, text, parent_tags):
        if "math" not in el.get("class", []):
            return text
        tex = el.get_text().removeprefix(r"\(").removesuffix(r"\)")
        if parent_tags & {"td", "th"}:
            tex = tex.replace("|", r"\vert ")  # 表の縦の線と区別する
        return f"${tex}$"

    def convert_div(self, el, text, parent_tags):
        classes = el.get("class", [])
        if "math" in classes:
            return _display_math(el)
        if "solution" in classes:
            title, _, body = text.strip().partition("\n")
            return f"\n\n<details><summary>{title.strip('* ')}</summary>\n\n{body.strip()}\n\n</details>\n\n"
        if "admonition" in classes:
            return f"\n\n{_quoted(text)}\n\n"
        return super().convert_div(el, text, parent_tags)

    def convert_pre(self, el, text, parent_tags):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))  # 中の囲みより長く
        return f"\n\n{fence}{_language(el)}\n{strip_pre(text)}\n{fence}\n\n"

    def convert_p(self, el, text, parent_tags):
        if "admonition-title" in el.get("class", []):
            text = f"**{text.strip()}**"
        return super().convert_p(el, text, parent_tags)

    def convert_dt(self, el, text, parent_tags):
        return f"\n\n**{text.strip()}**\n\n"

    def convert_dd(self, el, text, parent_tags):
        return f"\n\n{text.strip()}\n\n"


def _display_math(el):
    number = el.select_one(".eqno")
    tag = ""
    if number:
        tag = rf" \tag{{{number.extract().get_text().strip('()')}}}"
    tex = el.get_text().strip().removeprefix(r"\[").removesuffix(r"\]").strip()
    return f"\n\n$$\n{tex}{tag}\n$$\n\n"
