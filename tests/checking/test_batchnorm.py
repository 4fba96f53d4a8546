"""check_batchnorm(): a learner's normalization against the page."""

import re
import time

import numpy as np
import pytest

from fumoto import check_batchnorm
from fumoto.batchnorm import BatchNorm

PARTS = {
    "mean": "x.mean(axis=0)",
    "var": "((x - mean) ** 2).mean(axis=0)",
    "running_mean": "self.rm = rho * self.rm + (1 - rho) * mean",
    "running_var": "self.rv = rho * self.rv + (1 - rho) * N / (N - 1) * var",
    "inference": "mean, var = self.rm, self.rv",
    "std": "np.sqrt(var + self.eps)",
    "out": "self.gamma * self.x_hat + self.beta",
    "dgamma": "(dout * self.x_hat).sum(axis=0)",
    "dbeta": "dout.sum(axis=0)",
    "dx": "self.gamma / self.std * (dout - dout.mean(axis=0) - self.x_hat * (dout * self.x_hat).mean(axis=0))",
}
SOURCE = """
class Learner:
    def __init__(self, gamma, beta, decay_rate, eps):
        self.gamma, self.beta, self.rho, self.eps = gamma, beta, decay_rate, eps
        self.rm, self.rv = np.zeros_like(gamma), np.ones_like(gamma)

    def forward(self, x, training=True):
        rho, N = self.rho, len(x)
        if training:
            mean = {mean}
            var = {var}
            {running_mean}
            {running_var}
        else:
            {inference}
        self.std = {std}
        self.x_hat = (x - mean) / self.std
        return {out}

    def backward(self, dout):
        N = len(dout)
        self.dgamma = {dgamma}
        self.dbeta = {dbeta}
        return {dx}
"""


def learner(**changes):
    namespace = {"np": np}
    exec(SOURCE.format(**{**PARTS, **changes}), namespace)
    return namespace["Learner"]


STEPWISE = """(lambda dxh: (dxh / self.std
    + (-(dxh * self.x_hat).sum(axis=0) / self.std) * self.x_hat / N
    - dxh.sum(axis=0) / self.std / N))(dout * self.gamma)"""


@pytest.mark.parametrize("make", [BatchNorm, learner(), learner(var="x.var(axis=0)"), learner(dx=STEPWISE)])
def test_correct_batchnorm_is_accepted(make):
    report = check_batchnorm(make)
    assert report.ok, str(report)
    assert "推論の出力が式のとおりです" in str(report)


def test_the_biased_running_variance_is_a_named_convention():
    report = check_batchnorm(learner(running_var="self.rv = rho * self.rv + (1 - rho) * var"))
    assert (report.ok, report.variant) == (True, "biased-running-var")


@pytest.mark.parametrize(
    ("running_var", "variant"),
    [
        (PARTS["running_var"], "zero-start"),
        ("self.rv = rho * self.rv + (1 - rho) * var", "biased-zero-start"),
    ],
)
def test_running_variance_from_zero_is_a_named_convention(running_var, variant):
    """『ゼロから作る Deep Learning』 starts both averages from zero."""
    start = "self.rv = self.rv * (self.rv != 1.0); "
    report = check_batchnorm(learner(running_var=start + running_var))
    assert (report.ok, report.variant) == (True, variant)


def test_a_float32_batchnorm_is_accepted_and_its_mistakes_are_not():
    to_float32 = {
        "mean": "np.float32(x).mean(axis=0)",
        "out": "np.float32(self.gamma * self.x_hat + self.beta)",
    }
    to_float32["dx"] = f"np.float32({PARTS['dx']})"
    assert check_batchnorm(learner(**to_float32)).ok
    spoiled = {**to_float32, "std": "np.sqrt(var)"}
    assert not check_batchnorm(learner(**spoiled))
    biased = {**to_float32, "var": "x.var(axis=0, ddof=1)"}
    assert check_batchnorm(learner(**biased)).variant == "eq-batchnorm-var/count-1"


class Reusing(BatchNorm):
    """Writes its gradients into the same arrays every time."""

    def __init__(self, gamma, beta, **hyperparameters):
        super().__init__(gamma, beta, **hyperparameters)
        self.buffers = {"gamma": np.zeros_like(gamma), "beta": np.zeros_like(beta)}

    def backward(self, dout):
        dx = super().backward(dout)
        for name, buffer in self.buffers.items():
            buffer[...] = self.grads[name]
        self.grads = self.buffers
        return dx


def test_a_batchnorm_that_reuses_its_arrays_is_accepted():
    assert check_batchnorm(Reusing).ok


def test_arguments_that_are_no_finite_numbers_are_misuse():
    with pytest.raises(ValueError, match="eps は有限の数"):
        check_batchnorm(BatchNorm, eps=float("nan"))


SPOILED = [
    ({"var": "x.var(axis=0, ddof=1)"}, "eq-batchnorm-var/count-1"),
    ({"var": "((x - mean) ** 2).sum(axis=0)"}, "eq-batchnorm-var/factor"),
    ({"std": "np.sqrt(var)"}, "eq-batchnorm-normalize/dropped"),
    ({"std": "np.sqrt(var) + self.eps"}, "eq-batchnorm-normalize/outside"),
    ({"std": "var + self.eps"}, "eq-batchnorm-normalize/root"),
    ({"out": "self.x_hat"}, "eq-batchnorm-scale/nothing"),
    ({"out": "self.gamma * self.x_hat"}, "eq-batchnorm-scale/dropped"),
    ({"out": "self.gamma * (self.x_hat + self.beta)"}, "eq-batchnorm-scale/bracket"),
    ({"dgamma": "(dout * self.x_hat).sum(axis=1)"}, "axis"),
    ({"dbeta": "dout.sum(axis=1)"}, "axis"),
    ({"dgamma": "(dout * self.x_hat).mean(axis=0)"}, "eq-batchnorm-dgamma/mean"),
    ({"dbeta": "dout.mean(axis=0)"}, "eq-batchnorm-dbeta/mean"),
    ({"dgamma": "dout.sum(axis=0)"}, "eq-batchnorm-dgamma/factor"),
    ({"dx": "self.gamma / self.std * dout"}, "eq-batchnorm-dx/constants"),
    ({"dx": "self.gamma / self.std * (dout - dout.mean(axis=0))"}, "eq-batchnorm-dx/dropped"),
    ({"dx": PARTS["dx"].replace("self.gamma / ", "1 / ")}, "eq-batchnorm-dx/factor"),
    ({"inference": "mean, var = x.mean(axis=0), x.var(axis=0)"}, "inference/batch-statistics"),
    ({"running_mean": "pass"}, "eq-batchnorm-running-mean/dropped"),
    ({"running_mean": "self.rm = mean", "running_var": "self.rv = var"}, "running/last-batch"),
    (
        {
            "running_mean": "self.rm = (1 - rho) * self.rm + rho * mean",
            "running_var": "self.rv = (1 - rho) * self.rv + rho * N / (N - 1) * var",
        },
        "running/reversed",
    ),
    (
        {"mean": "x.mean(axis=1, keepdims=True)", "var": "x.var(axis=1, keepdims=True)"}
        | {"running_mean": "pass", "running_var": "pass"},
        "forward/axis",
    ),
]

INFERENCE = "x_hat = (x - self.rm) / np.sqrt(self.rv + self.eps); return {}"
SPOILED += [
    ({"mean": "x.mean(keepdims=True)", "var": "x.var(keepdims=True)"}, "forward/all"),
    ({"out": "self.gamma**2 * self.x_hat + self.beta"}, "forward/gamma-twice"),
    ({"out": "self.beta * self.x_hat + self.gamma"}, "forward/exchanged"),
    ({"dgamma": PARTS["dbeta"], "dbeta": PARTS["dgamma"]}, "backward/exchanged"),
    ({"dgamma": "self.gamma * (dout * self.x_hat).sum(axis=0)"}, "backward/gamma-scaled"),
    ({"dbeta": "self.gamma * dout.sum(axis=0)"}, "backward/beta-scaled"),
    ({"dx": "self.gamma * " + PARTS["dx"]}, "eq-batchnorm-dx/gamma-twice"),
    ({"dx": "dout"}, "backward/passed-on"),
    ({"running_mean": "self.rm = (1 - rho) * self.rm + rho * mean"}, "running/mean-reversed"),
    ({"running_var": "self.rv = (1 - rho) * self.rv + rho * var"}, "running/var-reversed"),
    ({"running_mean": "pass", "running_var": "pass"}, "running/still"),
    ({"running_var": "self.rv = rho * self.rv + (1 - rho) * np.sqrt(var)"}, "running/standard-deviation"),
    ({"inference": "mean, var = x.mean(axis=0), self.rv"}, "inference/batch-mean"),
    ({"inference": "mean, var = self.rm, x.var(axis=0)"}, "inference/batch-variance"),
    ({"inference": INFERENCE.format("x_hat")}, "inference/unscaled"),
    ({"inference": INFERENCE.format("self.gamma * x_hat")}, "inference/no-beta"),
    ({"inference": INFERENCE.format("x_hat + self.beta")}, "inference/no-gamma"),
    ({"inference": INFERENCE.format("self.gamma * (x_hat + self.beta)")}, "inference/bracket"),
    ({"inference": "return self.gamma * (x - self.rm) / np.sqrt(self.rv) + self.beta"}, "inference/no-epsilon"),
    ({"inference": "return self.gamma * (x - self.rm) / (self.rv + self.eps) + self.beta"}, "inference/no-root"),
    ({"inference": "return x"}, "inference/untouched"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "variant"), SPOILED)
def test_a_spoiled_batchnorm_is_named(changes, variant):
    report = check_batchnorm(learner(**changes))
    assert not report.ok
    assert report.variant.startswith(variant), str(report)
    if variant.startswith("eq-"):
        assert report.equation == variant.split("/")[0]
        assert "印刷された式" in str(report)


@pytest.mark.parametrize(
    "inference",
    [
        "mean, var = self.rm, self.rv; self.rm = rho * self.rm + (1 - rho) * x.mean(axis=0)",
        "self.rv = rho * self.rv + (1 - rho) * x.var(axis=0); mean, var = self.rm, self.rv",
    ],
)
def test_averages_that_move_during_inference_are_noticed(inference):
    report = check_batchnorm(learner(inference=inference))
    assert (report.ok, report.variant) == (False, "inference/updates")
    assert "推論を 2 度続けると、出力か移動平均が変わります" in str(report)


def test_averages_that_move_where_they_can_be_seen_are_noticed():
    class Moving(BatchNorm):
        def forward(self, x, training=True):
            mean, var = self.running_mean.copy(), self.running_var.copy()
            y = super().forward(x, training)
            if not training:  # the output does not show it
                self.running_var = 2 * var
                self.kept = getattr(self, "kept", (mean, var))
                y = self.params["gamma"] * (x - self.kept[0]) / np.sqrt(self.kept[1] + self.eps)
                y += self.params["beta"]
            return y

    assert check_batchnorm(Moving).variant == "inference/updates"


def test_a_flag_that_is_ignored_is_named_before_the_averages_that_move():
    class Ignoring(BatchNorm):
        def forward(self, x, training=True):
            return super().forward(x, True)

    assert check_batchnorm(Ignoring).variant == "inference/batch-statistics"


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({"mean": "np.mean(x, axis=0); x -= mean; x += mean + 1e-9"}, "forward/x-mutated"),
        ({"dbeta": "dout.sum(axis=0); dout *= 2; dout /= 2; dout += 1"}, "backward/dout-mutated"),
    ],
)
def test_input_that_is_written_to_is_refused(changes, variant):
    report = check_batchnorm(learner(**changes))
    assert (report.ok, report.variant) == (False, variant)
    assert "を書き換えました" in str(report)


REVERSED = {
    "running_mean": "self.rm = (1 - rho) * self.rm + rho * mean",
    "running_var": "self.rv = (1 - rho) * self.rv + rho * N / (N - 1) * var",
}


@pytest.mark.parametrize(
    ("decay_rate", "changes", "said"),
    [
        (0.5, {}, "減衰率の意味が逆"),
        (0.5, REVERSED, "減衰率の意味が逆"),
        (0.5, {"running_var": "self.rv = rho * self.rv + (1 - rho) * var"}, "減衰率の意味が逆"),
        (0.0, {}, "最後のミニバッチの平均と分散"),
        (0.0, {"running_mean": "self.rm = mean"}, "最後のミニバッチの平均と分散"),
    ],
)
def test_settings_that_hide_a_mistake_are_said_to(decay_rate, changes, said):
    report = check_batchnorm(learner(**changes), decay_rate=decay_rate)
    assert report.ok, str(report)
    assert "見分けられない間違いがあります" in str(report)
    assert said in str(report)
    assert "見分けられない" not in str(check_batchnorm(learner()))


class DeepLearningFromScratch:
    """The signature of the book's BatchNormalization."""

    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.inner = BatchNorm(gamma, beta, momentum, eps=1e-6)

    def forward(self, x, train_flg=True):
        return self.inner.forward(x, train_flg)

    def backward(self, dout):
        dx = self.inner.backward(dout)
        self.dgamma, self.dbeta = self.inner.grads["gamma"], self.inner.grads["beta"]
        return dx


def suggested(report):
    """The lambda that the report proposes."""
    return re.search(r"lambda gamma, beta, decay_rate, eps: \w+\(.*?\)", str(report))[0]


def test_other_names_of_arguments_are_understood():
    report = check_batchnorm(DeepLearningFromScratch)
    assert (report.ok, report.constants) == (True, {"eps": 1e-6}), str(report)
    assert "ε は 1e-06 と書き込まれています" in str(report)
    assert check_batchnorm(DeepLearningFromScratch, decay_rate=0.7, eps=1e-6).constants == {}
    assert not check_batchnorm(DeepLearningFromScratch, eps=1e-3)


def test_a_mistake_is_named_whatever_epsilon_is_written_in():
    wrong = learner(var="x.var(axis=0, ddof=1)")
    report = check_batchnorm(lambda gamma, beta: wrong(gamma, beta, decay_rate=0.9, eps=1e-7))
    hidden = check_batchnorm(lambda gamma, beta: Closed(wrong(gamma, beta, decay_rate=0.9, eps=1e-3)))
    assert report.equation == hidden.equation == "eq-batchnorm-var", str(hidden)
    assert hidden.constants["eps"] == 1e-3


class Closed:
    """Shows no epsilon."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x, training):
        return self.inner.forward(x, training)

    def backward(self, dout):
        dx = self.inner.backward(dout)
        self.dgamma, self.dbeta = self.inner.dgamma, self.inner.dbeta
        return dx


def test_keyword_only_arguments_are_passed_by_their_names():
    class KeywordOnly(BatchNorm):
        def __init__(self, *, gamma, beta, rho, epsilon):
            super().__init__(gamma, beta, rho, epsilon)

        def forward(self, x, *, train_flg=True):
            return super().forward(x, train_flg)

    report = check_batchnorm(KeywordOnly)
    assert (report.ok, report.constants) == (True, {}), str(report)


@pytest.mark.parametrize("rate", [0.9, 0.99, 0.1])
def test_a_written_rate_is_found_out(rate):
    report = check_batchnorm(lambda gamma, beta: BatchNorm(gamma, beta, rate, 1e-8))
    assert report.ok, str(report)
    hidden = type("Hidden", (), {"forward": lambda self, x, t: self.inner.forward(x, t)})

    def made(g, b):
        layer = hidden()
        layer.inner = BatchNorm(g, b, rate, 1e-8)
        layer.backward, layer.grads = layer.inner.backward, layer.inner.grads
        return layer

    report = check_batchnorm(made)
    assert (report.ok, report.constants) == (True, {"decay_rate": rate, "eps": 1e-8}), str(report)


class Switched:
    def __init__(self, gamma, beta, rho=0.8, eps=1e-5):
        self.inner, self.training = BatchNorm(gamma, beta, rho, eps), True
        self.grads = self.inner.grads

    def forward(self, x):
        return self.inner.forward(x, self.training)

    def backward(self, dout):
        dx = self.inner.backward(dout)
        self.grads = self.inner.grads
        return dx


class Switching(Switched):
    def train(self, mode=True):
        self.training = mode

    def eval(self):
        self.training = False


@pytest.mark.parametrize("make", [Switched, Switching])
def test_a_switch_instead_of_an_argument_is_used(make):
    assert check_batchnorm(make).ok


def test_an_argument_nobody_can_guess_is_answered_with_a_lambda_that_works():
    class Guess(BatchNorm):
        def __init__(self, gamma, beta, momentum, axis):
            super().__init__(gamma, beta, momentum)

    report = check_batchnorm(Guess)
    assert not report.ok
    proposed = suggested(report)
    assert proposed.endswith("Guess(gamma=gamma, beta=beta, momentum=decay_rate, axis=…)")
    assert check_batchnorm(eval(proposed.replace("…", "0"), {"Guess": Guess})).ok


def test_a_mistake_nobody_thought_of_is_still_rejected():
    report = check_batchnorm(learner(out="self.gamma * self.x_hat + self.beta + 0.01 * x"))
    assert not report.ok
    assert "不一致: 学習中の出力が違います" in str(report)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda gamma, beta, **options: np.zeros(gamma), "作る で TypeError"),
        (
            lambda gamma, beta, more: None,
            "lambda gamma, beta, decay_rate, eps: MyBatchNorm(gamma=gamma, beta=beta, more=…)",
        ),
        (
            lambda g, b, more: None,
            "lambda gamma, beta, decay_rate, eps: MyBatchNorm(g=gamma, b=beta, more=…)",
        ),
        (lambda gamma, beta: None, "forward(x, True) で AttributeError"),
        (
            type("OnlyX", (), {"__init__": lambda self, *_, **__: None, "forward": lambda self, x: x}),
            "forward(x, True) の形で呼べません。学習中か推論かを、2 つ目の引数で",
        ),
        (lambda gamma, beta, decay_rate, eps: object(), "forward(x, True) で AttributeError"),
        (learner(out="self.x_hat[:2]"), "forward の出力の形が"),
        (learner(dbeta="None"), 'grads["beta"] も dbeta もありません'),
        (learner(mean="x.mean(axis=1)"), "forward(x, True) で ValueError"),
    ],
)
def test_code_that_does_not_run_gets_its_own_sentence(make, sentence):
    report = check_batchnorm(make)
    assert not report.ok
    assert sentence in str(report)
    assert "Traceback" not in str(report)


@pytest.mark.alone
def test_a_check_takes_less_than_two_seconds():
    check_batchnorm(BatchNorm)  # the first check reads the pages
    start = time.perf_counter()
    check_batchnorm(learner(running_mean="self.rm = 2 * mean"))
    assert time.perf_counter() - start < 2
