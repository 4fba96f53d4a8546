"""Sources of learners: initial values and Batch Normalizations in several styles, right ones and ones that cannot be run."""

PARTS = {
    "arguments": "gamma, beta, decay_rate, eps",
    "made": "self.gamma, self.beta, self.rho, self.eps = gamma, beta, decay_rate, eps",
    "running": "self.running_mean, self.running_var = np.zeros_like(gamma), np.ones_like(gamma)",
    "forward": "x, training",
    "asked": "training",
    "mean": "x.mean(axis=0)",
    "var": "((x - mean) ** 2).mean(axis=0)",
    "running_mean": "self.running_mean = rho * self.running_mean + (1 - rho) * mean",
    "running_var": "self.running_var = rho * self.running_var + (1 - rho) * N / (N - 1) * var",
    "inference": "mean, var = self.running_mean, self.running_var",
    "std": "np.sqrt(var + self.eps)",
    "x_hat": "(x - mean) / self.std",
    "out": "self.gamma * self.x_hat + self.beta",
    "backward": "dout",
    "dgamma": "(dout * self.x_hat).sum(axis=0)",
    "dbeta": "dout.sum(axis=0)",
    "kept": 'self.grads = {"gamma": dgamma, "beta": dbeta}',
    "dx": "self.gamma / self.std * (dout - dout.mean(axis=0) - self.x_hat * (dout * self.x_hat).mean(axis=0))",
    "returned": "dx",
}
LAYER = """import numpy as np

class Learner:
    def __init__(self, {arguments}):
        {made}
        {running}

    def forward(self, {forward}):
        rho, N = self.rho, len(x)
        if {asked}:
            mean = {mean}
            var = {var}
            {running_mean}
            {running_var}
        else:
            {inference}
        self.std = {std}
        self.x_hat = {x_hat}
        return {out}

    def backward(self, {backward}):
        dgamma = {dgamma}
        dbeta = {dbeta}
        {kept}
        dx = {dx}
        return {returned}
"""


def layer(**changes):
    return LAYER.format(**{**PARTS, **changes})


STEPS = """(lambda N, dxh: (N * dxh - dxh.sum(axis=0) - self.x_hat * (dxh * self.x_hat).sum(axis=0)) / (N * self.std))(
            len(dout), dout * self.gamma)"""
FLAG = {"made": PARTS["made"] + "; self.training = True", "forward": "x", "asked": "self.training"}
IN_PLACE = {
    "running_mean": "self.running_mean *= rho; self.running_mean += (1 - rho) * mean",
    "running_var": "self.running_var *= rho; self.running_var += (1 - rho) * N / (N - 1) * var",
}
FORWARD_ONLY = layer().split("    def backward")[0]
LAYERS = {
    # right, in several styles
    "plain": layer(),
    "var": layer(var="np.var(x, axis=0)"),
    "mean-of-squares": layer(var="(x * x).mean(axis=0) - mean**2"),
    "averages-in-place": layer(**IN_PLACE),
    "steps": layer(dx=STEPS),
    "matmul": layer(dgamma="np.diag(dout.T @ self.x_hat)"),
    "epsilon": layer(arguments="gamma, beta, decay_rate, epsilon", made=PARTS["made"].replace("decay_rate, eps", "decay_rate, epsilon")),
    "rho": layer(arguments="gamma, beta, *, rho=0.9, eps=1e-5", made=PARTS["made"].replace("decay_rate, eps", "rho, eps")),
    "momentum": layer(arguments="gamma, beta, momentum, eps", made=PARTS["made"].replace("decay_rate, eps", "momentum, eps")),
    "pytorch-momentum": layer(
        arguments="gamma, beta, momentum=0.1, eps=1e-5", made=PARTS["made"].replace("decay_rate, eps", "1 - momentum, eps")
    ),
    "either-momentum": layer(
        arguments="gamma, beta, momentum, eps", made=PARTS["made"].replace("decay_rate, eps", "1 - momentum, eps")
    ),
    "train_flg": layer(forward="x, train_flg=True", asked="train_flg"),
    "is_training": layer(forward="x, is_training", asked="is_training"),
    "test": layer(forward="x, test=False", asked="not test"),
    "mode": layer(forward='x, mode="train"', asked='mode == "train"'),
    "odd-flag": layer(forward="x, learning", asked="learning"),
    "switch": layer(**FLAG),
    "attributes": layer(kept="self.dgamma, self.dbeta = dgamma, dbeta"),
    "d_attributes": layer(kept="self.d_gamma, self.d_beta = dgamma, dbeta"),
    "grad_attributes": layer(kept="self.gamma_grad, self.beta_grad = dgamma, dbeta"),
    "tuple": layer(kept="pass", returned="dx, dgamma, dbeta"),
    "dictionary": layer(kept="pass", returned='{"dx": dx, "dgamma": dgamma, "dbeta": dbeta}'),
    "keepdims": layer(dgamma="(dout * self.x_hat).sum(axis=0, keepdims=True)", dbeta="dout.sum(axis=0, keepdims=True)"),
    "fixed-eps": layer(arguments="gamma, beta, decay_rate", made=PARTS["made"].replace("decay_rate, eps", "decay_rate, 1e-7")),
    "written-eps": layer(
        arguments="gamma, beta, decay_rate", made="self.gamma, self.beta, self.rho = gamma, beta, decay_rate", std="np.sqrt(var + 1e-6)"
    ),
    "written-rate": layer(
        arguments="gamma, beta, eps", made="self.gamma, self.beta, self.rho, self.eps = gamma, beta, 0.99, eps"
    ),
    "weight-bias": layer(
        arguments="weight, bias, decay_rate, eps", made="gamma, beta = weight, bias; " + PARTS["made"]
    ),
    "other-names": layer(arguments="g0, b0, decay_rate, eps", made="gamma, beta = g0, b0; " + PARTS["made"]),
    "biased": layer(running_var="self.running_var = rho * self.running_var + (1 - rho) * var"),
    "zero-start": layer(running="self.running_mean, self.running_var = np.zeros_like(gamma), np.zeros_like(gamma)"),
    "float32": layer(mean="np.float32(x).mean(axis=0)", out="np.float32(self.gamma * self.x_hat + self.beta)", dx=f"np.float32({PARTS['dx']})"),
    "forward-only": FORWARD_ONLY,
    "backward-not-written": FORWARD_ONLY + "    def backward(self, dout):\n        ...  # ここを書く\n",
    "no-inference": layer(forward="x", asked="True"),
    # wrong
    "axis": layer(dgamma="(dout * self.x_hat).sum(axis=1)"),
    "x-mutated": layer(mean="x.mean(axis=0); x -= mean"),
    "dout-mutated": layer(backward="dout", dgamma="(dout * self.x_hat).sum(axis=0); dout *= 2"),
    "moves": layer(inference="mean, var = self.running_mean, self.running_var; self.running_mean = mean + 1.0"),
    "no-gradients": layer(kept="pass"),
    "no-return": layer(out="None"),
    "inference-fails": layer(inference="mean, var = self.mean, self.var"),
    "inference-fails-after-a-mistake": layer(var="x.var(axis=0, ddof=1)", inference="mean, var = self.mean, self.var"),
    "name-error": layer(mean="X.mean(axis=0)"),
    "only-gamma": layer(arguments="gamma"),
}


def function(body, arguments="rng, n_in, n_out"):
    return f"import numpy as np\n\ndef Learner({arguments}):\n    {body}\n"


HE = "np.sqrt(2 / n_in)"
FUNCTIONS = [
    ("he", "plain", function(f"return {HE} * rng.standard_normal((n_in, n_out))")),
    ("he", "normal", function(f"return rng.normal(0, {HE}, size=(n_in, n_out))")),
    ("he", "scale", function(f"return rng.normal(scale={HE}, size=(n_in, n_out)).astype(np.float32)")),
    ("he", "uniform", function("limit = np.sqrt(6 / n_in)\n    return rng.uniform(-limit, limit, (n_in, n_out))")),
    ("he", "random", function("return np.sqrt(6 / n_in) * (2 * rng.random((n_in, n_out)) - 1)")),
    ("he", "other-order", function(f"return {HE} * rng.standard_normal((n_in, n_out))", "n_in, n_out, rng")),
    ("he", "other-names", function("return np.sqrt(2 / fan_in) * gen.standard_normal((fan_in, fan_out))", "fan_in, fan_out, gen")),
    ("he", "unknown-names", function("return np.sqrt(2 / n) * g.standard_normal((n, m))", "g, n, m")),
    ("he", "no-rng", function(f"return {HE} * np.random.randn(n_in, n_out)", "n_in, n_out")),
    ("he", "shape", function("return np.sqrt(2 / shape[0]) * rng.standard_normal(shape)", "rng, shape")),
    ("he", "loop", function(f"W = np.zeros((n_in, n_out))\n    for i in range(n_in):\n        W[i] = rng.normal(0, {HE}, n_out)\n    return W")),
    ("he", "turned", function(f"return {HE} * rng.standard_normal((n_out, n_in))")),
    ("he", "turned-shape", function("return np.sqrt(2 / shape[0]) * rng.standard_normal(shape[::-1])", "rng, shape")),
    ("he", "turned-other-names", function("return np.sqrt(2 / fan_in) * rng.standard_normal((fan_out, fan_in))", "rng, fan_in, fan_out")),
    ("he", "turned-back", function("return np.sqrt(2 / n_out) * rng.standard_normal((n_out, n_in)).T")),
    ("he", "global", function(f"return {HE} * np.random.randn(n_in, n_out)")),
    ("he", "own-rng", function(f"rng = np.random.default_rng()\n    return {HE} * rng.standard_normal((n_in, n_out))")),
    ("he", "own-seed", function(f"rng = np.random.default_rng(0)\n    return {HE} * rng.standard_normal((n_in, n_out))")),
    ("he", "global-seed", function(f"np.random.seed(0)\n    return {HE} * np.random.randn(n_in, n_out)", "n_in, n_out")),
    ("he", "nothing", function("rng.standard_normal((n_in, n_out))")),
    ("he", "wrong-shape", function(f"return {HE} * rng.standard_normal(n_in)")),
    ("he", "integers", function("return rng.integers(0, 2, (n_in, n_out))")),
    ("he", "nan", function("return np.nan * rng.standard_normal((n_in, n_out))")),
    ("he", "zeros", function("return np.zeros((n_in, n_out))")),
    ("he", "same", function("return np.full((n_in, n_out), 0.01)")),
    ("he", "zero-column", function(f"W = {HE} * rng.standard_normal((n_in, n_out))\n    W[:, 3] = 0\n    return W")),
    ("he", "same-columns", function(f"return {HE} * rng.standard_normal((n_in, 1)) * np.ones((1, n_out))")),
    ("he", "same-rows", function(f"return {HE} * rng.standard_normal((1, n_out)) * np.ones((n_in, 1))")),
    ("he", "positive", function(f"return {HE} * rng.random((n_in, n_out))")),
    ("he", "shifted", function(f"return {HE} * (rng.standard_normal((n_in, n_out)) + 0.5)")),
    ("he", "signs", function(f"return {HE} * np.sign(rng.standard_normal((n_in, n_out)))")),
    ("xavier", "plain", function("return rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out))")),
    ("xavier", "glorot", function("return rng.normal(0, np.sqrt(2 / (n_in + n_out)), (n_in, n_out))")),
    ("xavier", "glorot-root", function("return rng.normal(0, 2 / (n_in + n_out), (n_in, n_out))")),
    ("glorot", "plain", function("limit = np.sqrt(6 / (n_in + n_out))\n    return rng.uniform(-limit, limit, (n_in, n_out))")),
]

TOLD = {  # (kind, source) → (line, a part of the sentence)
    ("initializer", function("rng.standard_normal((n_in, n_out))")): (None, "何も返しません"),
    ("initializer", function("...  # ここを書く")): (None, "何も返しません"),
    ("initializer", function(f"return {HE} * rng.standard_normal((n_out, n_in))")): (None, "形が (n_out, n_in) です"),
    ("initializer", function(f"return {HE} * rng.standard_normal(n_in)")): (None, "形が (40, 200) ではありません"),
    ("initializer", function("return [[1.0], [1.0, 2.0]]")): (None, "返されたもの: list"),
    ("initializer", function("return 1.0", "a, b, c, d")): (None, "rng, n_in, n_out の 3 つ"),
    ("initializer", function("return np.sqrt(2 / n) * rng.standard_normal((n_in, n_out))")): (4, "n という名前がまだありません"),
    ("initializer", function(f"return {HE} * np.random.randn(n_in, n_out)")): (None, "渡された rng を使っていますか"),
    ("initializer", "x = 1\n"): (None, "関数 Learner が見つかりません"),
    ("batchnorm", "x = 1\n"): (None, "クラス Learner が見つかりません"),
    ("batchnorm", layer(out="None")): (None, "forward の出力がありません"),
    ("batchnorm", layer(kept="pass")): (None, 'self.grads["gamma"] に入れて'),
    ("batchnorm", layer(arguments="size", made="gamma = beta = np.ones(size)")): (None, "4 つの値"),
    ("batchnorm", layer(mean="X.mean(axis=0)")): (11, "X という名前がまだありません"),
    ("batchnorm", layer(inference="mean, var = self.mean, self.var")): (16, "self.mean がまだありません"),
    ("batchnorm", layer(mean="x.mean(axis=1)")): (12, "配列の形が合いません"),
    ("batchnorm", layer(dgamma="(dout * self.x_hat).sum(axis=1)")): (None, "足す軸が違いませんか"),
    ("batchnorm", layer(returned="None")): (None, "backward の出力がありません"),
}
