"""初期値を作る関数の引数の役を、名前から読み取る。"""

import re

_UNITS = r"(_?(size|dim|features?|nodes?|units?|neurons?|channels?|ch|s))?"
#: 役 → 名前の正規表現。上にあるものほど先に見る。
ROLES = {
    "rng": r"(np_?)?rng|rs|rnd|prng|r|rand(om)?|random_?(state|generator)|gen(erator)?|np_?random|乱数",
    "seed": r"(random_?|rng_?)?seed|種",
    "shape": r"(w|weights?|kernel|filter)?_?shape|size|dims?|形",
    "sizes": r"(layers?|net(work)?|nn|mlp)_?(dims?|sizes?|nodes|units|shapes?|structure|widths?|neurons)"
    r"|layers|sizes|nodes|widths|n_?units|neurons|arch(itecture)?|topology|structure|ノード数|all_size_list",
    "hiddens": r"hidden_?(sizes|dims|layers|layer_?sizes|size_?list|dim_?list)|n_?hiddens",
    "hidden": rf"(n|num|dim)?_?(h|hid|hidden){_UNITS}",
    "kernel": r"ks?|k_?size|kernel(_?(size|h|w|height|width))?|filter_?(size|h|w|height|width)|[kf]_?[hw]",
    "n_in": r"n_?in|fan_?in|nin|[dc]_?in|(n|num|dim|size|units)?_?in(put)?s?" + _UNITS
    + r"|n_?x|n_?prev\w*|prev\w*|rows|n_?features|(n_?)?channels|入力\w*",
    "n_out": r"n_?out|fan_?out|nout|[dc]_?out|(n|num|dim|size|units)?_?out(put)?s?" + _UNITS
    + r"|n_?y|n_?next\w*|next\w*|cols|units|((n|num)_?)?(filters|classes)|n_?curr\w*|出力\w*",
    "array": r"w|weights?|tensor|arr(ay)?",
    "method": r"method|kind|scheme|mode|(weight_?)?init(ializ(er|ation))?(_?(method|type|kind|mode|name|std))?",
    "activation": r"act(ivation)?(_?(fn|func|function|name))?|nonlinearity",
}  # fmt: skip


def in_words(name: str) -> str:
    """``HeNormal`` を ``He_Normal`` にする。"""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def role_of(name: str) -> str:
    """名前から読み取った役。分からなければ空。

    >>> [role_of(name) for name in ("fan_in", "n_hidden", "layer_dims", "rng", "seed", "gain")]
    ['n_in', 'hidden', 'sizes', 'rng', 'seed', '']
    """
    plain = name.lower().strip("_")
    return next((role for role, pattern in ROLES.items() if re.fullmatch(pattern, plain)), "")
