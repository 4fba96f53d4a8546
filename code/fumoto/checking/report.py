"""突き合わせの結果: 端末には短い文章、ノートブックには数式として現れる。"""

import html
import re
from dataclasses import dataclass, field

from fumoto.printed import Equation
from fumoto.printed.differences import NOTHING, difference, marked


@dataclass(frozen=True)
class Finding:
    """見つかった間違い 1 つ。``kind``: 種類。``printed``: ページの式。``yours``: 読者のコードが計算している式。"""

    kind: str
    printed: Equation
    yours: Equation

    @property
    def address(self) -> str:
        """式のある場所(組んだ本のフォルダーから)。"""
        return f"{self.printed.page.removesuffix('.md')}.html#equation-{self.printed.label}"

    def __str__(self) -> str:
        gone, new = difference(self.printed, self.yours)
        how = f"{gone} が {new} になっています"
        if NOTHING in (gone, new):
            how = f"{gone} が抜けています" if new == NOTHING else f"{new} が余分です"
        return (
            f"印刷された式: {self.printed.latex}\nあなたの計算: {self.yours.latex}\n"
            f"違い: {how}\n読むページ: {self.address}"
        )

    def _repr_markdown_(self) -> str:
        gone, new = difference(self.printed, self.yours)
        how = f"${gone}$ が抜けています" if new == NOTHING else "下線が違うところ"
        return (
            f'印刷された式(<a href="{self.address}">{self.printed.label}</a>)\n\n$${self.printed.latex}$$\n\n'
            f"あなたの計算({how})\n\n$${marked(self.printed, self.yours)}$$"
        )


@dataclass(frozen=True)
class Report:
    """突き合わせの結果。``if check(...)`` のように真偽としても使える。

    ``ok``: 式と一致したか。``verdict``: 結論の一文。``findings``: 見つかった間違い。``notes``: 読者に伝えること。
    ``equation``: 間違いのある式のラベル。``variant``: 間違いの名前。``step``: はじめて違ったステップ(1 から)。
    ``how``: 読者のものの呼び方。``constants``: コードに書き込まれていた値(引数の名前 → 値)。``name``: どの手法の式と比べたか。
    ``str(report)`` は日本語の説明である。
    """

    ok: bool
    verdict: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    equation: str | None = None
    variant: str | None = None
    step: int | None = None
    how: str = ""
    constants: dict[str, float] = field(default_factory=dict)
    name: str | None = None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join([self.verdict, *map(str, self.findings), *self.notes])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        notes = [escaped(note).replace("\n", "  \n") for note in self.notes]  # 行末の空白 2 つが改行になる
        verdict = f"**{escaped(self.verdict)}**"
        return "\n\n".join([verdict, *(f._repr_markdown_() for f in self.findings), *notes])


def escaped(text: str) -> str:
    """Markdown と HTML の印を、ただの文字にする。読者の例外の説明には、何が書かれているか分からない。

    >>> print(escaped("<b>x</b> $y$"))
    &lt;b&gt;x&lt;/b&gt; \\$y\\$
    """
    return re.sub(r"([\\`*_\[\]$~|])", r"\\\1", html.escape(text, quote=False))
