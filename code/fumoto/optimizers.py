"""最適化手法: SGD から Adam まで(7 つ)と、そのあとに来たもの。

どの手法も ``update(params, grads)`` を持つ。``params`` と ``grads`` は同じキーを持つ配列の辞書で、
``params`` の配列はその場で書き換わる(『ゼロから作る Deep Learning』と同じ呼び方)。
1 回の更新の規則は各クラスの ``rule`` にあり、右端の注釈は、その行が行う式のラベルである。

共通の約束
    - 重みは float32 か float64 の配列で、形は何でもよい(0 次元、空も可)。型と形は保たれる。
    - 入力がおかしければ ``TypeError`` / ``ValueError`` を 1 つ出し、重みも内部状態も動かさない。
    - 状態は ``optimizer.state[名前][キー]`` で見られる。更新した回数は ``optimizer.t``。
    - 1 つの手法は、1 つの重みの組(ネットワーク)だけに使う。別の組に使うと ``ValueError``。
    - 写し(``copy.copy``, ``copy.deepcopy``, ``pickle``)は、元の続きから、独立に動く。はじめに更新した組が、写しの相手になる。
"""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from itertools import combinations
from typing import Any

import numpy as np

from fumoto.hints import Array, Arrays, Shape, Updates
from fumoto.joined import alike, together, zeros_like
from fumoto.validation import floats, fraction, non_negative, positive, reals

Step = tuple[Array, ...]  # rule の返すもの: (新しい w, *新しい状態)
Layout = dict[str, tuple[Shape, np.dtype[Any]]]  # キー → 形と型

BLOCK = 32_768  #: 一度に計算する要素の数。この長さの配列がいくつか、CPU のキャッシュに収まる


class Optimizer:
    """共通の枠: 入力を確かめ、``rule`` を全部のキーに適用し、最後にまとめて書き込む。

    新しい手法は、状態の名前を ``state_names`` に並べ、``rule(w, g, *状態)`` が
    ``(新しい w, *新しい状態)`` を返すように書けばよい。``rule`` は引数を書き換えない。
    途中で誤りが起きても、まだ何も書き込んでいないので、更新は全か無かになる。
    状態の配列も重みと同じく、その場で書き換わる(取っておくなら写しをとる)。

    >>> class SignSGD(Optimizer):
    ...     def rule(self, w, g):
    ...         return (w - 0.1 * np.sign(g),)
    >>> params = {"w": np.array([1.0, -2.0])}
    >>> SignSGD().update(params, {"w": np.array([30.0, -0.5])})
    >>> params["w"]
    array([ 0.9, -1.9])
    """

    state_names: tuple[str, ...] = ()  #: 状態の名前の並び。``rule`` の引数の順

    def __init__(self) -> None:
        self.t = 0
        self.state: dict[str, Arrays] = {name: {} for name in self.state_names}
        self._layout: Layout | None = None
        self._params: Arrays | None = None  # この手法が更新してきた重みの組

    __copy__ = deepcopy  # 浅い写しだと、状態だけを元と共有し、更新の回数が食い違う

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_params": None}  # 写しは、ネットワークの写しとも組める

    def rule(self, w: Array, g: Array, *state: Any) -> Step:
        """1 つの配列の更新規則。``(新しい w, *新しい状態)`` を返す。"""
        raise NotImplementedError

    def update(self, params: Arrays, grads: Arrays) -> None:
        """``params`` の全部の配列を 1 回、その場で更新する。

        ``params``, ``grads``: キー → 配列。キーの集合と、キーごとの形が一致すること。
        キーの過不足・形の違い・整数の重み・前回と違う重みの組は ``TypeError`` / ``ValueError``。
        """
        with np.errstate(all="ignore"):  # 発散は inf や nan として結果に現れる
            grads = self._checked(params, grads)
            state = self.state if self.t else {name: zeros_like(params) for name in self.state_names}
            self._move(params, grads, state)
        self.state, self._params, self._layout = state, params, self._layout or _layout(params)
        self.t += 1

    def _move(self, params: Arrays, grads: Arrays, state: dict[str, Arrays]) -> None:
        """重みと状態を、``rule`` の結果で書き換える。"""
        arrays = {key: [np.asarray(w), *(own[key] for own in state.values())] for key, w in params.items()}
        results = {key: self._result(key, own, grads[key]) for key, own in arrays.items()}
        for key, own in arrays.items():
            for array, value in zip(own, results[key], strict=True):
                array[...] = value

    def _result(self, key: str, own: list[Array], g: Array) -> list[Array]:
        """``rule`` の結果を、``own`` と同じ型の独立した配列にする。"""
        w, *state = own
        result = [np.array(value, w.dtype) for value in self.rule(w, g, *state)]
        shapes = [value.shape for value in result]
        if shapes != [w.shape] * len(own):
            raise ValueError(
                f"rule は形 {w.shape} の配列を {len(own)} 個返さなければなりません"
                f"(キー {key!r} で返された形: {shapes})"
            )
        return result

    def check_params(self, params: Arrays) -> None:
        """``params`` がこの手法で更新できる重みの組であることを確かめる。できなければ ``TypeError`` / ``ValueError``。"""
        _refuse_other_than_dict("params", params)
        for key, w in params.items():
            floats(f"params[{key!r}]", w)
        if self._layout is None:
            _refuse_shared_memory(params)
        elif (layout := _layout(params)) != self._layout:
            raise ValueError(
                "params の組は最初の更新のときと同じでなければなりません"
                f"(最初: {_described(self._layout)}, 今回: {_described(layout)})"
            )
        elif self._params is not None and not _same_arrays(params, self._params):
            raise ValueError(
                "params はこれまで更新してきた配列と別のものです"
                f"(別のネットワークには、新しい {type(self).__name__} を作ってください)"
            )

    def _checked(self, params: Arrays, grads: Arrays) -> Arrays:
        """入力を確かめ、重みと同じ型の勾配を返す。"""
        if params is self._params and alike(params, grads):  # 前と同じ重みと、同じ並びの勾配
            return grads
        self.check_params(params)
        _refuse_other_than_dict("grads", grads)
        if params.keys() != grads.keys():
            missing, unknown = params.keys() - grads.keys(), grads.keys() - params.keys()
            raise ValueError(
                "grads のキーは params と同じでなければなりません"
                f"(足りないキー: {sorted(map(str, missing))}, 余分なキー: {sorted(map(str, unknown))})"
            )
        checked = {key: _checked_gradient(key, w, grads[key]) for key, w in params.items()}
        return grads if all(g is grads[key] for key, g in checked.items()) else checked


class ElementwiseOptimizer(Optimizer):
    """要素ごとの計算だけでできた手法。本の手法は、``Muon`` のほかは、どれもそうである。

    要素ごとなので、どこで区切って計算しても結果は 1 ビットも変わらない。
    長い配列は ``BLOCK`` 個ずつ計算して書き込む。途中の値(``m_hat`` など)が
    CPU のキャッシュに収まり、メモリーと往復しないので速い。
    ``rule`` は新しい配列を返すこと(引数をそのまま返さない)。
    入力の誤りは、書き込む前に全部見つける。
    """

    def _move(self, params: Arrays, grads: Arrays, state: dict[str, Arrays]) -> None:
        for arrays in together(params, grads, *state.values()):  # ``MLP`` の重みは 1 本に並んでいる
            for w, g, *own in _blocks([np.asarray(array) for array in arrays]):
                values = self.rule(w, g, *own)
                for array, value in zip((w, *own), values, strict=True):
                    array[...] = value


def _blocks(arrays: list[Array]) -> Iterator[list[Array]]:
    """同じ形の配列の組を、``BLOCK`` 個の要素ずつに区切る(写しではない)。"""
    size = arrays[0].size
    if size <= BLOCK or not all(array.flags.c_contiguous for array in arrays):
        yield arrays
        return
    arrays = [array.reshape(-1) for array in arrays]
    for start in range(0, size, BLOCK):
        yield [array[start : start + BLOCK] for array in arrays]


def _refuse_other_than_dict(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} は辞書でなければなりません(渡されたもの: {type(value).__name__})")


def _refuse_shared_memory(params: Arrays) -> None:
    for (key, w), (other, v) in combinations(params.items(), 2):
        if np.may_share_memory(w, v) and np.shares_memory(w, v):
            raise ValueError(f"params[{key!r}] と params[{other!r}] が同じメモリーを指しています")


def _same_arrays(params: Arrays, others: Arrays) -> bool:
    """同じ辞書か、同じメモリーの配列を 1 つでも持つか(配列を差し替えても、辞書に入れ直しても、同じネットワークである)。"""
    return params is others or any(
        np.may_share_memory(w, np.asarray(others.get(key))) for key, w in params.items()
    )


def _layout(params: Arrays) -> Layout:
    return {key: (w.shape, w.dtype) for key, w in params.items()}


def _described(layout: Layout) -> dict[str, tuple[Shape, str]]:
    return {key: (shape, dtype.name) for key, (shape, dtype) in layout.items()}


def _checked_gradient(key: str, w: Array, g: Array) -> Array:
    """1 つのキーの勾配を確かめ、重み ``w`` と同じ型にして返す。"""
    g = reals(f"grads[{key!r}]", g)
    if g.shape != w.shape:
        raise ValueError(
            f"grads[{key!r}] の形は params[{key!r}] と同じでなければなりません"
            f"(params: {w.shape}, grads: {g.shape})"
        )
    return g.astype(w.dtype, copy=False)


class SGD(ElementwiseOptimizer):
    """確率的勾配降下法: 勾配の逆向きに、勾配の ``lr`` 倍だけ進む。

    式: ``eq-sgd-w``。``lr``: 学習率 η > 0。
    出典: Robbins & Monro (1951) doi:10.1214/aoms/1177729586

    >>> params = {"w": np.array([1.0, 2.0])}
    >>> SGD(lr=0.5).update(params, {"w": np.array([1.0, -2.0])})
    >>> params["w"]
    array([0.5, 3. ])
    """

    def __init__(self, lr: float = 0.01):
        super().__init__()
        self.lr = positive("lr", lr)

    def rule(self, w: Array, g: Array) -> Step:
        w = w - self.lr * g  # eq-sgd-w
        return (w,)


class Momentum(ElementwiseOptimizer):
    """モーメンタム法: 過去の更新を速度 ``v`` に貯め、慣性をつけて進む。

    式: ``eq-momentum-v``, ``eq-momentum-w``。
    ``lr``: 学習率 η > 0。``momentum``: 慣性 0 ≤ α < 1。
    出典: Polyak (1964) doi:10.1016/0041-5553(64)90137-5

    勾配が一定なら、速度は η/(1−α) 倍の勾配に近づく。α = 0.9 なら SGD の 10 倍である。

    >>> optimizer, params = Momentum(lr=0.01, momentum=0.9), {"w": np.array(0.0)}
    >>> for _ in range(200):
    ...     optimizer.update(params, {"w": np.array(1.0)})
    >>> print(optimizer.state["v"]["w"].round(6))
    -0.1
    """

    state_names = ("v",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        super().__init__()
        self.lr = positive("lr", lr)
        self.momentum = fraction("momentum", momentum)

    def rule(self, w: Array, g: Array, v: Array) -> Step:
        v = self.momentum * v - self.lr * g  # eq-momentum-v
        w = w + v  # eq-momentum-w
        return w, v


class Nesterov(ElementwiseOptimizer):
    """ネステロフの加速勾配法(NAG): 慣性で進んだ先の勾配で舵を切るモーメンタム法。

    式: ``eq-nesterov-v``, ``eq-nesterov-w``(先読みした点を改めて w と書いた形)。
    ``lr``: 学習率 η > 0。``momentum``: 慣性 0 ≤ α < 1。
    出典: Nesterov (1983); この形は Bengio et al. (2012) arXiv:1212.0901

    >>> params = {"w": np.array([1.0])}
    >>> Nesterov(lr=0.1, momentum=0.9).update(params, {"w": np.array([1.0])})
    >>> params["w"]          # 1 - (1 + 0.9) * 0.1
    array([0.81])
    """

    state_names = ("v",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        super().__init__()
        self.lr = positive("lr", lr)
        self.momentum = fraction("momentum", momentum)

    def rule(self, w: Array, g: Array, v: Array) -> Step:
        v = self.momentum * v - self.lr * g  # eq-nesterov-v
        w = w + self.momentum * v - self.lr * g  # eq-nesterov-w
        return w, v


class AdaGrad(ElementwiseOptimizer):
    """AdaGrad: 勾配の二乗を足し込んだ ``h`` の平方根で、座標ごとに学習率を割る。

    式: ``eq-adagrad-h``, ``eq-adagrad-w``。``lr``: 学習率 η > 0。``eps``: 0 除算を防ぐ ε ≥ 0。
    出典: Duchi, Hazan & Singer (2011) JMLR 12:2121–2159

    勾配を全部まとめて何倍しても、歩幅は変わらない。

    >>> small, large = {"w": np.array([0.0])}, {"w": np.array([0.0])}
    >>> AdaGrad(lr=0.1).update(small, {"w": np.array([0.001])})
    >>> AdaGrad(lr=0.1).update(large, {"w": np.array([1000.0])})
    >>> np.allclose(small["w"], large["w"], rtol=1e-6)
    True
    """

    state_names = ("h",)

    def __init__(self, lr: float = 0.01, eps: float = 1e-10):
        super().__init__()
        self.lr = positive("lr", lr)
        self.eps = non_negative("eps", eps)

    def rule(self, w: Array, g: Array, h: Array) -> Step:
        h = h + g**2  # eq-adagrad-h
        w = w - self.lr * g / (np.sqrt(h) + self.eps)  # eq-adagrad-w
        return w, h


class RMSProp(ElementwiseOptimizer):
    """RMSProp: AdaGrad の和を指数移動平均に替え、古い勾配を忘れる。

    式: ``eq-rmsprop-h``, ``eq-rmsprop-w``。
    ``lr``: 学習率 η > 0。``decay_rate``: 減衰率 0 ≤ ρ < 1。``eps``: 0 除算を防ぐ ε ≥ 0。
    出典: Tieleman & Hinton (2012) COURSERA Lecture 6.5

    バイアス補正がないので、最初の歩幅は η/√(1−ρ)、ρ = 0.99 なら η の 10 倍になる。

    >>> params = {"w": np.array([0.0])}
    >>> RMSProp(lr=0.01, decay_rate=0.99).update(params, {"w": np.array([3.0])})
    >>> print(params["w"].round(6))
    [-0.1]
    """

    state_names = ("h",)

    def __init__(self, lr: float = 0.01, decay_rate: float = 0.99, eps: float = 1e-8):
        super().__init__()
        self.lr = positive("lr", lr)
        self.decay_rate = fraction("decay_rate", decay_rate)
        self.eps = non_negative("eps", eps)

    def rule(self, w: Array, g: Array, h: Array) -> Step:
        h = self.decay_rate * h + (1 - self.decay_rate) * g**2  # eq-rmsprop-h
        w = w - self.lr * g / (np.sqrt(h) + self.eps)  # eq-rmsprop-w
        return w, h


class AdaDelta(ElementwiseOptimizer):
    """AdaDelta: 過去の歩幅の二乗平均 ``u`` を分子に置き、単位を合わせた RMSProp。

    式: ``eq-adadelta-h``, ``eq-adadelta-d``, ``eq-adadelta-u``, ``eq-adadelta-w``。
    ``lr``: 歩幅の倍率 η > 0(原論文は 1)。``decay_rate``: 減衰率 0 ≤ ρ < 1。
    ``eps``: 最初の一歩の大きさを決める ε ≥ 0(0 なら一歩も動かない)。
    出典: Zeiler (2012) arXiv:1212.5701

    >>> params = {"w": np.array([0.0])}
    >>> AdaDelta(decay_rate=0.9, eps=1e-6).update(params, {"w": np.array([5.0])})
    >>> print(f"{params['w'][0]:.5f}")   # ほぼ -√(ε/(1-ρ)) = -0.00316
    -0.00316
    """

    state_names = ("h", "u")

    def __init__(self, lr: float = 1.0, decay_rate: float = 0.9, eps: float = 1e-6):
        super().__init__()
        self.lr = positive("lr", lr)
        self.decay_rate = fraction("decay_rate", decay_rate)
        self.eps = non_negative("eps", eps)

    def rule(self, w: Array, g: Array, h: Array, u: Array) -> Step:
        h = self.decay_rate * h + (1 - self.decay_rate) * g**2  # eq-adadelta-h
        d = np.sqrt(u + self.eps) / np.sqrt(h + self.eps) * g  # eq-adadelta-d
        u = self.decay_rate * u + (1 - self.decay_rate) * d**2  # eq-adadelta-u
        w = w - self.lr * d  # eq-adadelta-w
        return w, h, u


class Adam(ElementwiseOptimizer):
    """Adam: 勾配の平均 ``m`` と二乗の平均 ``v`` を、バイアスを補正して使う。

    式: ``eq-adam-m``, ``eq-adam-v``, ``eq-adam-mhat``, ``eq-adam-vhat``, ``eq-adam-w``。
    ``lr``: 学習率 η > 0。``beta1``, ``beta2``: 減衰率、0 以上 1 未満。``eps``: ε ≥ 0。
    出典: Kingma & Ba (2015) アルゴリズム 1, arXiv:1412.6980

    最初の一歩は、勾配の大きさによらず、ほぼ lr × (勾配の符号) である。

    >>> params = {"w": np.array([0.0, 0.0])}
    >>> Adam(lr=0.001).update(params, {"w": np.array([1e-3, -1e3])})
    >>> print(params["w"].round(6))
    [-0.001  0.001]
    """

    state_names = ("m", "v")

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8):
        super().__init__()
        self.lr = positive("lr", lr)
        self.beta1 = fraction("beta1", beta1)
        self.beta2 = fraction("beta2", beta2)
        self.eps = non_negative("eps", eps)

    def rule(self, w: Array, g: Array, m: Array, v: Array) -> Step:
        t = self.t + 1
        m = self.beta1 * m + (1 - self.beta1) * g  # eq-adam-m
        v = self.beta2 * v + (1 - self.beta2) * g**2  # eq-adam-v
        m_hat = m / (1 - self.beta1**t)  # eq-adam-mhat
        v_hat = v / (1 - self.beta2**t)  # eq-adam-vhat
        w = w - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)  # eq-adam-w
        return w, m, v


class AdamW(Adam):
    """AdamW: 重み減衰を、勾配に足さずに、重みに直接かける Adam。

    式: ``eq-adam-m``, ``eq-adam-v``, ``eq-adam-mhat``, ``eq-adam-vhat``, ``eq-adamw-w``。
    ``weight_decay``: 重み減衰の強さ λ ≥ 0。渡した重みの全部にかかる。ほかの引数は ``Adam`` と同じ。
    出典: Loshchilov & Hutter (2019) arXiv:1711.05101。λ に学習率を掛けるのは、PyTorch と同じ

    勾配が 0 でも、重みは 1 歩ごとに 1 − ηλ 倍になる。

    >>> params = {"w": np.array([1.0, -20.0])}
    >>> AdamW(lr=0.1, weight_decay=0.5).update(params, {"w": np.zeros(2)})
    >>> params["w"]
    array([  0.95, -19.  ])
    """

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(lr, beta1, beta2, eps)
        self.weight_decay = non_negative("weight_decay", weight_decay)

    def rule(self, w: Array, g: Array, m: Array, v: Array) -> Step:
        w_adam, m, v = super().rule(w, g, m, v)
        w = w_adam - self.lr * self.weight_decay * w  # eq-adamw-w
        return w, m, v


class Lion(ElementwiseOptimizer):
    """Lion: 勾配の平均の符号だけを使い、どの重みも同じ大きさだけ動かす。

    式: ``eq-lion-c``, ``eq-lion-m``, ``eq-lion-w``。
    ``lr``: 学習率 η > 0。``beta1``: 歩みを決める平均の減衰率。``beta2``: 覚えておく平均の減衰率。
    ``weight_decay``: 重み減衰の強さ λ ≥ 0(AdamW と同じく、切り離してある)。
    出典: Chen et al. (2023) arXiv:2302.06675

    >>> params = {"w": np.array([0.0, 0.0, 0.0])}
    >>> Lion(lr=0.5).update(params, {"w": np.array([1e-9, -1000.0, 0.0])})
    >>> params["w"]
    array([-0.5,  0.5,  0. ])
    """

    state_names = ("m",)

    def __init__(
        self, lr: float = 0.0001, beta1: float = 0.9, beta2: float = 0.99, weight_decay: float = 0.0
    ):
        super().__init__()
        self.lr = positive("lr", lr)
        self.beta1 = fraction("beta1", beta1)
        self.beta2 = fraction("beta2", beta2)
        self.weight_decay = non_negative("weight_decay", weight_decay)

    def rule(self, w: Array, g: Array, m: Array) -> Step:
        c = self.beta1 * m + (1 - self.beta1) * g  # eq-lion-c
        m = self.beta2 * m + (1 - self.beta2) * g  # eq-lion-m
        w = (1 - self.lr * self.weight_decay) * w - self.lr * np.sign(c)  # eq-lion-w
        return w, m


def newton_schulz(u: Array, steps: int = 5, eps: float = 1e-7) -> Array:
    """行列 ``u`` の特異値を、向きを変えずに、どれも 1 に近づける(ニュートン・シュルツ反復)。

    式: ``eq-muon-x`` を 1 回、``eq-muon-gram``, ``eq-muon-q``, ``eq-muon-next`` を ``steps`` 回。
    ``eps``: 0 の行列を割らないための、長さの下限 ε。係数は Jordan et al. (2024) のもの。

    5 回で、特異値はおよそ 0.7 から 1.2 の間に入る。

    >>> np.linalg.svd(newton_schulz(np.diag([1.0, 0.1, 0.01])), compute_uv=False).round(2)
    array([0.71, 0.7 , 0.7 ])
    """
    Z = (u.T if u.shape[0] > u.shape[1] else u) / max(np.linalg.norm(u), eps)  # eq-muon-x
    for _ in range(steps):
        A = Z @ Z.T  # eq-muon-gram
        Q = -4.7750 * A + 2.0315 * A @ A  # eq-muon-q
        Z = 3.4445 * Z + Q @ Z  # eq-muon-next
    return Z.T if u.shape[0] > u.shape[1] else Z


class Muon(Optimizer):
    """Muon: 行列の勾配の平均を、特異値をそろえてから使う。行列(2 次元の配列)だけを更新する。

    式: ``eq-muon-m``, ``eq-muon-u``, ``newton_schulz`` の 4 本、``eq-muon-w``。
    ``lr``: 学習率 η > 0。``momentum``: 慣性 0 ≤ α < 1。``weight_decay``: 重み減衰の強さ λ ≥ 0(切り離してある)。
    行列でない重み(バイアスなど)があれば ``ValueError``。著者は、それらと、はじめと終わりの層を AdamW で更新している。
    手法を 2 つ使うには ``Split`` がある。
    出典: Jordan et al. (2024) https://kellerjordan.github.io/posts/muon/

    勾配の 1000 倍の差は、歩みの中ではなくなる。

    >>> params = {"W": np.zeros((2, 2))}
    >>> Muon(lr=1.0).update(params, {"W": np.diag([1000.0, 10.0])})
    >>> params["W"].round(2)
    array([[-0.7,  0. ],
           [ 0. , -0.7]])
    """

    state_names = ("m",)

    def __init__(self, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__()
        self.lr = positive("lr", lr)
        self.momentum = fraction("momentum", momentum)
        self.weight_decay = non_negative("weight_decay", weight_decay)

    def check_params(self, params: Arrays) -> None:
        super().check_params(params)
        for key, w in params.items():
            if w.ndim != 2:
                raise ValueError(
                    f"Muon の params[{key!r}] は行列でなければなりません"
                    f"(形: {w.shape}。ほかの重みは、Split で AdamW などに任せます)"
                )

    def rule(self, w: Array, g: Array, m: Array) -> Step:
        n_in, n_out = w.shape
        m = self.momentum * m + (1 - self.momentum) * g  # eq-muon-m
        u = self.momentum * m + (1 - self.momentum) * g  # eq-muon-u
        lr = self.lr * max(1, n_out / max(n_in, 1)) ** 0.5  # 空の行列でも割れる
        w = (1 - self.lr * self.weight_decay) * w - lr * newton_schulz(u)  # eq-muon-w
        return w, m


class Split:
    """行列(2 次元の配列)を ``matrices`` で、ほかの重みを ``others`` で更新する。

    ``keys``: ``matrices`` で更新する重みのキー(省くと、行列の全部)。
    ``params`` と ``grads`` のキーか形が合わないか、``keys`` のキーがなければ ``ValueError`` で、どちらも動かさない。

    >>> params = {"W": np.zeros((2, 2)), "b": np.zeros(2)}
    >>> optimizer = Split(Muon(lr=0.1), AdamW(lr=0.01))
    >>> optimizer.update(params, {"W": np.eye(2), "b": np.ones(2)})
    >>> params["W"].round(3), params["b"].round(3)
    (array([[-0.111,  0.   ],
           [ 0.   , -0.111]]), array([-0.01, -0.01]))
    """

    def __init__(self, matrices: Updates, others: Updates, keys: Collection[str] | None = None):
        self.matrices, self.others, self.keys = matrices, others, keys

    __copy__ = deepcopy  # 浅い写しだと、手法を元と共有する

    def update(self, params: Arrays, grads: Arrays) -> None:
        shapes = [{key: np.shape(array) for key, array in each.items()} for each in (params, grads)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "grads のキーと形は params と同じでなければなりません"
                f"(params: {shapes[0]}, grads: {shapes[1]})"
            )
        chosen = [key for key, w in params.items() if np.ndim(w) == 2] if self.keys is None else self.keys
        if unknown := sorted(set(chosen) - params.keys()):
            raise ValueError(f"keys のキー {unknown} が params にありません(params: {sorted(params)})")
        for optimizer, own in ((self.matrices, True), (self.others, False)):
            keys = [key for key in params if (key in chosen) == own]
            if keys:
                optimizer.update({key: params[key] for key in keys}, {key: grads[key] for key in keys})
