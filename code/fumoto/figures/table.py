"""計算した値の表。ページには Markdown の表として現れる。"""


def interval(low: float, high: float, digits: int) -> str:
    """差の信頼区間。0 を含まなければ ＊ をつける。

    >>> interval(-0.31, -0.09, 2), interval(-0.1, 0.3, 1)
    ('−0.31〜−0.09＊', '−0.1〜+0.3')
    """
    return f"{low:+.{digits}f}〜{high:+.{digits}f}{'＊' if low > 0 or high < 0 else ''}".replace("-", "−")


class Table:
    """``header``: 見出しの並び。``rows``: 文字列の並びの並び。先頭の列は左寄せ、残りは右寄せ(``words`` なら左寄せ)。

    >>> print(Table(["手法", "歩数"], [["SGD", "61"]])._repr_markdown_())
    | 手法 | 歩数 |
    |:--|--:|
    | SGD | 61 |
    """

    def __init__(self, header: list[str], rows: list[list[str]], words: bool = False):
        self.header = header
        self.rows = rows
        self.align = ":--|" if words else "--:|"

    def _repr_markdown_(self) -> str:
        lines = [self.header, *self.rows]
        text = ["| " + " | ".join(line) + " |" for line in lines]
        text.insert(1, "|:--|" + self.align * (len(self.header) - 1))
        return "\n".join(text)

    def __repr__(self) -> str:
        return self._repr_markdown_()
