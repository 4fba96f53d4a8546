r"""5 つの層を通る値を、ページの式から、読者のブラウザーで計算できるようにする。

重みつきの和、活性化関数とその微分、初期値の標準偏差、BatchNorm、平均と標準偏差のどれも、ここには書かない。
印刷された式を読み、JavaScript として書き出す。\sum は、式の範囲を回る繰り返しにする。

できるスクリプトは ``globalThis.fumotoLayers`` に次のものを置く。層の値は、標本を行、ノードを列とし、行の順に並べた 1 本の配列である。
ノードや標本の数、重みのもとの乱数 ``normals`` は、どの読者にも同じである。

    labels            = {always, batchnorm}: いつも使う式と、BatchNorm の式のラベル
    activations[名前] = {title, share, labels, value: (x) => 出力, slope: (y) => 微分(飽和する関数だけ)}
    scales[名前]      = {title, labels, value: (n) => 重みの標準偏差}
    together          = 一度に計算する標本の数
    affine(h, w, b, row, column, k, n) => 続く together 個の標本の、次の層の k 番目の値。標本は h[row] から、重みは w[column] から n 個ずつ
    mean(x, at, step, N), std(x, at, step, N, x_bar) => x[at] から step おきに N 個の平均と標準偏差
    batchnorm = {mean, variance: 同じ形, normalize: (x, mu, variance) => 正規化した値, scale: (x) => 出力}
"""

from collections.abc import Iterable, Mapping

import sympy

from fumoto.printed.equation import Equation, Equations
from fumoto.printed.errors import EquationError
from fumoto.printed.expressions import in_usual_form
from fumoto.printed.javascript import expression_code, literal, object_code

NODES, LAYERS, SAMPLES, SEED = 100, 5, 300, 1
TOGETHER = 4  # 和を 1 つずつ取ると、足し算を待つ時間がほとんどになる。並べて取ると、3 倍ほど速い
SLOPE = 0.1  # Leaky ReLU の負の側の傾き(8 章の図と同じ)
EPS = 1e-5  # BatchNorm の ε。γ は 1、β は 0(学習の始まりと同じ)

# 名前 → (題、数える出力の呼び名、値の式、微分の式)
ACTIVATIONS = {
    "sigmoid": ("シグモイド", "飽和", "eq-sigmoid", "eq-sigmoid-grad"),
    "tanh": ("tanh", "飽和", "eq-tanh", "eq-tanh-grad"),
    "relu": ("ReLU", "出力が 0", "eq-relu", None),
    "leaky-relu": ("Leaky ReLU", "出力が負", "eq-leaky-relu", None),
}
SCALES = {"xavier": ("Xavier", "eq-xavier-std"), "he": ("He", "eq-he-std")}

Names = Mapping[str, str]  # 記号の名前 → JavaScript
Part = tuple[str, str, *tuple[Names, ...]]  # 式のラベル、関数の引数、記号の名前(いくつもあれば、それぞれの値を並べて返す)

_COLUMN = {"x": "x[at + step*(i - 1)]", "N": "N"}  # 配列の中を飛び飛びに進む 1 列
_AFFINE = {"w": "w[column + i - 1]", "b": "b[k]", "n": "n"}
_SAMPLES = [{**_AFFINE, "h": f"h[row + {sample}*n + i - 1]"} for sample in range(TOGETHER)]
_ALWAYS: dict[str, Part] = {
    "affine": ("eq-affine-a", "h, w, b, row, column, k, n", *_SAMPLES),
    "mean": ("eq-mean", "x, at, step, N", _COLUMN),
    "std": ("eq-std", "x, at, step, N, x_bar", {**_COLUMN, "x_bar": "x_bar"}),
}
_BATCHNORM: dict[str, Part] = {
    "mean": ("eq-batchnorm-mean", "x, at, step, N", _COLUMN),
    "variance": ("eq-batchnorm-var", "x, at, step, N, mu", {**_COLUMN, "mu_B": "mu"}),
    "normalize": (
        "eq-batchnorm-normalize",
        "x, mu, variance",
        {"x": "x", "mu_B": "mu", "sigma_B_squared": "variance", "varepsilon": str(EPS)},
    ),
    "scale": ("eq-batchnorm-scale", "x", {"x_hat": "x", "gamma": "1", "beta": "0"}),
}

# 標準正規乱数。並びの k 番目だけから決まる 32 ビットの整数(mulberry32)を 2 つずつ使う(Box–Muller 法)
_NORMALS = """(count, seed) => {
  const uniform = (k) => {
    let z = Math.imul(seed + k, 0x6d2b79f5);
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (((z ^ (z >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  const normal = (_, k) => Math.sqrt(-2*Math.log(uniform(2*k)))*Math.cos(2*Math.PI*uniform(2*k + 1));
  return Float64Array.from({length: count}, normal);
}"""


def labels_of(activations: Iterable[str], scales: Iterable[str], batchnorm: bool) -> list[str]:
    """使う式のラベルの並び。``batchnorm``: BatchNorm を使うか。知らない名前は ``KeyError``。

    >>> labels_of(["tanh"], ["he"], False)
    ['eq-affine-a', 'eq-mean', 'eq-std', 'eq-tanh', 'eq-tanh-grad', 'eq-he-std']
    """
    labels = _labels(_ALWAYS)
    labels += [label for name in activations for label in ACTIVATIONS[name][2:] if label]
    labels += [SCALES[name][1] for name in scales]
    return labels + (_labels(_BATCHNORM) if batchnorm else [])


def _labels(table: Mapping[str, Part]) -> list[str]:
    return [label for label, *_ in table.values()]


def script(activations: Iterable[str], scales: Iterable[str], batchnorm: bool, equations: Equations) -> str:
    """``globalThis.fumotoLayers`` を作る 1 つの文。``equations``: ``fumoto.printed.read`` の結果。

    式に値の決まらない記号があるか、JavaScript にできない部分があれば、ページと行を言う ``EquationError``。
    """
    sizes = {"nodes": NODES, "layers": LAYERS, "samples": SAMPLES, "together": TOGETHER, "seed": SEED}
    members = {name: literal(value) for name, value in sizes.items()} | {"normals": _NORMALS}
    members |= _functions(_ALWAYS, equations)
    labels = {"always": _labels(_ALWAYS), "batchnorm": _labels(_BATCHNORM) if batchnorm else []}
    members["labels"] = literal(labels)
    members["activations"] = object_code({name: _activation(name, equations) for name in activations})
    members["scales"] = object_code({name: _scale(name, equations) for name in scales})
    if batchnorm:
        members["batchnorm"] = object_code(_functions(_BATCHNORM, equations))
    return f"globalThis.fumotoLayers = {object_code(members)};\n"


def _functions(table: Mapping[str, Part], equations: Equations) -> dict[str, str]:
    return {
        name: function_code(equations[label], parameters, *every)
        for name, (label, parameters, *every) in table.items()
    }


def _activation(name: str, equations: Equations) -> str:
    title, share, value, slope = ACTIVATIONS[name]
    members = {"title": literal(title), "share": literal(share)}
    members["labels"] = literal([label for label in (value, slope) if label])
    members["value"] = function_code(equations[value], "x", {"a": "x", "s": str(SLOPE)})
    if slope:
        members["slope"] = function_code(equations[slope], "y", {"y": "y"})
    return object_code(members)


def _scale(name: str, equations: Equations) -> str:
    title, label = SCALES[name]
    value = function_code(equations[label], "n", {"n": "n"})
    return object_code({"title": literal(title), "labels": literal([label]), "value": value})


def function_code(equation: Equation, parameters: str, *every: Names) -> str:
    r"""右辺を計算する JavaScript の関数。``every``: 記号の名前 → JavaScript。添字つきの記号は、添字を使った配列の要素。

    いくつも渡すと、それぞれでの値を並べた配列を返す。和は、同じ繰り返しの中で一緒に取る。
    ``sigma_B_squared`` があれば、式の ``\sigma_B^2`` をまとめてその値にする。

    >>> from fumoto.printed import parse
    >>> equation = parse(r"E = \frac{1}{N} \sum_{i=1}^{N} x_i^2", "i in 1..N; N in 1..9; x_i in R")
    >>> print(function_code(equation, "x, N", {"x": "x[i - 1]", "N": "N"}))
    (x, N) => { // eq
      let sum_1 = 0;
      for (let i = 1; i <= N; i++) { sum_1 += Math.pow(x[i - 1], 2); }
      return sum_1/N;
    }
    """
    loops: dict[str, list[str]] = {}  # 繰り返しの頭 → 和に足す文
    results = [_result(equation, names, loops) for names in every]
    result = results[0] if len(results) == 1 else f"[{', '.join(results)}]"
    if not loops:
        return f"({parameters}) => {result} /* {equation.label} */"
    count = sum(map(len, loops.values()))
    lines = [f"let {', '.join(f'sum_{number} = 0' for number in range(1, count + 1))};"]
    lines += [f"{head} {{ {' '.join(added)} }}" for head, added in loops.items()]
    body = "".join(f"  {line}\n" for line in [*lines, f"return {result};"])
    return f"({parameters}) => {{ // {equation.label}\n{body}}}"


def _result(equation: Equation, names: Names, loops: dict[str, list[str]]) -> str:
    """右辺の値の JavaScript。和は ``loops`` に加えて取る。"""
    known = {symbol: names[of.name] for symbol, of in equation.notation.items() if of.name in names}
    right = in_usual_form(equation.rhs)
    for symbol, of in equation.notation.items():
        if (squared := f"{of.name}_squared") in names:
            whole = sympy.Symbol(squared)
            right, known[whole] = right.xreplace({symbol**2: whole}), names[squared]
    for total in _sums(equation, right):
        (index, low, high), name = total.limits[0], f"sum_{1 + sum(map(len, loops.values()))}"
        at = equation.notation[index].name
        term = expression_code(equation, in_usual_form(total.function), known | {index: at})
        low, high = (expression_code(equation, end, known) for end in (low, high))
        loops.setdefault(f"for (let {at} = {low}; {at} <= {high}; {at}++)", []).append(f"{name} += {term};")
        whole = sympy.Symbol(name)
        right, known[whole] = right.xreplace({total: whole}), name
    return expression_code(equation, right, known)


def _sums(equation: Equation, expression: sympy.Basic) -> list[sympy.Sum]:
    """式の中の和の並び。和の中の和と、二重の和は書けない。"""
    totals = [part for part in sympy.preorder_traversal(expression) if isinstance(part, sympy.Sum)]
    if any(len(total.limits) != 1 or total.function.has(sympy.Sum) for total in totals):
        raise EquationError(f"{equation.where}: {equation.label} の重なった和は JavaScript にできません")
    return list(dict.fromkeys(totals))
