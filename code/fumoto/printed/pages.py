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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from fumoto.printed.errors import EquationError

if TYPE_CHECKING:  # SymPy の読み込みは遅いので、式を数式として読むまで待つ
    from fumoto.printed.equation import Equation

_BLOCKS = MarkdownIt("commonmark").disable("inline")  # 囲みを探すだけなので、文の中は読まない
_PACKAGE = Path(__file__).resolve().parents[1]
_PAGES = (_PACKAGE / "pages", _PACKAGE.parents[1] / "book")  # 配られた wheel の中のページ、手もとの本のページ


def book_folder() -> Path:
    """この本のページのあるフォルダー。"""
    return next((folder for folder in _PAGES if folder.is_dir()), _PAGES[0])


def read(folder: str | Path | None = None, labels: Iterable[str] | None = None) -> "dict[str, Equation]":
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
    found = declarations(folder)
    wanted = set(found if labels is None else labels)
    if unknown := sorted(wanted - found.keys()):
        raise EquationError(f"ラベル {', '.join(unknown)} の式は {folder or book_folder()} にありません")
    return {label: declared.parsed() for label, declared in found.items() if label in wanted}


@dataclass(frozen=True, eq=False)
class Book(Mapping[str, "Equation"]):
    """式の全部。``read()`` と同じ順で同じものだが、数式として読むのは、使うときに一度だけ。"""

    declarations: dict[str, "Declaration"]
    _parsed: "dict[str, Equation]" = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, label: str) -> "Equation":
        if label not in self._parsed:
            self._parsed[label] = self.declarations[label].parsed()
        return self._parsed[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.declarations)

    def __len__(self) -> int:
        return len(self.declarations)


def book() -> Book:
    """この本の式の全部。ページを探すのは一度だけ。"""
    return _book_of(book_folder())


@cache
def _book_of(folder: Path) -> Book:
    return Book(declarations(folder))


@dataclass(frozen=True)
class Declaration:
    """ページに書かれたままの、数式としてはまだ読んでいない式。``checked_by`` か ``domain`` のどちらかがある。"""

    label: str
    page: str
    line: int
    latex: str
    domain: str | None
    checked_by: str | None
    row: str | None

    @property
    def where(self) -> str:
        """誤りの中で言う、ページと行(``03-momentum.md:40``)。"""
        return f"{self.page}:{self.line}"

    def parsed(self) -> "Equation":
        """数式として読んだもの。読めなければ ``EquationError``。"""
        from fumoto.printed.equation import Equation
        from fumoto.printed.parsing import parse

        if self.domain is None:
            return Equation(
                self.label, self.page, self.line, self.latex, {}, {}, checked_by=self.checked_by, row=self.row
            )
        equation = parse(self.latex, self.domain, label=self.label, page=self.page, line=self.line)
        return replace(equation, row=self.row)


def declarations(folder: str | Path | None = None) -> dict[str, Declaration]:
    """ページにある式の全部。ラベル → ``Declaration``、ページの順。"""
    folder = Path(folder) if folder is not None else book_folder()
    if not folder.is_dir():
        raise EquationError(f"ページのフォルダー {folder} がありません")
    found: dict[str, Declaration] = {}
    for path in sorted(folder.glob("*.md")):
        for declared in _declarations_of(path):
            other = found.setdefault(declared.label, declared)
            if other is not declared:
                raise EquationError(
                    f"{declared.where}: ラベル {declared.label} が {other.where} と重複しています"
                )
    return found


def _declarations_of(path: Path) -> Iterator[Declaration]:
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
        after = line - 1 + len(content.splitlines()) + 2  # 囲みを閉じた次の行
        kind, _, declared = (lines[after] if after < len(lines) else "").partition(":")
        if kind not in ("% domain", "% checked-by"):
            raise EquationError(f"{where}: {label} のすぐ下に '% domain:' か '% checked-by:' がありません")
        latex, declared = " ".join(parts).strip(), declared.strip()
        if not declared:
            raise EquationError(f"{where}: {label} の '{kind}:' が空です")
        following = lines[after + 1] if after + 1 < len(lines) else ""
        row = following.removeprefix("% row:").strip() if following.startswith("% row:") else None
        domain, checked_by = (declared, None) if kind == "% domain" else (None, declared)
        yield Declaration(label, path.name, line, latex, domain, checked_by, row)


def _math_blocks(text: str, offset: int = 0) -> Iterator[tuple[int, str]]:
    """``{math}`` の囲みを (行番号, 中身) で返す。ほかの指示の中にあるものも探す。"""
    for token in _BLOCKS.parse(text):
        line = offset + (token.map or [0])[0] + 1
        if token.type == "fence" and token.info.strip().startswith("{math}"):
            yield line, token.content
        elif token.type == "fence" and token.info.strip().startswith("{"):
            yield from _math_blocks(token.content, line)
