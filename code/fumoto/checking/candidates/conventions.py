"""間違いではない、ほかの書き方。読者のものがこれと同じなら、一致とし、その名前を言う。"""

from dataclasses import dataclass, field, replace

from fumoto.printed import METHODS, Method

#: 手法の名前 → {説明: 式の並び}。
OPTIMIZERS: dict[str, dict[str, Method]] = {
    "Adam": {
        "補正を学習率にまとめた形(ε は補正前の √v に足す)": replace(
            METHODS["Adam"],
            labels=("eq-adam-lrt", "eq-adam-m", "eq-adam-v", "eq-adam-lrtw"),
            hyperparameters={**METHODS["Adam"].hyperparameters, "eps": "varepsilon_hat"},
        )
    },
    "Nesterov": {
        "更新前の速度で書いた形": replace(
            METHODS["Nesterov"], labels=("eq-nesterov-v", "eq-nesterov-expanded")
        )
    },
}


@dataclass(frozen=True)
class RunningAverage:
    """Batch Normalization の移動平均の、ほかの書き方。

    ``what``: 説明。``equations``: ラベル → ページの式の代わりに使う式。``options``: 式を動かすときの、ほかの設定。
    """

    what: str
    equations: dict[str, str] = field(default_factory=dict)
    options: dict[str, float] = field(default_factory=dict)


_BIASED = {"eq-batchnorm-running-var": r"s_{t+1} = \rho s_t + (1 - \rho) \sigma_B^2"}
_ZERO_START = {"start_var": 0.0}

#: 名前 → 書き方。3 つ目が『ゼロから作る Deep Learning』の書き方。
RUNNING_AVERAGES = {
    "biased-running-var": RunningAverage("移動平均の分散を、N で割った分散から作る書き方です", _BIASED),
    "zero-start": RunningAverage("分散の移動平均を 0 から始める書き方です", options=_ZERO_START),
    "biased-zero-start": RunningAverage(
        "分散の移動平均を 0 から始め、N で割った分散から作る書き方です", _BIASED, _ZERO_START
    ),
}
