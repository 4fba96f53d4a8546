"""動く図: 止まった図の上に、SVG のアニメーションで点を走らせる。

点は道のりの上を時刻どおりに動く。「視差効果を減らす」設定の読者と印刷では点を消し、止まった図だけを見せる。
"""

import numpy as np

_STYLE = "<style>@media (prefers-reduced-motion: reduce), print { .moving { display: none; } }</style>"


def animate(picture, ax, paths, looks, window, seconds=10):
    """``paths``(名前 → ``(steps + 1, 2)``)の点を ``seconds`` 秒で一周させる断片を図に重ねる。

    1 歩にかける時間はどの手法も同じである。計算の速さは表さない。
    """
    picture.figure.draw_without_rendering()
    height = picture.figure.bbox.height
    dots = []
    for name, points in paths.items():
        inside = _clip(points, window)
        pixels = ax.transData.transform(inside)
        values = ";".join(f"{x:.1f},{height - y:.1f}" for x, y in pixels)
        look = looks[name]
        dots.append(
            f'<g class="moving"><circle r="7.5" fill="{look.color}" stroke="#fff" stroke-width="1.2"/>'
            f'<text y="3.6" text-anchor="middle" font-family="sans-serif" font-size="10"'
            f' font-weight="bold" fill="#fff">{look.letter}</text>'
            f'<animateTransform attributeName="transform" type="translate" dur="{seconds}s"'
            f' repeatCount="indefinite" values="{values}"/></g>'
        )
    picture.overlay = _STYLE + "".join(dots)


def _clip(points, window):
    """図の枠からはみ出した点を枠の上に留める。"""
    x_low, x_high, y_low, y_high = window
    finite = np.nan_to_num(points, nan=0.0, posinf=1e9, neginf=-1e9)
    return np.clip(finite, [x_low, y_low], [x_high, y_high])
