"""check_initializer() and check_batchnorm(): a learner's initial values and normalization against the page."""

import time

import numpy as np
import pytest

from fumoto import check_batchnorm, check_initializer, initializers
from fumoto.batchnorm import BatchNorm

# --- initial values ---------------------------------------------------------------------------------------


def normal(std):
    return lambda rng, n_in, n_out: rng.normal(0.0, std(n_in, n_out), (n_in, n_out))


@pytest.mark.parametrize("name", ["xavier", "glorot", "he"])
def test_our_initializers_are_accepted(name):
    report = check_initializer(getattr(initializers, name), name)
    assert report.ok, str(report)
    assert str(report).startswith("一致: 要素の標準偏差は式のとおりです。")


@pytest.mark.parametrize(
    "make",
    [
        lambda rng, n_in, n_out: (rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)).astype(np.float32),
        lambda rng, n_in, n_out: rng.standard_normal(n_in * n_out).reshape(n_in, n_out) * (2 / n_in) ** 0.5,
        lambda rng, n_in, n_out: rng.uniform(-1, 1, (n_in, n_out)) * np.sqrt(6 / n_in),
    ],
)
def test_other_styles_are_accepted(make):
    assert check_initializer(make, "he").ok


WRONG_WIDTHS = [  # the name of the initial value, what a learner wrote, what should be named
    ("xavier", normal(lambda n, m: 1 / n), "eq-xavier-std/root-1"),
    ("xavier", normal(lambda n, m: np.sqrt(n)), "eq-xavier-std/inverse-1"),
    ("xavier", normal(lambda n, m: 1 / np.sqrt(n * m)), "eq-xavier-std/n-elements"),
    ("xavier", normal(lambda n, m: 1 / np.sqrt(m)), "eq-xavier-std/n-out"),
    ("he", normal(lambda n, m: 2 / n), "eq-he-std/root-1"),
    ("he", normal(lambda n, m: 1 / np.sqrt(n)), "eq-he-std/factor"),
    ("he", normal(lambda n, m: np.sqrt(2 * n)), "eq-he-std/inverse"),
    ("he", normal(lambda n, m: 2 / np.sqrt(n)), "eq-he-std/root-2"),  # the notes' form
    ("he", normal(lambda n, m: np.sqrt(2 / (n * m))), "eq-he-std/n-elements"),
    ("he", normal(lambda n, m: 2 / np.sqrt(n * m)), "eq-he-std/root-2/n-elements"),  # the notes' 0.006
    ("he", normal(lambda n, m: np.sqrt(2 / m)), "eq-he-std/n-out"),  # nndl issue 95: the wrong n
    ("he", lambda rng, n, m: rng.uniform(-1, 1, (n, m)) * np.sqrt(2 / n), "eq-he-std/uniform-width"),
    ("glorot", normal(lambda n, m: np.sqrt(2 / n)), "eq-glorot-std/dropped"),
    ("glorot", normal(lambda n, m: 2 / (n + m)), "eq-glorot-std/root-1"),
]


@pytest.mark.parametrize(("name", "make", "variant"), WRONG_WIDTHS)
def test_a_wrong_width_is_named(name, make, variant):
    report = check_initializer(make, name)
    assert not report
    assert report.equation == f"eq-{name}-std"
    assert report.variant.startswith(variant), str(report)
    assert str(report).startswith("既知の間違い")


def test_a_width_is_compared_within_its_own_error():
    """One per cent too wide is more than five standard errors of the largest matrix."""
    assert not check_initializer(normal(lambda n, m: 1.02 * np.sqrt(2 / n)), "he")
    assert not check_initializer(normal(lambda n, m: np.sqrt(n / 2)), "he")
    report = check_initializer(normal(lambda n, m: 0.123), "he")
    assert str(report).startswith("不一致")
    assert "784×100: あなたの標準偏差 0.123" in str(report)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda rng, n, m: rng.normal(0.0, 0.1, (m, n)), "形が (n_out, n_in) です"),
        (lambda rng, n, m: np.random.default_rng().normal(0.0, 0.1, (n, m)), "渡された rng を使っていますか"),
        (
            lambda rng, n, m: np.random.default_rng(0).normal(0.0, 0.1, (n, m)),
            "種を固定していませんか",
        ),
        (lambda rng, n, m: rng.normal(0.1, 0.1, (n, m)), "平均が 0 ではありません"),
        (lambda n, m: np.zeros((n, m)), "make(rng, 50, 400) で TypeError"),
        (lambda rng, n, m: None, "実数の配列を返してください"),
        (lambda rng, n, m: [[1.0], [1.0, 2.0]], "make の返した値 で ValueError"),
        (lambda rng, n, m: rng.normal(size=n), "形が (50, 400) ではありません"),
        (lambda rng, n, m: np.full((n, m), np.nan) * rng.normal(), "nan"),
    ],
)
def test_code_that_is_no_initializer_gets_its_own_sentence(make, sentence):
    report = check_initializer(make, "he")
    assert not report.ok
    assert sentence in str(report)


def test_an_unknown_initial_value_is_misuse():
    with pytest.raises(ValueError, match=r"name は \['glorot', 'he', 'xavier'\] のどれか.*'lecun'"):
        check_initializer(initializers.he, "lecun")


# --- Batch Normalization ----------------------------------------------------------------------------------

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


@pytest.mark.parametrize(("changes", "variant"), SPOILED)
def test_a_spoiled_batchnorm_is_named(changes, variant):
    report = check_batchnorm(learner(**changes))
    assert not report.ok
    assert report.variant.startswith(variant), str(report)
    if variant.startswith("eq-"):
        assert report.equation == variant.split("/")[0]
        assert "印刷された式" in str(report)


def test_a_mistake_nobody_thought_of_is_still_rejected():
    report = check_batchnorm(learner(out="self.gamma * self.x_hat + self.beta + 0.01 * x"))
    assert not report.ok
    assert "不一致: 学習中の出力が違います" in str(report)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda gamma, beta: None, "作る で TypeError"),
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


def test_a_check_takes_less_than_two_seconds():
    check_batchnorm(BatchNorm)  # the first check reads the pages
    start = time.perf_counter()
    check_batchnorm(learner(running_mean="self.rm = 2 * mean"))
    check_initializer(normal(lambda n, m: 0.123), "he")
    assert time.perf_counter() - start < 4
