"""重みと一緒に返されたバイアス: 0 か、0 でないならどんな値か。"""

import numpy as np

from fumoto.checking.calling.weights.layer import Layer

_SMALL = (0.01, 0.1)  # ReLU の層を、はじめは正の側に置く書き方


def odd_bias(name: str, layers: list[Layer]) -> tuple[str, str] | None:
    """バイアスがおかしければ、(間違いの名前, 説明)。"""
    for layer in layers:
        if layer.b is None:
            continue
        outputs = layer.W.shape[1]
        if layer.b.size not in (1, outputs):
            text = f"バイアス {layer.bias_name} の形が {layer.b.shape} です。次の層のノード数と同じ {outputs} 個が要ります"
            return "bias-shape", text
        if layer.b.any() and not _is_small_constant(name, layer):
            return "bias", f"バイアス {layer.bias_name} が 0 ではありません。{_what(layer)}"
    return None


def notes_on_biases(layers: list[Layer]) -> tuple[str, ...]:
    """バイアスについて、読者に伝えること。"""
    values = sorted({float(layer.b.flat[0]) for layer in layers if layer.b is not None and layer.b.any()})
    if not values:
        return ()
    value = "、".join(f"{value:g}" for value in values)
    return (
        f"バイアスは {value} から始まります(ReLU の層で使われる書き方です。式は、バイアス 0 を前提にします)。",
    )


def _is_small_constant(name: str, layer: Layer) -> bool:
    return (
        name == "he" and layer.b is not None and any(np.all(np.isclose(layer.b, value)) for value in _SMALL)
    )


def _what(layer: Layer) -> str:
    """バイアスがどんな値かを言う言葉。"""
    b = np.ravel(layer.b if layer.b is not None else 0.0)
    if np.all(b == b[0]):
        return f"すべて {b[0]:.3g} です"
    if not np.all(np.isfinite(b)):
        return "nan か inf があります"
    usual = np.all(abs(b) <= 1 / np.sqrt(layer.n_in)) and abs(b.std() * np.sqrt(3 * layer.n_in) - 1) < 0.2
    pytorch = "(PyTorch の nn.Linear が既定で使う、±1/√n_in の一様乱数のようです)" if usual else ""
    return f"平均 {b.mean():.3g}、標準偏差 {b.std():.3g} の乱数です{pytorch}"
