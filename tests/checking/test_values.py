"""Values go by anybody's names, come from the code's own defaults, or are found out from what the code does."""

import numpy as np
import pytest

from fumoto import check, optimizers
from fumoto.checking.calling.optimizer import observe
from fumoto.checking.calling.safety import workplace
from fumoto.checking.calling.values import NAMES, PAIRS, USUAL, WORDS, meanings, normal
from fumoto.checking.computing.problems import PROBLEMS


@pytest.fixture(autouse=True, scope="module")
def one_process():
    with workplace():
        yield


# --- names ------------------------------------------------------------------------------------------------


def test_every_value_has_names_usual_values_and_a_word():
    assert NAMES.keys() == USUAL.keys() == WORDS.keys()
    for ours, theirs in NAMES.items():
        assert len(set(theirs)) == len(theirs), ours
        assert all(name == normal(name) for name in theirs), ours
    assert all(name == normal(name) for name in PAIRS)


@pytest.mark.parametrize(
    ("wanted", "own", "expected"),
    [
        (("lr", "momentum"), {"eta": 1, "alpha": 2}, {"lr": "eta", "momentum": "alpha"}),
        (("lr", "momentum"), {"alpha": 1, "gamma": 2}, {"lr": "alpha", "momentum": "gamma"}),
        (("lr", "decay_rate", "eps"), {"step_size": 1, "beta": 2, "epsilon": 3}, {"lr": "step_size", "decay_rate": "beta", "eps": "epsilon"}),
        (("lr", "decay_rate", "eps"), {"learning_rate": 1, "rho": 2, "decay": 3}, {"lr": "learning_rate", "decay_rate": "rho"}),
        (("lr", "beta1", "beta2"), {"α": 1, "β1": 2, "β2": 3}, {"lr": "α", "beta1": "β1", "beta2": "β2"}),
        (("lr", "beta1", "beta2"), {"Alpha": 1, "rho_1": 2, "rho_2": 3}, {"lr": "Alpha", "beta1": "rho_1", "beta2": "rho_2"}),
        (("lr", "eps"), {"unknown": 1}, {}),
    ],
)  # fmt: skip
def test_a_name_means_what_it_means_in_this_method(wanted, own, expected):
    assert {ours: name for ours, (name, _) in meanings(wanted, own).items()} == expected


def adam(lr="lr", beta1="beta1", beta2="beta2", eps="eps", literal="1e-8", used=None):
    """A class of Adam whose arguments have these names; `literal` is the ε written into it when it takes none."""
    listed = ", ".join(f"{n}={v}" for n, v in ((lr, 0.01), (beta1, 0.8), (beta2, 0.99), (eps, 1e-6)) if n)
    source = f"""
class Mine:
    def __init__(self, {listed}):
        self.a, self.b, self.c, self.z = {lr}, {beta1}, {beta2}, {used or eps or literal}
        self.m, self.s, self.count = {{}}, {{}}, 0
    def update(self, params, grads):
        self.count += 1
        for k, g in grads.items():
            self.m[k] = self.b * self.m.get(k, 0) + (1 - self.b) * g
            self.s[k] = self.c * self.s.get(k, 0) + (1 - self.c) * g**2
            step = self.m[k] / (1 - self.b**self.count) / (np.sqrt(self.s[k] / (1 - self.c**self.count)) + self.z)
            params[k] -= self.a * step
"""
    namespace = {"np": np}
    exec(source, namespace)
    return namespace["Mine"]


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "eps": "epsilon"},
        {"lr": "alpha", "beta1": "rho1", "beta2": "rho2", "eps": "tiny"},
        {"lr": "η", "beta1": "β1", "beta2": "β2", "eps": "ε"},
    ],
)
def test_values_may_be_given_in_our_names_or_in_theirs(names):
    made = adam(**names)
    ours = {"lr": 0.3, "beta1": 0.7, "beta2": 0.95, "eps": 1e-5}
    assert check(made, "Adam", **ours)
    assert check(made, "Adam", **{names.get(name, name): value for name, value in ours.items()})
    assert check(made, "Adam")
    assert not check(made, "Momentum")


def test_a_pair_of_betas_takes_either():
    class Mine:
        def __init__(self, lr=0.01, betas=(0.9, 0.99), eps=1e-8):
            self.inner = adam()(lr, *betas, eps)

        def update(self, params, grads):
            self.inner.update(params, grads)

    assert check(Mine, "Adam")
    assert check(Mine, "Adam", beta2=0.95)


def test_names_that_nobody_has_are_misuse_and_values_out_of_range_too():
    with pytest.raises(TypeError, match=r"Adam の引数は .*'rate'"):
        check(adam(), "Adam", rate=0.1)
    with pytest.raises(ValueError, match="alpha は正の数"):
        check(adam(lr="alpha"), "Adam", alpha=-0.1)
    with pytest.raises(ValueError, match="rho1 は 0 以上 1 未満"):
        check(adam(beta1="rho1"), "Adam", rho1=1.5)


# --- defaults ---------------------------------------------------------------------------------------------


def test_a_value_without_a_default_is_chosen_and_said():
    class Mine:
        def __init__(self, lr, mu):
            self.lr, self.mu, self.v = lr, mu, {}

        def update(self, params, grads):
            for key in params:
                self.v[key] = self.mu * self.v.get(key, 0) - self.lr * grads[key]
                params[key] += self.v[key]

    report = check(Mine, "Momentum")
    assert report.ok, str(report)
    assert "引数 mu には 0.9 を渡しました" in str(report)


def test_a_momentum_that_is_switched_off_is_switched_on():
    class Mine:
        def __init__(self, lr=0.1, momentum=0.0):
            self.lr, self.momentum, self.v = lr, momentum, {}

        def update(self, params, grads):
            for key in params:
                self.v[key] = self.momentum * self.v.get(key, 0) - self.lr * grads[key]
                params[key] += self.v[key]

    assert check(Mine, "Momentum").ok
    assert "momentum=0.9" in str(check(Mine, "Momentum"))
    assert check(Mine, "SGD").ok


def test_an_attribute_of_the_instance_tells_its_value():
    class Mine:
        def __init__(self):
            self.learning_rate, self.epsilon, self.h = 0.3, 1e-4, {}

        def update(self, params, grads):
            for key, g in grads.items():
                self.h[key] = self.h.get(key, 0) + g * g
                params[key] -= self.learning_rate * g / (np.sqrt(self.h[key]) + self.epsilon)

    report = check(Mine, "AdaGrad")
    assert report.ok, str(report)
    assert report.constants == {}
    assert "lr=0.3, eps=0.0001" in str(report)


def test_a_dict_of_values_tells_what_was_asked_of_it():
    class Mine:
        def __init__(self, config):
            self.a, self.b, self.v = config["learning_rate"], config.get("momentum", 0.83), {}

        def update(self, params, grads):
            for key in params:
                self.v[key] = self.b * self.v.get(key, 0) - self.a * grads[key]
                params[key] += self.v[key]

    report = check(Mine, "Momentum")
    assert (report.ok, report.constants) == (True, {}), str(report)
    assert "lr=0.01, momentum=0.83" in str(report)
    assert check(Mine, "Momentum", momentum=0.7)


# --- found out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eps", ["1e-4", "1e-7", "1e-12", "3.7e-5"])
def test_an_epsilon_written_into_the_code_is_found_out(eps):
    report = check(adam(eps=None, literal=eps), "Adam")
    assert report.ok, str(report)
    assert report.constants == {"eps": pytest.approx(float(eps), rel=1e-6)}
    assert f"ε は {float(eps):g} と書き込まれています" in str(report)


def test_an_epsilon_of_zero_is_a_missing_one():
    report = check(adam(eps=None, literal="0.0"), "Adam")
    assert (report.ok, report.variant) == (False, "eq-adam-w/epsilon-missing"), str(report)
    assert "eps" not in report.constants
    assert "ε は" not in str(report).replace("足す ε が", "")


def test_defaults_of_the_betas_that_are_exchanged_are_named_unless_the_caller_gives_them():
    class Mine:
        def __init__(self, lr=0.001, b1=0.999, b2=0.9, eps=1e-8):
            self.adam = optimizers.Adam(lr, b1, b2, eps)

        def update(self, params, grads):
            self.adam.update(params, grads)

    report = check(Mine, "Adam")
    assert (report.ok, report.variant) == (False, "constant/betas-exchanged"), str(report)
    assert "既定値が入れ替わっています" in str(report)
    assert check(Mine, "Adam", b1=0.9, b2=0.999)
    assert check(Mine, "Adam", beta1=0.999, beta2=0.9)


@pytest.mark.parametrize("name", ["NAG", "nag", "nesterov", "Nesterov"])
def test_a_name_is_found_whatever_its_case(name):
    assert check(optimizers.Nesterov, name).name == "Nesterov"


def test_an_epsilon_that_cannot_be_given_is_said():
    report = check(adam(eps=None, literal="1e-7"), "Adam", eps=1e-8)
    assert report.ok
    assert "eps=1e-08 は渡せませんでした" in str(report)

    class Shows(adam(eps=None, literal="1e-7")):
        def __init__(self):
            super().__init__()
            self.eps = 1e-7

    assert "eps=1e-08 は渡せませんでした" in str(check(Shows, "Adam", eps=1e-8))


def test_everything_written_into_the_code_is_found_out():
    def momentum(w, g, v):
        v = 0.73 * v - 0.0125 * g
        return w + v, v

    report = check(momentum, "Momentum")
    assert report.ok, str(report)
    assert report.constants == {"lr": 0.0125, "momentum": 0.73}
    assert "学習率 η は 0.0125 と書き込まれています" in str(report)
    assert "慣性の係数 α は 0.73 と書き込まれています" in str(report)


def test_an_unusual_decay_rate_is_measured():
    class Mine:
        def __init__(self, lr=0.01):
            self.lr, self.h = lr, {}

        def update(self, params, grads):
            for key, g in grads.items():
                self.h[key] = 0.937 * self.h.get(key, 0) + 0.063 * g * g
                params[key] -= self.lr * g / (np.sqrt(self.h[key]) + 1e-6)

    report = check(Mine, "RMSProp")
    assert report.ok, str(report)
    assert report.constants == pytest.approx({"decay_rate": 0.937, "eps": 1e-6}, rel=1e-4)


def test_what_is_missing_is_not_taken_for_a_value():
    """A velocity that is not kept is no momentum of 0, and a step uphill no negative learning rate."""

    def forgets(w, g, v):
        v = -0.01 * g
        return w + v, v

    def forgets_squares(w, g, h):
        h = 0.01 * g**2
        return w - 0.01 * g / (np.sqrt(h) + 1e-8), h

    class ForgetsTheAverage:
        def __init__(self, lr=0.1, eps=1e-6):
            self.lr, self.eps = lr, eps

        def update(self, params, grads):
            for key, g in grads.items():
                params[key] -= self.lr * g / (np.sqrt(g**2) + self.eps)

    def climbs(w, g):
        return w + 0.01 * g

    assert not check(forgets_squares, "RMSProp").ok
    assert not check(ForgetsTheAverage, "RMSProp").ok
    assert not check(forgets, "Momentum").ok
    assert not check(climbs, "SGD").ok


def test_a_value_that_is_taken_and_not_used_is_said():
    same = check(adam(used="1e-6"), "Adam")
    assert same.ok
    assert "eps" in str(same) and ("使われていません" in str(same) or "使われず" in str(same))
    names = ("lr", "beta1", "beta2", "eps")
    assert observe(adam(used="1e-6"), {}, PROBLEMS[1:2], names, "Adam").ignored == ("eps",)
    assert observe(adam(), {}, PROBLEMS[1:2], names, "Adam").ignored == ()
    other = check(adam(used="1e-3"), "Adam")
    assert not other.ok
    assert "eps" in str(other)


def test_an_argument_kept_under_another_name_is_followed_to_other_values():
    """The attribute ``lr`` is the argument ``learning_rate``: what is passed is what counts."""

    class Mine:
        def __init__(self, learning_rate=0.01, epsilon=1e-7, rho=0.9):
            self.lr, self.epsilon, self.rho, self.h = learning_rate, epsilon, rho, {}

        def update(self, params, grads):
            for key in params:
                self.h[key] = self.rho * self.h.get(key, 0) + (1 - self.rho) * grads[key] ** 2
                params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + self.epsilon)

    report = check(Mine, "RMSProp")
    assert str(report).startswith("一致: RMSProp の式と同じ動きをします。"), str(report)


def test_values_are_handed_over_in_a_dictionary_too():
    def mine(params, grads, states, hyperparams):
        for p, g, s in zip(params, grads, states, strict=True):
            s *= hyperparams["gamma"]
            s += (1 - hyperparams["gamma"]) * g * g
            p -= hyperparams["learning_rate"] * g / np.sqrt(s + 1e-6)

    for given in ({}, {"lr": 0.3}, {"learning_rate": 0.3, "gamma": 0.7}):
        report = check(mine, "RMSProp", **given)
        assert report.ok, str(report)
        assert "渡せませんでした" not in str(report)
    assert "lr=0.3, decay_rate=0.7" in str(report)


def test_a_count_from_zero_is_named_though_every_weight_becomes_nan():
    def mine(grad, w, lr=0.01, b1=0.9, b2=0.999, eps=1e-8, n=20):
        m = v = np.zeros_like(w)
        for t in range(n):
            g = grad(w)
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            with np.errstate(all="ignore"):
                w = w - lr * m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)
        return w

    report = check(mine, "Adam")
    assert (report.ok, report.variant) == (False, "clock/early"), str(report)
    assert "t は、1 から数えます" in str(report)
