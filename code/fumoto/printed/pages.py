r"""本のページから、印刷された式を読み出す。

本の式は、次の形で書かれている。

::

    ```{math}
    :label: eq-sgd-w
    w_{t+1} = w_t - \eta g_t
    ```
    % domain: w_t in R; \eta in (0, 1]; g_t in R

``% domain:`` は記号ごとの取りうる値で、宣言していない記号が式にあれば誤りになる。数値で比べようのない数学
(不等式など)には、``% domain:`` の代わりに ``% checked-by: テストの名前`` を書く。
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from fumoto.printed.equation import Equation
from fumoto.printed.errors import EquationError
from fumoto.printed.parsing import parse

_PACKAGE = Path(__file__).resolve().parents[1]
_PAGES = (_PACKAGE / "pages", _PACKAGE.parents[1] / "book")  # 配られた wheel の中のページ、手もとの本のページ


def book_folder() -> Path:
    """この本のページのあるフォルダー。"""
    return next((folder for folder in _PAGES if folder.is_dir()), _PAGES[0])


def read(folder: str | Path | None = None, labels: Iterable[str] | None = None) -> dict[str, Equation]:
    """本のページから、ラベルのついた式をすべて読み、``{ラベル: Equation}`` で返す。

    ``folder``: Markdown のページのあるフォルダー(省くとこの本。パッケージにはページも入っている)。
    ``labels``: 読むラベルの並び(省くと全部)。数式として読むのには時間がかかるので、使う式だけを読むときに渡す。
    ラベルのない式、ラベルの重複、読めない式、``labels`` にあって本にないラベルは ``EquationError``。

    >>> sgd = read()["eq-sgd-w"]
    >>> sgd.latex, sgd.symbols
    ('w_{t+1} = w_t - \\\\eta g_t', ['eta', 'g_t', 'w_t'])
    >>> sgd.evaluate(w_t=1.0, eta=0.1, g_t=2.0).item()
    0.8
    """
    equations: dict[str, Equation] = {}
    folder = Path(folder) if folder is not None else book_folder()
    if not folder.is_dir():
        raise EquationError(f"ページのフォルダー {folder} がありません")
    for path in sorted(folder.glob("*.md")):
        for equation in _equations_of(path, labels):
            if equation.label in equations:
                other = equations[equation.label]
                raise EquationError(
                    f"{equation.where}: ラベル {equation.label} が {other.where} と重複しています"
                )
            equations[equation.label] = equation
    if labels is not None and (unknown := sorted(set(labels) - equations.keys())):
        raise EquationError(f"ラベル {', '.join(unknown)} の式は {folder} にありません")
    return equations


def book() -> dict[str, Equation]:
    """この本の式の全部。``read()`` と同じで、読むのは一度だけ。"""
    return _read_once(book_folder())


_read_once = cache(read)


def _equations_of(path: Path, labels: Iterable[str] | None = None) -> Iterator[Equation]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(lines, start=1):
        if re.match(r"\s*\$\$|\s*:{3,}\s*\{math\}|\s*\\begin\{(equation|align|gather|multline)", text):
            raise EquationError(f"{path.name}:{number}: 式は ```{{math}} の囲みに書きます: {text.strip()}")
    for line, content in _math_blocks("\n".join(lines)):
        where = f"{path.name}:{line}"
        label, parts = None, []
        for text in content.splitlines():
            if match := re.fullmatch(r":label:\s*(\S+)", text.strip()):
                label = match[1]
            else:
                parts.append(text)
        if label is None:
            raise EquationError(f"{where}: 式に :label: がありません")
        if labels is not None and label not in labels:
            continue
        after = line - 1 + len(content.splitlines()) + 2  # 囲みを閉じた次の行
        kind, _, declaration = (lines[after] if after < len(lines) else "").partition(":")
        if kind not in ("% domain", "% checked-by"):
            raise EquationError(f"{where}: {label} のすぐ下に '% domain:' か '% checked-by:' がありません")
        latex = " ".join(parts).strip()
        if not declaration.strip():
            raise EquationError(f"{where}: {label} の '{kind}:' が空です")
        following = lines[after + 1] if after + 1 < len(lines) else ""
        row = following.removeprefix("% row:").strip() if following.startswith("% row:") else None
        if kind == "% checked-by":
            yield Equation(label, path.name, line, latex, {}, {}, checked_by=declaration.strip(), row=row)
        else:
            yield replace(parse(latex, declaration, label=label, page=path.name, line=line), row=row)


def _math_blocks(text: str, offset: int = 0) -> Iterator[tuple[int, str]]:
    """``{math}`` の囲みを (行番号, 中身) で返す。ほかの指示の中にあるものも探す。"""
    for token in MarkdownIt("commonmark").parse(text):
        line = offset + (token.map or [0])[0] + 1
        if token.type == "fence" and token.info.strip().startswith("{math}"):
            yield line, token.content
        elif token.type == "fence" and token.info.strip().startswith("{"):
            yield from _math_blocks(token.content, line)
