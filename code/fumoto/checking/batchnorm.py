"""読者の Batch Normalization を、印刷された式と突き合わせる: 順伝播、逆伝播、推論。"""

from collections.abc import Callable
from typing import Any

from fumoto.checking.calling.batchnorm import follow
from fumoto.checking.calling.safety import ReaderError, one_check
from fumoto.checking.candidates.batchnorm import diagnose, inference
from fumoto.checking.computing.batchnorm import INFERENCE, PROBLEMS, STAGES, follow_equations, same
from fumoto.checking.report import Report
from fumoto.printed.pages import book
from fumoto.validation import fraction, positive


@one_check
def check_batchnorm(make: Callable[..., Any], *, decay_rate: float = 0.9, eps: float = 1e-5) -> Report:
    """``make(gamma, beta, decay_rate=…, eps=…)`` で作った Batch Normalization が、式のとおりに動くかを調べる。

    作られたものは、``forward(x, training)`` と ``backward(dout)``、``grads["gamma"]``, ``grads["beta"]``
    (または ``dgamma``, ``dbeta``)を持つこと。学習中の出力、勾配、推論の出力の順に比べ、はじめて違ったところの間違いを言う。
    移動平均の分散は、不偏分散から作っても(この本)、N で割った分散から作っても、1 から始めても(この本)、0 から始めても
    一致とする。推論は 2 度続けて行い、移動平均が変わらないことも確かめる。

    >>> from fumoto.batchnorm import BatchNorm
    >>> print(check_batchnorm(BatchNorm))
    一致: 学習中の出力、γ の勾配、β の勾配、入力の勾配、推論の出力が式のとおりです。
    (形 6×4、5×5、2×3 のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)
    """
    equations = book()
    hyperparameters = {"decay_rate": fraction("decay_rate", decay_rate), "eps": positive("eps", eps)}
    try:
        followed = [follow(make, hyperparameters, problem) for problem in PROBLEMS]
    except ReaderError as error:
        return Report(False, f"BatchNorm を確かめられませんでした。{error}", variant=error.variant)
    shapes = "、".join(f"{len(problem.batches[0].x)}×{len(problem.gamma)}" for problem in PROBLEMS)
    ran = f"(形 {shapes} のミニバッチを 3 つずつと、推論 2 回を、この引数で確かめました)"
    yours, expected = [found for found, _ in followed], list(follow_equations(equations, hyperparameters))
    for stage in STAGES:
        if stage != INFERENCE and not same(stage, yours, expected):
            return diagnose(stage, yours, equations, hyperparameters, ran)
    report = inference(yours, expected, equations, hyperparameters, ran)
    if any(moved for _, moved in followed) and report.variant != "inference/batch-statistics":
        verdict = "既知の間違い: 推論を 2 度続けると、出力か移動平均が変わります(推論では、移動平均を使うだけで変えません)。"
        return Report(False, verdict, notes=(ran,), variant="inference/updates")
    return report
