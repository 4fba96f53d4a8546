"""作られた重みを、頼んだ大きさの層として読む。"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fumoto.checking.calling.safety import ReaderError, call
from fumoto.checking.calling.weights.layer import Layer
from fumoto.checking.calling.weights.pieces import Piece, as_array, pieces_in
from fumoto.checking.calling.weights.problems import Problem
from fumoto.hints import Array


@dataclass(frozen=True)
class Made:
    """1 つの大きさで作られたもの。``turned``: 形が (n_out, n_in) だったか。``bare``: 返されたのは配列 1 つだけか。"""

    layers: list[Layer]
    turned: bool
    bare: bool


def matched(made: Any, problem: Problem) -> Made:
    """``made`` の中の重みを、``problem`` の層として読む。合わなければ ``ReaderError``。"""
    pieces = pieces_in(made) or [Piece(made)]
    arrays = [_weights(piece, made) for piece in pieces]
    if len(pieces) != len(problem.layers):
        names = "、".join(piece.name for piece in pieces if piece.name)
        raise ReaderError(
            f"重みの行列が {len(problem.layers)} 個のはずですが、{len(pieces)} 個ありました"
            f"({names or type(made).__name__})。"
        )
    read = [_upright(W, sizes, problem) for W, sizes in zip(arrays, problem.layers, strict=True)]
    turned = {each[1] for each in read}
    if len(turned) > 1:
        raise ReaderError("重みの形が、層によって (n_in, n_out) だったり (n_out, n_in) だったりします。")
    nodes = () if problem.kernel else (problem.layers[0][0], *(n_out for _, n_out in problem.layers))
    area = int(np.prod(problem.kernel))
    layers = [
        Layer(W, _bias(piece), piece.name, piece.bias_name, nodes, area)
        for piece, (W, _) in zip(pieces, read, strict=True)
    ]
    return Made(layers, turned == {True}, isinstance(made, np.ndarray | list) and pieces[0].W is made)


def _weights(piece: Piece, made: Any) -> Array:
    W = call("make の返した値", lambda: np.array(piece.W))
    if W.dtype.kind != "f":
        raise ReaderError(
            f"実数の配列を返してください(返されたもの: {type(made).__name__}、dtype={W.dtype})。"
        )
    if not np.all(np.isfinite(W)):
        raise ReaderError("重みに nan か inf があります。")
    return W.astype(np.float64)


def _upright(W: Array, sizes: tuple[int, int], problem: Problem) -> tuple[Array, bool]:
    """形を ``(n_in, n_out)`` にそろえた重みと、(n_out, n_in) だったか。"""
    if problem.kernel:
        return _flattened(W, problem), False
    if W.shape == sizes:
        return W, False
    if W.shape == sizes[::-1]:
        return W.T, True
    raise ReaderError(f"形が {sizes} ではありません(返された形: {W.shape})。")


def _flattened(W: Array, problem: Problem) -> Array:
    """フィルターの重みを、1 つの出力に入る値を縦に並べた行列にしたもの。"""
    c_in, c_out = problem.values["n_in"], problem.values["n_out"]
    if W.shape == (c_out, c_in, *problem.kernel):
        return W.reshape(c_out, -1).T
    if W.shape == (*problem.kernel, c_in, c_out):
        return W.reshape(-1, c_out)
    raise ReaderError(
        f"形が {(c_out, c_in, *problem.kernel)} でも {(*problem.kernel, c_in, c_out)} でもありません(返された形: {W.shape})。"
    )


def _bias(piece: Piece) -> Array | None:
    b = as_array(piece.b)
    return None if b is None else b.astype(np.float64)
