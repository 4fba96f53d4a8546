"""手法と線の見た目。本の図(``fumoto.figures.style``)も動かせる図(``fumoto.printed.playground``)も、ここから読む。

色は色覚の違いによらず見分けやすい Okabe–Ito の組(足りない 2 色は Tol の組から)で、線の種類・印・文字を第二の手がかりにする。
動かせる図は Sphinx の中でも読まれるので、ここでは matplotlib を読み込まない。
"""

from dataclasses import dataclass
from typing import Any

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
WINE, OLIVE = "#882255", "#999933"
GRAY = "#6b6b6b"

_BRIGHTER = {  # 暗い地の上の色(動かせる図だけが使う)
    BLACK: "#f4f4f4",
    ORANGE: "#f2b233",
    SKY: "#9fdcff",
    GREEN: "#27c796",
    BLUE: "#4a9ff5",
    RED: "#ff8243",
    PINK: "#eba3cc",
    WINE: "#d0608f",
    OLIVE: "#c9c95a",
}


@dataclass(frozen=True)
class Look:
    """線 1 本の見た目。``dash``: matplotlib の線の種類。``letter``: 動かせる図で点の中に書く文字。"""

    color: str
    dash: Any = "-"
    marker: str = "o"
    letter: str = ""

    def line(self, **options: Any) -> dict[str, Any]:
        return {"color": self.color, "linestyle": self.dash, **options}

    @property
    def dashes(self) -> list[float]:
        """線と間の長さの並び(線の太さを 1 として)。実線なら空。"""
        return [] if self.dash == "-" else list(self.dash[1])

    @property
    def on_dark(self) -> str:
        """暗い地の上の色。"""
        return _BRIGHTER[self.color]


METHOD_LOOKS = {
    "SGD": Look(BLACK, "-", "o", "勾"),
    "Momentum": Look(BLUE, (0, (6, 2)), "s", "M"),
    "NAG": Look(SKY, (0, (2, 1.5)), "D", "N"),
    "AdaGrad": Look(ORANGE, (0, (6, 2, 1.5, 2)), "^", "G"),
    "RMSProp": Look(GREEN, (0, (1, 1)), "v", "R"),
    "AdaDelta": Look(PINK, (0, (8, 2, 1.5, 2, 1.5, 2)), "P", "D"),
    "Adam": Look(RED, "-", "X", "A"),
    "AdamW": Look(WINE, (0, (4, 1.5)), "p", "W"),
    "Lion": Look(OLIVE, (0, (3, 1, 1, 1)), "*", "L"),
}
SERIES_LOOKS = (
    Look(BLUE, "-", "o"),
    Look(RED, (0, (6, 2)), "s"),
    Look(GREEN, (0, (2, 1.5)), "^"),
    Look(ORANGE, (0, (6, 2, 1.5, 2)), "D"),
    Look(PINK, (0, (1, 1)), "v"),
)


def readable_on(color: str) -> str:
    """``#rrggbb`` の地の上で読みやすい方の文字の色: 黒か白(WCAG の相対輝度で比べる)。

    >>> readable_on("#000000"), readable_on("#E69F00")
    ('#ffffff', '#000000')
    """
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    light = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"
