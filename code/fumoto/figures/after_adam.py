"""10 章の図。"""

from fumoto.experiments.after_adam import DecayPaths
from fumoto.figures.looks import SERIES_LOOKS
from fumoto.figures.style import Picture, draw, legend_above


@draw
def decay_paths(result: DecayPaths) -> Picture:
    """勾配の大きさごとの、重みの縮み方。左が L2、右が AdamW。"""
    picture = Picture("decay-paths", 1, 2, height=3.3, sharey=True)
    titles = {"L2": r"Adam に $\lambda w$ を渡す", "AdamW": "AdamW"}
    for ax, (name, path) in zip(picture.axes, result.paths.items(), strict=True):
        every = len(path) // 6
        for k, (size, look) in enumerate(zip(result.sizes, SERIES_LOOKS, strict=False)):
            marks = look.line(marker=look.marker, markersize=6, markevery=(k * every // 3, every))
            ax.plot(path[:, k], **marks, label=f"大きさ {size:g}")
        ax.set(xlabel="ステップ $t$", title=titles[name], ylim=(0, 1.05))
    picture.axes[0].set_ylabel("重み $w_t$")
    legend_above(picture, picture.axes[0], columns=len(result.sizes))
    return picture
