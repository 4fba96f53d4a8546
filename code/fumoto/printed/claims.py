r"""文章の主張: ``% claim:`` の行を読む。

段落や箇条書き、図を描くセル、訂正の囲みのすぐ下に、それを支える主張を書く。

::

    % claim: momentum-zigzag | 測定 | \alpha in [0.8, 0.95]; \eta in [0.1, 0.9] | fig-zigzag

名前、種類、範囲、図を ``|`` で区切る。種類は次のどれかである。

::

    証明    ページで導いたもの。両辺を、範囲の全体で計算して比べる
    測定    導いていないもの。範囲の全体で測る
    報告    この本では確かめず、文献に頼るもの。範囲の代わりに、文献の鍵を書く

範囲は ``% domain:`` と同じ書き方である(``domains``)。区間のすぐ外では、主張は成り立たないはずである。すぐ外でも
成り立つ(範囲は十分条件でしかない)なら、記号ごとに ``sufficient`` と書く。片側だけなら ``sufficient below`` か
``sufficient above`` と書く。書いたとおりかは、どちらも確かめる。確かめ方は ``tests/claims`` にある。
"""

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from fumoto.printed.domains import Domains, read_domains
from fumoto.printed.errors import EquationError
from fumoto.printed.pages import book_folder

KINDS = ("証明", "測定", "報告")
SEED = "seed"  # 乱数の種。どの種も同じ資格なので、外はない
_MARK = "% claim:"
_SIDES = {"": ("below", "above"), "below": ("below",), "above": ("above",)}


@dataclass(frozen=True)
class Claim:
    """文章の主張 1 つ。

    ``domain``: 変数の名前 → 範囲。``declared``: ページに書いた範囲。``sufficient``: すぐ外でも成り立つと断った
    ``(変数, "below" か "above")``。``source``: 報告なら、文献の鍵。``page``, ``line``: 書いてある場所。
    """

    name: str
    kind: str
    declared: str
    domain: Domains
    sufficient: frozenset[tuple[str, str]]
    figure: str
    source: str
    page: str
    line: int

    @property
    def where(self) -> str:
        """``03-momentum.md:26``。"""
        return f"{self.page}:{self.line}"


def read_claims(folder: str | Path | None = None) -> dict[str, Claim]:
    """本のページの主張を、``{名前: Claim}`` で返す。ページの順、上から。

    ``folder``: Markdown のページのあるフォルダー(省くとこの本)。
    読めない宣言と、名前の重複は、ページと行を言う ``EquationError``。

    >>> all(claim.kind in KINDS for claim in read_claims().values())
    True
    """
    claims: dict[str, Claim] = {}
    for path in sorted(Path(folder if folder is not None else book_folder()).glob("*.md")):
        for line, text in prose(path.read_text(encoding="utf-8")):
            if text.strip().startswith(_MARK):
                claim = read_claim(text.strip().removeprefix(_MARK), path.name, line)
                if claim.name in claims:
                    raise EquationError(
                        f"{claim.where}: 主張 {claim.name} が {claims[claim.name].where} と重複しています"
                    )
                claims[claim.name] = claim
    return claims


def read_claim(text: str, page: str = "", line: int = 0) -> Claim:
    r"""``名前 | 種類 | 範囲 | 図`` → ``Claim``。

    >>> claim = read_claim(r"faster | 測定 | \eta in (0, 1] sufficient above; seed in 0..4 | fig-race")
    >>> list(claim.domain), claim.sufficient
    (['eta', 'seed'], frozenset({('eta', 'above')}))
    """
    where = f"{page}:{line}"
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 4 or not all(parts):
        raise EquationError(f"{where}: '% claim: 名前 | 種類 | 範囲 | 図' と書いてください: {text.strip()!r}")
    name, kind, declared, figure = parts
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise EquationError(f"{where}: 主張の名前は、英小文字と数字とハイフンで書きます: {name!r}")
    if kind not in KINDS:
        raise EquationError(f"{where}: 主張 {name} の種類は {'、'.join(KINDS)} のどれかです: {kind!r}")
    if kind == "報告":
        return Claim(name, kind, declared, {}, frozenset(), figure, declared, page, line)
    domain: Domains = {}
    sufficient = set()
    for part in declared.split(";"):
        match = re.fullmatch(r"(?P<range>.*?)(?:\s+sufficient(?:\s+(?P<side>below|above))?)?\s*", part)
        assert match is not None
        for symbol, values in read_domains(match["range"], f"{where}: 主張 {name}").items():
            variable = f"{symbol}_" if keyword.iskeyword(symbol) else symbol  # λ は lambda_ になる
            if variable in domain:
                raise EquationError(f"{where}: 主張 {name}: {variable} が 2 度宣言されています")
            domain[variable] = values
            if "sufficient" in part:
                sufficient |= {(variable, side) for side in _SIDES[match["side"] or ""]}
    return Claim(name, kind, declared, domain, frozenset(sufficient), figure, "", page, line)


def prose(text: str, offset: int = 0) -> Iterator[tuple[int, str]]:
    """ページの、コードと式を除いた行。(行番号, 行)。訂正などの囲みの中の行も入る。"""
    lines = text.splitlines()
    fences = [token for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]
    number = 0
    for fence in fences:
        first, last = fence.map or (0, 0)
        yield from ((offset + k + 1, lines[k]) for k in range(number, first))
        if re.match(r"\{(?!code-cell|math\b|literalinclude|code\b)", fence.info.strip()):
            yield from prose(fence.content, offset + first + 1)
        number = last
    yield from ((offset + k + 1, lines[k]) for k in range(number, len(lines)))
