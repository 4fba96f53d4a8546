"""check_batchnorm(): classes, instances and functions as learners write them, right and wrong."""

from types import ModuleType

import numpy as np
import pytest

from fumoto import check_batchnorm
from fumoto.checking.calling.batchnorm.partners import together
from fumoto.command import main

LAYER = """
class BatchNorm1d:
    def __init__(self, {made}):
        {hold}
        self.momentum, self.eps = {momentum}, {eps}
        self.running_mean, self.running_var = np.zeros(D), np.ones(D)
        self.training = True

    def {forward}:
        if {training}:
            mean, var = x.mean(0), {var}
            new = {new}
            self.running_mean = (1 - new) * self.running_mean + new * mean
            self.running_var = (1 - new) * self.running_var + new * var
        else:
            mean, var = {inference}
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std
        return {gamma} * self.x_hat + {beta}
"""
BACKWARD = """
    def backward(self, dout):
        dgamma, dbeta = (dout * {raw}).sum(0), dout.sum(0)
        {leave}
        dx = {gamma} / self.std * (dout - dout.mean(0) - self.x_hat * (dout * self.x_hat).mean(0))
        return {returned}
"""
PARTS = {
    "made": "D, eps=1e-5, momentum=0.1",
    "hold": "self.gamma, self.beta = np.ones(D), np.zeros(D)",
    "momentum": "momentum",
    "eps": "eps",
    "forward": "forward(self, x)",
    "training": "self.training",
    "var": "x.var(0)",
    "new": "self.momentum",
    "inference": "self.running_mean, self.running_var",
    "gamma": "self.gamma",
    "beta": "self.beta",
    "raw": "self.x_hat",
    "leave": "self.dgamma, self.dbeta = dgamma, dbeta",
    "returned": "dx",
}
METHODS = "\n    def train(self): self.training = True\n    def eval(self): self.training = False\n"


def written(source, name):
    """The thing ``name`` of a learner's file."""
    module = ModuleType("learners_file")
    exec("import numpy as np\n" + source, vars(module))
    return getattr(module, name)


def layer(backward=True, more="", **changes):
    source = (LAYER + BACKWARD * backward).format(**{**PARTS, **changes})
    return written(source + more, "BatchNorm1d")


HELD = [
    ("self.gamma, self.beta = np.ones(D), np.zeros(D)", "self.gamma", "self.beta"),
    ("self.weight, self.bias = np.ones((1, D)), np.zeros((1, D))", "self.weight", "self.bias"),
    ("self.W, self.b = np.ones(D), np.zeros(D)", "self.W", "self.b"),
    ("self.scale, self.shift = np.ones(D, int), np.zeros(D, int)", "self.scale", "self.shift"),
    ("self.g, self.b = [1.0] * D, [0.0] * D", "np.array(self.g)", "self.b"),
    (
        "self.params = {'gamma': np.ones(D), 'beta': np.zeros(D)}",
        "self.params['gamma']",
        "self.params['beta']",
    ),
    (
        "self.gamma, self.beta = np.ones(D), np.zeros(D); self.params = [self.gamma, self.beta]",
        "self.params[0]",
        "self.params[1]",
    ),
]


@pytest.mark.parametrize(("hold", "gamma", "beta"), HELD)
def test_gamma_and_beta_are_set_wherever_a_layer_holds_them(hold, gamma, beta):
    held = {"hold": hold, "gamma": gamma, "beta": beta}
    report = check_batchnorm(layer(**held))
    assert report.ok, str(report)
    assert "列の数を渡して作り" in report.how
    assert not check_batchnorm(layer(**held, raw="dout"))
    assert check_batchnorm(layer(**{**held, "gamma": "1.0"})).equation == "eq-batchnorm-scale"


@pytest.mark.parametrize(
    "made", ["num_features, eps=1e-5, momentum=0.1", "dim, momentum=0.1, eps=1e-8", "nodes, eps=1e-5, momentum=0.1"]
)
def test_a_number_of_features_may_have_any_name(made):
    report = check_batchnorm(layer(made=made, hold=f"D = {made.split(',')[0]}; {PARTS['hold']}"))
    assert report.ok, str(report)


def flag(head, training):
    return {"forward": head, "training": training}


MODES = [
    ({}, "training を変えて"),
    ({"more": METHODS}, "train() と eval() で切り替え"),
    ({"more": "\n    def train(self, mode=True): self.training = mode\n    def eval(self): return self.train(False)\n"}, "train() と eval()"),
    ({"more": "\n    def set_training(self, on): self.training = on\n"}, "set_training(…) で切り替え"),
    (flag("__call__(self, x)", "self.training"), "layer(x)"),
    (flag("forward(self, x, train_flg=True)", "train_flg"), "forward(x, train_flg)"),
    (flag("forward(self, x, *, is_training)", "is_training"), "forward(x, is_training)"),
    (flag("forward(self, x, is_test=False)", "not is_test"), "forward(x, is_test)"),
    (flag("forward(self, x, mode='train')", "mode == 'train'"), "forward(x, mode)"),
    (flag("forward(self, x, mode)", "{'training': True, 'inference': False}[mode]"), "forward(x, mode)"),
    (flag("forward(self, x, mode)", "{'train': True, 'eval': False}[mode]"), "forward(x, mode)"),
    (flag("forward(self, x, mode=True)", "mode"), "forward(x, mode)"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "how"), MODES)
def test_training_and_inference_are_told_apart_as_the_layer_wants_it(changes, how):
    report = check_batchnorm(layer(**changes))
    assert report.ok, str(report)
    assert how in report.how
    wrong = check_batchnorm(layer(**changes, inference="x.mean(0), self.running_var"))
    assert (wrong.ok, wrong.variant) == (False, "inference/batch-mean"), str(wrong)


GRADIENTS = [
    ("self.d_gamma, self.d_beta = dgamma, dbeta", "dx"),
    ("self.grad_gamma, self.grad_beta = dgamma, dbeta", "dx"),
    ("self.gamma_grad, self.beta_grad = dgamma[None], dbeta[None]", "dx"),
    ("self.grads = {'gamma': dgamma, 'beta': dbeta}", "dx"),
    ("self.grads = {'dgamma': dgamma, 'dbeta': dbeta}", "dx"),
    ("self.grads = [dgamma, dbeta]", "dx"),
    ("pass", "dx, dgamma, dbeta"),
    ("pass", "{'dx': dx, 'dgamma': dgamma, 'dbeta': dbeta}"),
    ("pass", "dx, {'gamma': dgamma, 'beta': dbeta}"),
]


@pytest.mark.parametrize(("leave", "returned"), GRADIENTS)
def test_gradients_are_found_where_they_are_left(leave, returned):
    assert check_batchnorm(layer(leave=leave, returned=returned)).ok
    wrong = check_batchnorm(layer(leave=leave, returned=returned, raw="(self.x_hat * self.std)"))
    assert (wrong.ok, wrong.variant) == (False, "backward/centred-input"), str(wrong)


PARAMETER = """
class Parameter:
    def __init__(self, data): self.data, self.grad = data, None
"""


def test_a_gradient_beside_its_parameter_is_found():
    parts = {
        **PARTS,
        "hold": "self.gamma, self.beta = Parameter(np.ones(D)), Parameter(np.zeros(D))",
        **{"gamma": "self.gamma.data", "beta": "self.beta.data"},
        "leave": "self.gamma.grad, self.beta.grad = dgamma, {}",
    }
    for beta, variant in (("dbeta", "pytorch-momentum"), ("dbeta / len(dout)", "eq-batchnorm-dbeta/mean")):
        source = (LAYER + BACKWARD).format(**{**parts, "leave": parts["leave"].format(beta)})
        report = check_batchnorm(written(PARAMETER + source, "BatchNorm1d"))
        assert report.ok == (beta == "dbeta"), str(report)
        assert report.variant in (variant, "biased-running-var")


@pytest.mark.parametrize(
    ("default", "new", "ok"),
    [
        ("momentum=0.1", "momentum", True),
        ("momentum=0.9", "1 - momentum", True),
        ("momentum", "momentum", True),
        ("momentum", "1 - momentum", True),
        ("momentum=0.1", "1 - momentum", False),
        ("momentum=0.9", "momentum", False),
        ("rho", "rho", False),
    ],
)
def test_momentum_has_two_meanings_and_its_default_says_which(default, new, ok):
    name = default.split("=")[0]
    made = f"D, {default}, eps=1e-5"
    report = check_batchnorm(layer(made=made, momentum=name, new=new.replace(name, "self.momentum")))
    assert report.ok == ok, str(report)
    if ok:
        assert ("momentum は、新しい平均と分散に掛ける数です" in str(report)) == (new == "momentum")
    else:
        assert report.variant == "running/reversed"


def test_what_is_not_there_is_not_judged_and_that_is_said():
    report = check_batchnorm(layer(backward=False))
    assert report.ok
    assert "逆伝播(backward)が書かれていないので、勾配は確かめていません" in str(report)
    assert "勾配が" not in report.verdict
    only_raised = layer(backward=False, more="\n    def backward(self, dout): raise NotImplementedError\n")
    assert "勾配は確かめていません" in str(check_batchnorm(only_raised))
    assert check_batchnorm(layer(backward=False, var="x.var(0, ddof=1)")).equation == "eq-batchnorm-var"


TRAINING_ONLY = """
class Norm:
    def __init__(self, dim, eps=1e-5):
        self.W, self.b, self.eps = np.ones((1, dim)), np.zeros((1, dim)), eps

    def forward(self, x):
        self.s = np.sqrt(x.var(0) + self.eps)
        self.h = (x - x.mean(0)) / self.s
        return self.W * self.h + self.b

    def backward(self, g):
        self.dW, self.db = ({} * g).sum(0, keepdims=True), g.sum(0, keepdims=True)
        return self.W / self.s * (g - g.mean(0) - self.h * (g * self.h).mean(0))
"""


def test_a_layer_without_inference_is_judged_without_it():
    report = check_batchnorm(written(TRAINING_ONLY.format("self.h"), "Norm"))
    assert report.ok, str(report)
    assert "移動平均と推論は確かめていません" in str(report)
    wrong = check_batchnorm(written(TRAINING_ONLY.format("(self.h * self.s)"), "Norm"))
    assert (wrong.ok, wrong.variant) == (False, "backward/centred-input")


@pytest.mark.parametrize("features", [1, 4, 7])
def test_a_layer_that_is_made_already_is_judged_on_a_copy(features):
    made = layer()(features)
    made.forward(np.random.default_rng(0).normal(size=(5, features)))
    before = made.running_mean.copy()
    report = check_batchnorm(made)
    assert report.ok, str(report)
    assert "作ってあるものの写しを使い、移動平均をはじめの値に戻し" in report.how
    np.testing.assert_array_equal(made.running_mean, before)
    assert check_batchnorm(layer(inference="x.mean(0), self.running_var")(5)).variant == "inference/batch-mean"


STANFORD = """
def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    out, cache = None, None
    if mode == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        std = np.sqrt(var + eps)
        x_hat = (x - mean) / std
        out, cache = gamma * x_hat + beta, (x_hat, gamma, std)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    elif mode == "test":
        out = gamma * (x - running_mean) / {std} + beta
    else:
        raise ValueError(f"Invalid forward batchnorm mode {{mode}}")
    bn_param["running_mean"], bn_param["running_var"] = running_mean, running_var
    return out, cache


def batchnorm_backward(dout, cache):
    x_hat, gamma, std = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return gamma / std * (dout - dout.mean(0) - x_hat * (dout * x_hat).mean(0)), dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    x_hat, gamma, std = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    return {alt}, dgamma, dbeta


def layernorm_backward(dout, cache):
    return None
"""
RIGHT = {"std": "np.sqrt(running_var + eps)", "alt": "gamma / std / len(dout) * (len(dout) * dout - dbeta - x_hat * dgamma)"}  # fmt: skip


def test_the_functions_of_a_course_are_judged_together():
    forward = written(STANFORD.format(**RIGHT), "batchnorm_forward")
    assert [f.__name__ for f in together(forward).backwards] == ["batchnorm_backward", "batchnorm_backward_alt"]
    report = check_batchnorm(forward)
    assert (report.ok, report.variant) == (True, "biased-zero-start"), str(report)
    assert report.how == "batchnorm_forward(x, gamma, beta, bn_param) と batchnorm_backward(dout, …) を呼びました。"
    wrong = check_batchnorm(written(STANFORD.format(**{**RIGHT, "std": "(running_var + eps)"}), "batchnorm_forward"))
    assert wrong.variant == "inference/no-root", str(wrong)
    alt = "gamma / std * (len(dout) * dout - dbeta - x_hat * dgamma)"
    wrong = check_batchnorm(written(STANFORD.format(**{**RIGHT, "alt": alt}), "batchnorm_forward"))
    assert wrong.variant == "backward/times-N"
    assert "batchnorm_backward_alt" in wrong.how


PLAIN = """
def batch_norm(X, gamma, beta, eps=1e-5):
    mean, var = X.mean(axis={axis}, keepdims=True), X.var(axis={axis}, keepdims=True)
    X_hat = (X - mean) / np.sqrt(var + eps)
    return {returned}
"""
IN_A_DICTIONARY = """
def bn_forward(z, params, eps=1e-8):
    centered = z - z.mean(axis=0)
    var = (centered**2).mean(axis=0)
    return params["gamma"] * centered / {} + params["beta"], (centered, var)
"""


@pytest.mark.parametrize(
    "returned", ["gamma * X_hat + beta", "gamma * X_hat + beta, (X_hat, gamma), mean, var"]
)
def test_a_plain_function_is_judged_on_its_training_statistics(returned):
    report = check_batchnorm(written(PLAIN.format(axis=0, returned=returned), "batch_norm"))
    assert report.ok, str(report)
    assert report.verdict == "一致: 学習中の出力が式のとおりです。"
    wrong = check_batchnorm(written(PLAIN.format(axis=1, returned=returned), "batch_norm"))
    assert wrong.variant == "forward/axis"


def test_gamma_and_beta_may_be_in_a_dictionary():
    assert check_batchnorm(written(IN_A_DICTIONARY.format("np.sqrt(var + eps)"), "bn_forward")).ok
    wrong = check_batchnorm(written(IN_A_DICTIONARY.format("(var + eps)"), "bn_forward"))
    assert wrong.variant == "eq-batchnorm-normalize/root-1"


DIVE = """
def batch_norm({arguments}):
    if not is_training:
        X_hat = (X - moving_mean) / np.sqrt(moving_var + eps)
    else:
        mean = X.mean(axis=0)
        var = ((X - mean) ** 2).mean(axis=0)
        X_hat = (X - mean) / np.sqrt(var + eps)
        moving_mean = {mean}
        moving_var = (1.0 - momentum) * moving_var + momentum * var
    return gamma * X_hat + beta, moving_mean, moving_var
"""
ARGUMENTS = "X, gamma, beta, moving_mean, moving_var, eps, momentum"


@pytest.mark.parametrize("arguments", [f"is_training, {ARGUMENTS}", f"{ARGUMENTS}, is_training=True"])
def test_averages_that_the_caller_keeps_are_kept(arguments):
    mean = "(1.0 - momentum) * moving_mean + momentum * mean"
    report = check_batchnorm(written(DIVE.format(arguments=arguments, mean=mean), "batch_norm"))
    assert (report.ok, report.variant) == (True, "biased-running-var"), str(report)
    reversed_ = "momentum * moving_mean + (1.0 - momentum) * mean"
    wrong = check_batchnorm(written(DIVE.format(arguments=arguments, mean=reversed_), "batch_norm"))
    assert wrong.variant in ("running/mean-reversed", "running/var-reversed-biased"), str(wrong)


IMAGES = """
class BatchNorm2d:
    def __init__(self, channels, momentum=0.9, eps=1e-5):
        shape = (1, channels, 1, 1)
        self.gamma, self.beta = np.ones(shape), np.zeros(shape)
        self.mean, self.var = np.zeros(shape), np.ones(shape)
        self.momentum, self.eps = momentum, eps

    def forward(self, x, training=True):
        mean, var = self.mean, self.var
        if training:
            mean, var = (f(x, axis={axes}, keepdims=True) for f in (np.mean, np.var))
            n = {n}
            self.mean = self.momentum * self.mean + (1 - self.momentum) * mean
            self.var = self.momentum * self.var + (1 - self.momentum) * var * n / (n - 1)
        self.std = np.sqrt(var + self.eps)
        self.h = (x - mean) / self.std
        return self.gamma * self.h + self.beta

    def backward(self, d):
        self.dgamma, self.dbeta = (d * self.h).sum(axis=(0, 2, 3)), d.sum(axis=(0, 2, 3))
        m = {m}
        inside = m * d - self.dbeta.reshape(1, -1, 1, 1) - self.h * self.dgamma.reshape(1, -1, 1, 1)
        return self.gamma / self.std / m * inside
"""
PIXELS = {"axes": "(0, 2, 3)", "n": "x.size // x.shape[1]", "m": "d.size // d.shape[1]"}


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({}, None),
        ({"axes": "(2, 3)", "n": "2"}, "forward/instance"),
        ({"axes": "(1, 2, 3)", "n": "2"}, "forward/one-image"),
        ({"axes": "(0, 2)"}, "forward/pixel-columns"),
        ({"axes": "(0, 3)"}, "forward/pixel-rows"),
        ({"axes": "0"}, "forward/pixels"),
        ({"n": "len(x)"}, "running/unbiased-by-images"),
        ({"m": "len(d)"}, "backward/by-images"),
    ],
)
def test_images_are_judged_over_all_pixels_of_a_channel(changes, variant):
    report = check_batchnorm(written(IMAGES.format(**{**PIXELS, **changes}), "BatchNorm2d"))
    assert (report.ok, report.variant) == (variant is None, variant), str(report)
    assert "画像 (枚数, チャンネル, 高さ, 幅) を渡し" in report.how


SLOPES = [
    ("dout - dout.mean(0) - self.x_hat * self.std * (dout * self.x_hat).mean(0)", "backward/centred"),
    ("dout - dout.mean(0) - self.x_hat * (dout * self.x_hat * self.std).mean(0)", "backward/centred"),
    ("dout - dout.sum(0) - self.x_hat * (dout * self.x_hat).sum(0)", "backward/sums"),
    ("dout - dout.mean(0) - self.x_hat * (dout * self.x_hat).mean(0) / 2", "backward/half-variance"),
    ("dout - dout.mean(0) - self.x_hat * (dout * self.x_hat).mean(0) * 2", "backward/double-variance"),
]


@pytest.mark.parametrize(("inside", "variant"), SLOPES)
def test_a_wrong_gradient_of_the_input_is_named(inside, variant):
    report = check_batchnorm(layer(returned=f"self.gamma / self.std * ({inside})"))
    assert (report.ok, report.variant) == (False, variant), str(report)


@pytest.mark.parametrize(
    ("var", "variant"),
    [
        ("((x - x.mean(0)) ** 2).mean() * np.ones(x.shape[1])", "forward/whole-variance"),
        ("x.var() * np.ones(x.shape[1])", "forward/variance-of-all"),
    ],
)
def test_one_variance_for_all_columns_is_named(var, variant):
    assert check_batchnorm(layer(var=var)).variant == variant


@pytest.mark.parametrize(
    ("var", "variant"),
    [
        ("x.var(axis=0)", "forward/whole-mean"),
        ("((x - x.mean()) ** 2).mean(axis=0)", "forward/around-whole-mean"),
        ("x.var() * np.ones(x.shape[1])", "forward/all"),
    ],
)
def test_one_mean_for_all_columns_is_named(var, variant):
    assert check_batchnorm(layer(var=f"{var}; mean = x.mean() * np.ones(x.shape[1])")).variant == variant


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: object(), "作ったものの中に γ が見つかりません"),
        (written("def batch_norm(x, gamma, beta, table): return x", "batch_norm"), "引数 table に、何を渡せばよいか分かりません"),
        (written("def bn(x, gamma, beta): return x[0]", "bn"), "forward の出力の形が"),
        (written("def bn(x, gamma, beta): return x\ndef bn_backward(dout, cache): return dout", "bn"), "渡す cache を、順伝播が返していません"),
    ],
)  # fmt: skip
def test_what_cannot_be_called_gets_one_sentence(make, sentence):
    report = check_batchnorm(make)
    assert not report.ok
    assert sentence in str(report)


def test_the_command_finds_functions_and_layers_and_leaves_the_backward_function_to_its_forward(tmp_path, capsys):
    source = STANFORD.format(**{**RIGHT, "alt": "dout"}) + LAYER.format(**PARTS)
    (tmp_path / "norms.py").write_text("import numpy as np\n" + source, encoding="utf-8")
    assert main(["check", str(tmp_path / "norms.py")]) == 1
    said = capsys.readouterr().out
    assert "届いた勾配を、そのまま返しています" in said
    assert "BatchNorm1d" in said
    assert "順伝播と一緒に確かめます" in said


@pytest.mark.parametrize(("part", "which"), [("mean", "mean"), ("var", "var")])
def test_an_average_that_is_not_decayed_is_named(part, which):
    right = f"self.running_{part} = (1 - new) * self.running_{part}"
    source = LAYER.format(**PARTS).replace(right, f"self.running_{part} = self.running_{part}")
    report = check_batchnorm(written(source, "BatchNorm1d"))
    assert (report.ok, (report.variant or "").removesuffix("-biased")) == (False, f"running/{which}-not-decayed")


def test_an_average_of_standard_deviations_is_named():
    source = LAYER.format(**PARTS).replace("+ new * var", "+ new * np.sqrt(var + self.eps)")
    report = check_batchnorm(written(source, "BatchNorm1d"))
    assert report.variant == "running/standard-deviation-with-epsilon", report


@pytest.mark.parametrize(
    ("fed", "instead", "variant"),
    [
        ("self.running_var = (1 - new) * self.running_var", "self.running_var = (1 - new) * self.running_mean", "var-from-mean"),
        ("new * var", "new * mean", "var-of-mean"),
        ("new * mean", "new * var", "mean-of-var"),
        ("self.running_mean = (1 - new) * self.running_mean + new * mean\n", "old = self.running_mean; self.running_mean = (1 - new) * old + new * mean\n", "var-from-old-mean"),
    ],
)  # fmt: skip
def test_averages_that_are_mixed_up_are_named(fed, instead, variant):
    source = LAYER.format(**PARTS)
    assert fed in source
    source = source.replace(fed, instead)
    if variant == "var-from-old-mean":
        source = source.replace("(1 - new) * self.running_var", "(1 - new) * old")
    report = check_batchnorm(written(source, "BatchNorm1d"))
    assert (report.ok, (report.variant or "").removesuffix("-biased")) == (False, f"running/{variant}"), report


def test_averages_of_the_wrong_shape_do_not_hide_the_wrong_axis():
    """They clash with the next batch only when it is of another size: at inference."""
    source = LAYER.format(**{**PARTS, "var": "x.var(1, keepdims=True)"}).replace("x.mean(0)", "x.mean(1, keepdims=True)")
    report = check_batchnorm(written(source, "BatchNorm1d"))
    assert (report.ok, report.variant) == (False, "forward/axis"), report


def test_an_error_at_inference_is_said_if_training_is_right():
    report = check_batchnorm(layer(backward=False, inference="self.runing_mean, self.running_var"))
    assert (report.ok, report.variant) == (False, None)
    assert "AttributeError" in report.verdict


UPRIGHT = """
def batch_norm(Z, gamma, beta, eps=1e-5):
    \"\"\"Z: {shape}\"\"\"
    mu = Z.mean(axis={axis}, keepdims=True)
    return gamma * (Z - mu) / np.sqrt(Z.var(axis={axis}, keepdims=True) + eps) + beta
"""


@pytest.mark.parametrize(
    ("shape", "axis", "variant"),
    [
        ("(units, examples)", 1, None),
        ("(n[l], m)", 1, None),
        ("(D, N)", 1, None),
        ("one column per example", 1, None),
        ("(batch, features)", 1, "forward/axis"),
        ("(N, D)", 0, None),
        ("(n, m)", 0, None),
    ],
)
def test_the_docstring_of_a_function_says_what_lies_where(shape, axis, variant):
    report = check_batchnorm(written(UPRIGHT.format(shape=shape, axis=axis), "batch_norm"))
    assert (report.ok, report.variant) == (variant is None, variant)
    assert ("説明(docstring)に x の形を" in str(report)) == (variant is not None)
