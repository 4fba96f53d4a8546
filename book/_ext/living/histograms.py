"""層を通る値の分布の指示。式から作った JavaScript(``fumoto.printed.histograms``)と ``histograms.js`` がページに入る。

    ```{histograms} play-init-layers
    :activations: tanh sigmoid relu
    :scale: 1
    :scales: 0.01 xavier he 1
    :batchnorm: none before after
    :bias: -1..1
    つまみを動かしてください。

    動かない画面では、この段落が見えます。
    ```

``activations`` のほかは省ける。``activations`` と ``batchnorm`` は、選べるものの並びで、先頭がはじめの状態。
``scale``: はじめの重みの標準偏差。``scales``: 押せばその値になるボタン。どちらも数か、初期値の名前(``xavier``、``he``)。
``range``: つまみの範囲。``bias``: バイアスのつまみの範囲。``title``: 読み上げる名前。
共通の仕事は ``living_figures`` にある。
"""

from living.living_figures import Kind, LivingFigure, known, number, words

_MODULES = ["fumoto.printed"]
_OPTIONS = ["activations", "scale", "scales", "range", "batchnorm", "bias", "still", "title"]
_PLACES = ("none", "before", "after")


class histograms(LivingFigure):
    """動かせる分布の図 1 つ。"""


class Histograms(Kind):
    """``{histograms}`` の図: 式のとおりに層を通った値の分布。"""

    name, called, options, modules, node = "histograms", "分布の図", _OPTIONS, _MODULES, histograms

    def settings(self, options):
        return settings(options)

    def wanted(self, configs):
        """活性化関数、名前のついた初期値、BatchNorm を使うか。"""
        from fumoto.printed.histograms import ACTIVATIONS, SCALES

        activations = [
            name for name in ACTIVATIONS if any(name in config["activations"] for config in configs)
        ]
        scales = [name for name in SCALES if any(name in [c["scale"], *c["marks"]] for c in configs)]
        return [activations, scales, any(config["places"] != ["none"] for config in configs)]

    def labels(self, wanted):
        from fumoto.printed.histograms import labels_of

        return labels_of(*wanted)

    def script(self, app, wanted, blocks):
        from fumoto.printed import read
        from fumoto.printed.histograms import script

        return script(*wanted, read(app.srcdir, self.labels(wanted)))


def settings(options):
    """指示の中の文字列 → histograms.js に渡す設定。おかしければ、日本語の ``ValueError`` を 1 つ出す。

    >>> settings({"activations": "tanh relu", "scale": "xavier", "bias": "-1..1"})["bias"]
    {'low': -1.0, 'high': 1.0, 'value': 0}
    """
    from fumoto.printed.histograms import ACTIVATIONS, SCALES  # SymPy を読むので、使うときまで待つ

    activations = known(options, "activations", ACTIVATIONS, "活性化関数")
    if not activations:
        raise ValueError(":activations: に活性化関数を 1 つ以上書きます")
    places = known(options, "batchnorm", _PLACES, "置き場所") or ["none"]
    low, high = _range(options, "range", "0.001..10")
    if low <= 0:
        raise ValueError(f":range: は正の数の範囲です(対数目盛なので): {options['range']}")
    marks = [_scale(word, "scales", SCALES, low, high) for word in words(options, "scales")]
    bias = _range(options, "bias", None)
    if bias and not bias[0] <= 0 <= bias[1]:
        raise ValueError(f":bias: の範囲に、はじめの値 0 が入っていません: {options['bias']}")
    return {
        "activations": activations,
        "places": places,
        "scale": _scale(options.get("scale", "1"), "scale", SCALES, low, high),
        "marks": marks,
        "low": low,
        "high": high,
        "bias": bias and {"low": bias[0], "high": bias[1], "value": 0},
        **({"title": options["title"]} if "title" in options else {}),
    }


def _scale(word, name, table, low, high):
    """標準偏差 1 つ: 数か、``table`` の名前。"""
    if word in table:
        return word
    value = number(word, name, f"数でも、初期値の名前({'、'.join(table)})でも")
    if not low <= value <= high:
        raise ValueError(f":{name}: の {word} が、つまみの範囲 {low:g}..{high:g} に入っていません")
    return value


def _range(options, name, otherwise):
    text = options.get(name, otherwise)
    if text is None:
        return None
    low, dots, high = text.partition("..")
    if not dots:
        raise ValueError(f":{name}: は「下端..上端」の形です: {text}")
    low, high = number(low, name, "数では"), number(high, name, "数では")
    if not low < high:
        raise ValueError(f":{name}: の下端が上端より小さくありません: {text}")
    return low, high


def setup(app):
    return Histograms().setup(app)
