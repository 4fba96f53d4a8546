"""候補 1 つ: 読者のものが、印刷された手法の代わりに何であるか。表に並べ、数え、別のエンジンでも動かせる、ただのデータである。"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Handling:
    """式の動かし方の、正しいものと違うところ。省いたところは、正しい動かし方である。

    - ``start``: (状態の名前, 出発点)。出発点は数か、``"g"``, ``"g^2"``, ``"-eta g"``, ``"w"``, ``"-w"``(はじめの勾配、その 2 乗、-η 倍、重み、その -1 倍)
    - ``first``: (式のラベル, 右辺)。はじめのステップだけ、その式の代わりに使う
    - ``stored``: (状態の名前, 記号)。次のステップに、状態として残す値
    - ``kept``: 状態を残すときにすること。``""``, ``"integer"``(整数に切り捨てる), ``"mean"``(配列全体で平均する), ``"float16"``
    - ``forgets``: 状態を、何ステップごとに出発点に戻すか(0 なら戻さない)。``restarts``: 回数 t を、何ステップごとに数えなおすか
    - ``clock``: 回数 t の進め方。``"each update"``, ``"never"``, ``"per key"``, ``"index"``, ``"minus one"``, ``"plus one"``, ``"each epoch"``
    - ``stops_at``: 回数がこれ以上進まないステップ。``ends_at``: これを過ぎると、重みが動かないステップ(0 ならいつまでも動く)
    - ``skips_first``: はじめの update が何もしないか。``repeats``: 1 度の update で、更新を何度するか
    - ``rounds``: 1 度の update の中で反復する回数(0 なら、印刷されたとおり)
    - ``patched``: 平方根の中の絶対値をとるか(負になるはずのない値が負になる間違いを、隠すためのもの)
    - ``moves``: 動く重み。``"all"``, ``"first"``, ``"last"``
    - ``slot``: 状態を分けるもの。``"key"``, ``"nothing"``, ``"size"``, ``"shape"``, ``"letter"``(キーの 1 文字目), ``"head"``(1 本の配列の、はじめの同じところ), ``"number"``(キー。ただし、要素を 1 つずつ更新する)
    - ``order``: 勾配をキーに割り当てる順。``"by key"``, ``"sorted keys"``, ``"sorted gradients"``, ``"flat sorted keys"``, ``"flat sorted gradients"``, ``"reversed"``
    - ``gradient``: (勾配にすること, 数)。``vocabulary.GRADIENTS`` のどれか
    - ``weight``: (更新した重みにすること, 数)。``vocabulary.WEIGHTS`` のどれか
    - ``values``: (記号, 数)。引数の代わりに使う値
    - ``spared``: 行列でない重みでは 0 とする、引数の記号
    - ``exchanged``: 値の入れ替わった 2 つの引数の記号
    - ``carried``: (定数の記号, 記号)。次のステップから、定数の代わりに使う値
    """

    start: tuple[tuple[str, float | str], ...] = ()
    first: tuple[tuple[str, str], ...] = ()
    stored: tuple[tuple[str, str], ...] = ()
    kept: str = ""
    forgets: int = 0
    clock: str = "each update"
    restarts: int = 0
    stops_at: int = 0
    ends_at: int = 0
    skips_first: bool = False
    repeats: int = 1
    rounds: int = 0
    patched: bool = False
    moves: str = "all"
    slot: str = "key"
    order: str = "by key"
    gradient: tuple[str, float] = ("", 0.0)
    weight: tuple[str, float] = ("", 0.0)
    values: tuple[tuple[str, float], ...] = ()
    spared: tuple[str, ...] = ()
    exchanged: tuple[str, ...] = ()
    carried: tuple[tuple[str, str], ...] = ()


AS_PRINTED = Handling()


@dataclass(frozen=True)
class Candidate:
    """候補 1 つ。

    ``id``: いつも同じ名前。``words``: 読者に言う一文。``label``: 間違いのある式のラベル(式の間違いでなければ、なし)。
    ``formulas``: (式のラベル, 右辺)。そのラベルの式の代わりに使う。右辺は、``w_t - eta * g_t`` のように、記号の名前で書く。
    ラベルの代わりに ``x_next`` と書けば、最後の式の前に、その記号を求める式を足す。
    ``handling``: 式の動かし方。``method``: 動かす式の並び(空なら、調べている手法)。
    ``published``: 間違いでなく、名前のある別の手法か。``convention``: 間違いでない、ほかの書き方か。``rewrites``: その書き方では、右辺のどこが何に替わるか(間違いの右辺にも使う)。
    """

    id: str
    words: str
    label: str | None = None
    formulas: tuple[tuple[str, str], ...] = ()
    handling: Handling = field(default=AS_PRINTED)
    method: str = ""
    convention: bool = False
    published: bool = False
    rewrites: tuple[tuple[str, str], ...] = ()
