"""API リファレンス(``book/api/``)の中身: autodoc が読んだ docstring を、読みやすい形に直す。

docstring の「``lr``: 学習率」「式: …」「出典: …」を見出しつきの一覧にし、DOI と arXiv の番号をリンクにする。

ライブラリを使わない理由: sphinx.ext.napoleon が読むのは、見出しで分けた docstring(Google、NumPy の書き方)だけである。
"""

import re

_FIELD = re.compile(r"((?:``[\w*]+``(?:, )?)+|式|出典): (.+)")
_NEXT_FIELD = re.compile(r"(?<=。)(?=(?:(?:``[\w*]+``(?:, )?)+|式|出典): )")
_LINKS = (
    (re.compile(r"\bdoi:([^\s、。]+)"), r"`doi:\1 <https://doi.org/\1>`__"),
    (re.compile(r"\barXiv:(\d+\.\d+)"), r"`arXiv:\1 <https://arxiv.org/abs/\1>`__"),
)


def arrange(app, what, name, obj, options, lines):
    """autodoc が読んだ docstring を書き直す。"""
    app.env.note_dependency(__file__)  # ここを書き直したら、読み直す
    lines[:] = arranged(lines)


def without_private(app, what, name, obj, options, signature, returns):
    """呼び方から、自分では渡さない引数(``_symbols=<factory>`` など)を除く。省いたときに作られるもの(``<factory>``)は、``{}`` である。"""
    return signature and re.sub(r", _\w+=[^,)]*", "", signature).replace("<factory>", "{}"), returns


def arranged(lines):
    r"""docstring の行の並び → reStructuredText の行の並び。字下げした行と例(``>>>``)のある段落は、そのまま残す。

    >>> lines = arranged(["傾きを返す。式: (3)。", "``x``: 点。``h``: 幅。小さく、", "正の数。"])
    >>> print("\n".join(line for line in lines if line))
    傾きを返す。
    式
        (3)。
    ``x``
        点。
    ``h``
        幅。小さく、正の数。
    """
    paragraphs, result = [[]], []
    for line in lines:
        if line.strip():
            paragraphs[-1].append(line)
        else:
            paragraphs.append([])
    for paragraph in paragraphs:
        if any(re.match(r"\s|>>>|- |::$", line) for line in paragraph):
            result += [*paragraph, ""]
        else:
            result += _blocks(_sentences(paragraph))
    return result


def _sentences(paragraph):
    """文の途中で折り返した行をつなぎ、``_FIELD`` の始まるところで切る。"""
    joined = []
    for line in paragraph:
        if joined and not joined[-1].endswith("。") and not _FIELD.match(line):
            between = " " if re.search(r"[\w`]$", joined[-1], re.A) or re.match(r"[\w`]", line, re.A) else ""
            joined[-1] += between + line
        else:
            joined.append(line)
    return [piece for line in joined for piece in _NEXT_FIELD.split(line)]


def _blocks(sentences):
    """続く文は 1 つの段落に、「名前: 説明」は定義の一覧にする。"""
    blocks, text = [], ""
    for sentence in sentences:
        if field := _FIELD.fullmatch(sentence):
            blocks += [text, "", field[1], f"    {_marked_up(field[2])}", ""]
            text = ""
        else:
            text += _marked_up(sentence)
    return [*blocks, text, ""]


def _marked_up(text):
    r"""DOI と arXiv の番号をリンクにし、コードの前後に見えない空白をつける(ないと、コードと読まれないことがある)。

    >>> _marked_up("形が``(N, D)``の配列")
    '形が\\ ``(N, D)``\\ の配列'
    """
    for pattern, link in _LINKS:
        text = pattern.sub(link, text)
    return re.sub(r"(``[^`]+``)", r"\\ \1\\ ", text)


def setup(app):
    app.connect("autodoc-process-docstring", arrange)
    app.connect("autodoc-process-signature", without_private)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
