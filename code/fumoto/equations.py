r"""印刷された式を、ページから読み出し、SymPy の式にし、NumPy で計算する。

本の式は、次の形で書かれている。

::

    ```{math}
    :label: eq-sgd-w
    w_{t+1} = w_t - \eta g_t
    ```
    % domain: w_t in R; \eta in (0, 1]; g_t in R

``% domain:`` は記号ごとの取りうる値で、宣言していない記号が式にあれば誤りになる。書き方は次のとおりである。

::

    g_t in R          実数(配列でもよい)
    \alpha in [0, 1)  区間。端を含むかどうかは括弧で書く
    t in 0..50        整数
    i in 1..N         添字。x_i, w_{ij} のように添え、\sum で足す
    \nabla E in function   関数。値として Python の関数を渡す

読めない部分のある式は、黙って読み飛ばさず、ページと行を言って誤りにする。数値で比べようのない数学
(不等式など)には、``% domain:`` の代わりに ``% checked-by: テストの名前`` を書く。

記号の名前は ``\eta`` → ``eta``、``w_t`` → ``w_t``、``w_{t+1}`` → ``w_next``、``\hat{m}_{t+1}`` → ``m_hat_next``、
``\beta_1`` → ``beta_1``、添字つきの ``x_i`` → ``x``、``\nabla E`` → ``grad_E``、``\mathbb{E}[g]`` → ``mean_g``、
``\mathbb{E}[g^2]`` → ``mean_g_squared`` である。
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from markdown_it import MarkdownIt
from sympy.core.function import AppliedUndef
from sympy.parsing.latex import parse_latex
from sympy.parsing.latex.errors import LaTeXParsingError

from fumoto.hints import Array, Rng, Shape

_PACKAGE = Path(__file__).resolve().parent
_PAGES = (_PACKAGE / "pages", _PACKAGE.parents[1] / "book")  # 配られた wheel の中のページ、手もとの本のページ

_GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_STRUCTURE = r"\\(?:frac|sqrt|sum|exp|log|sin|cos|tanh|max|min|cdot)(?![A-Za-z])"
_SPACING = r"\s+|\\[,;!]|\\(?:quad|left|right)(?![A-Za-z])"
_ATOM = rf"[A-Za-z]|\\(?:{'|'.join(_GREEK.split())})(?![A-Za-z])"
_SUBSCRIPTED = (
    rf"(?:\\(?P<accent>hat|bar|tilde)\s*\{{\s*(?P<accented>{_ATOM})\s*\}}|(?P<plain>{_ATOM}))"
    r"(?:_(?:\{(?P<long>[^{}]*)\}|(?P<short>[A-Za-z0-9])))?"
)
_SYMBOL = (
    r"\\nabla\s*(?P<function>[A-Z])"
    r"|\\mathbb\{E\}\s*\[(?P<expected>[^\[\]]+)\]"
    rf"|{_SUBSCRIPTED}"
)
_TOKEN = re.compile(
    rf"(?P<space>{_SPACING})|(?P<structure>{_STRUCTURE})|(?P<symbol>{_SYMBOL})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<other>[-+/=(){}\[\]^_,])"
)


_TEXT = "(文字列)"  # ページでなく、渡された文字列を読んだとき


class EquationError(ValueError):
    """式を読めない。ページと行、読めなかった部分を言う。"""


@dataclass(frozen=True)
class Domain:
    """記号の取りうる値。``sample`` は、テストに使う値をそこから無作為に取る。"""

    text: str
    low: Any = -np.inf
    high: Any = np.inf
    open_low: bool = False
    integer: bool = False

    @property
    def is_index(self) -> bool:
        """``1..N`` のように、端に記号を含む整数の範囲か。"""
        return self.integer and not (isinstance(self.low, int) and isinstance(self.high, int))

    def sample(self, rng: Rng, shape: Shape = ()) -> Any:
        """区間から一様に(R なら標準正規分布から)取る。上端は含まない。"""
        if self.integer:
            return int(rng.integers(self.low, self.high + 1))
        if np.isinf(self.low) and np.isinf(self.high):
            return rng.normal(size=shape)
        low, high = max(self.low, -10.0), min(self.high, 10.0)
        value = rng.uniform(low, high, size=shape)
        return np.where(value == low, (low + high) / 2, value) if self.open_low else value


Domains = dict[str, Domain]  # 記号の名前 → 取りうる値
Symbols = dict[sympy.Symbol, tuple[str, tuple[str, ...]]]  # SymPy の記号 → (名前, 添字)


@dataclass(frozen=True)
class Equation:
    r"""ページに印刷された、ラベルのついた式 1 つ。

    ``symbols``: 右辺の記号の名前。``evaluate`` に渡す。``name``: 左辺の記号の名前。
    ``checked_by``: 式を数値で読めないときに、代わりに確かめているテストの名前。
    ``row``: 検証表に載せること(``% row:`` の行)。
    ``squared``: 左辺が記号の 2 乗か(``\sigma_B^2`` など。そのとき ``name`` は ``sigma_B_squared``)。
    """

    label: str
    page: str
    line: int
    latex: str
    domain: Domains = field(repr=False)
    checked_by: str | None = None
    lhs: sympy.Expr = field(default=None, repr=False)  # 左辺と右辺。数値で読めない式では None
    rhs: sympy.Expr = field(default=None, repr=False)
    squared: bool = False
    row: str | None = field(default=None, repr=False)
    _symbols: Symbols = field(default_factory=dict, repr=False)
    # SymPy の記号 → 印刷された LaTeX
    _printed: dict[sympy.Symbol, str] = field(default_factory=dict, repr=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Equation":
        return self  # 書き換えないので、写しは要らない

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled", None)  # SymPy の作った関数は pickle にできない。要るときに、また作る
        return state

    @property
    def name(self) -> str:
        return self._symbols[self.lhs][0] + ("_squared" if self.squared else "")

    @cached_property
    def symbols(self) -> list[str]:
        used = (self.rhs.free_symbols | _functions(self.rhs)) & self._symbols.keys()
        return sorted({self._symbols[symbol][0] for symbol in used} - self._indices.keys())

    @cached_property
    def _indices(self) -> dict[str, Domain]:
        return {name: d for name, d in self.domain.items() if d.is_index}

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def evaluate(self, **values: Any) -> Array:
        r"""右辺を計算する。添字つきの記号には、添字の順の軸を持つ配列を渡す。

        値の足りない記号・余分な名前は ``TypeError``。配列は NumPy と同じ規則で広がる。

        >>> equation = parse(r"E = \frac{1}{N} \sum_{i=1}^{N} x_i^2",
        ...                  "i in 1..N; N in 1..9; x_i in R")
        >>> float(equation.evaluate(x=np.array([1.0, 2.0, 3.0]), N=3))
        4.666666666666667
        """
        if self.rhs is None:
            raise TypeError(f"{self.label} は数値で計算できません({self.checked_by} が確かめます)")
        if set(values) != set(self.symbols):
            raise TypeError(f"{self.label} に渡す記号は {self.symbols} です(渡された記号: {sorted(values)})")
        values = {name: v if callable(v) else np.asarray(v) for name, v in values.items()}
        axes = self._axes
        ranges = self._summed_ranges(values)
        symbols, functions, compiled = self._compiled
        arguments = [self._value(symbol, values, axes, ranges) for symbol in symbols]
        result = np.asarray(compiled(*arguments, *(values[name] for name in functions)))
        kept = len(self._symbols[self.lhs][1])
        summed = tuple(range(kept, len(axes)))
        return np.squeeze(result, axis=summed) if result.ndim >= len(axes) > kept else result

    @cached_property
    def _compiled(self) -> tuple[list[sympy.Symbol], list[str], Callable[..., Any]]:
        """右辺の (記号の並び, 関数の名前の並び, NumPy の関数)。組み立ては一度だけ。"""
        symbols = sorted(self.rhs.atoms(sympy.Symbol), key=str)
        expression = self.rhs.replace(lambda e: isinstance(e, sympy.Sum), self._axis_sum)
        functions = []
        for symbol in sorted(_functions(expression), key=str):
            functions.append(self._symbols[symbol][0])
            expression = expression.replace(sympy.Function(symbol.name), sympy.Function(functions[-1]))
        # 名前が識別子でないと、lambdify は記号を 1 つずつ置きかえて遅くなる。先にまとめて置きかえる
        named = {symbol: sympy.Symbol(f"symbol_{i}") for i, symbol in enumerate(symbols)}
        expression = expression.xreplace(named)
        arguments = [*named.values(), *map(sympy.Function, functions)]
        # SymPy の作る max は、形の違う配列を並べられない
        expression = expression.replace(sympy.Max, sympy.Function("_max")).replace(
            sympy.Min, sympy.Function("_min")
        )
        return symbols, functions, sympy.lambdify(arguments, expression, [_OURS, "numpy"])

    @cached_property
    def _axes(self) -> dict[str, int]:
        """添字 → 軸の番号。左辺の添字が先に来る。"""
        order = list(self._symbols[self.lhs][1])
        order += [name for name in self._indices if name not in order]
        return {name: axis for axis, name in enumerate(order)}

    def _axis_sum(self, total: sympy.Sum) -> sympy.Basic:
        """SymPy の Sum(何重でも)を、添字の軸に沿った和に置き換える。"""
        expression = total.function
        for index, low, high in total.limits:
            expression = _AxisSum(expression, self._axes[self._symbols[index][0]], low, high)
        return expression

    def _summed_ranges(self, values: Mapping[str, Any]) -> dict[str, Array]:
        """足す添字 → 印刷された \\sum の範囲(``1..N`` など)の整数の並び。"""
        ranges = {}
        for index, *ends in _limits(self.rhs):
            numbers = {s: values[self._symbols[s][0]].item() for end in ends for s in end.free_symbols}
            low, high = (float(end.subs(numbers)) for end in ends)
            if not (low.is_integer() and high.is_integer()):
                raise ValueError(f"{self.label} の \\sum の範囲が整数になりません({low} から {high})")
            ranges[self._symbols[index][0]] = np.arange(int(low), int(high) + 1)
        return ranges

    def _value(
        self, symbol: sympy.Symbol, values: Mapping[str, Any], axes: dict[str, int], ranges: dict[str, Array]
    ) -> Array:
        name, indices = self._symbols[symbol]
        if name in self._indices and not indices:  # 添字そのものを数として使う(ρ^k など)
            return _spread(ranges[name], (name,), axes)
        if not indices:
            return values[name]
        array = values[name]
        if array.ndim < len(indices):
            raise ValueError(
                f"{self.label} の {name} は添字 {indices} の軸を持つ配列でなければなりません"
                f"(渡された形: {array.shape})"
            )
        for axis, index in enumerate(indices):
            if index in ranges and array.shape[axis] != len(ranges[index]):
                raise ValueError(
                    f"{self.label} の {name} は添字 {index} について長さ {len(ranges[index])} でなければ"
                    f"なりません(渡された形: {array.shape})"
                )
        return _spread(array, indices, axes)


Equations = Mapping[str, Equation]  # ラベル → 式

_EXTREMES = {"max": sympy.Max, "min": sympy.Min}  # SymPy が知らない関数として読むもの


class _AxisSum(sympy.Function):
    """添字の軸に沿った和(SymPy の Sum を NumPy の和に置き換えるための印)。"""


def _functions(expression: sympy.Basic) -> set[sympy.Symbol]:
    """式の中で関数として使われている記号(``\\nabla E`` など)。"""
    return {sympy.Symbol(call.func.__name__) for call in expression.atoms(AppliedUndef)} - {
        sympy.Symbol("_AxisSum")
    }


def _limits(expression: sympy.Basic) -> list[sympy.Tuple]:
    """式の中のすべての \\sum の (添字, 下端, 上端)。"""
    return [limit for total in expression.atoms(sympy.Sum) for limit in total.limits]


def _axis_sum(array: Array, axis: int, low: int, high: int) -> Array:
    """``axis`` の軸に沿って足す。添字によらない項は、足す回数だけ掛ける。"""
    count = high - low + 1
    if np.ndim(array) <= axis or (array.shape[axis] == 1 and count != 1):
        return array * count
    return np.sum(array, axis=axis, keepdims=True)


_OURS = {
    "_AxisSum": _axis_sum,
    "_max": lambda *values: reduce(np.maximum, values),
    "_min": lambda *values: reduce(np.minimum, values),
}


def _spread(array: Array, indices: tuple[str, ...], axes: dict[str, int]) -> Array:
    """``indices`` の軸を持つ配列を、全部の添字の軸の上に置く(ない軸の長さは 1)。"""
    array = np.moveaxis(array, range(len(indices)), np.argsort(np.argsort([axes[i] for i in indices])))
    lengths = iter(array.shape)
    shape = [next(lengths) if name in indices else 1 for name in sorted(axes, key=axes.__getitem__)]
    return array.reshape(*shape, *lengths)


def book_folder() -> Path:
    """この本のページのあるフォルダー。"""
    return next((folder for folder in _PAGES if folder.is_dir()), _PAGES[0])


def read(folder: str | Path | None = None, labels: Iterable[str] | None = None) -> dict[str, Equation]:
    """本のページから、ラベルのついた式をすべて読み、``{ラベル: Equation}`` で返す。

    ``folder``: Markdown のページのあるフォルダー(省くとこの本。パッケージにはページも入っている)。
    ``labels``: 読むラベルの並び(省くと全部)。数式として読むのには時間がかかるので、使う式だけを読むときに渡す。
    ラベルのない式、ラベルの重複、読めない式、``labels`` にあって本にないラベルは ``EquationError``。

    >>> sgd = read()["eq-sgd-w"]
    >>> sgd.latex, sgd.symbols
    ('w_{t+1} = w_t - \\\\eta g_t', ['eta', 'g_t', 'w_t'])
    >>> sgd.evaluate(w_t=1.0, eta=0.1, g_t=2.0).item()
    0.8
    """
    equations: dict[str, Equation] = {}
    folder = Path(folder) if folder is not None else book_folder()
    if not folder.is_dir():
        raise EquationError(f"ページのフォルダー {folder} がありません")
    for path in sorted(folder.glob("*.md")):
        for equation in _equations_of(path, labels):
            if equation.label in equations:
                other = equations[equation.label]
                raise EquationError(
                    f"{equation.page}:{equation.line}: ラベル {equation.label} が"
                    f" {other.page}:{other.line} と重複しています"
                )
            equations[equation.label] = equation
    if labels is not None and (unknown := sorted(set(labels) - equations.keys())):
        raise EquationError(f"ラベル {', '.join(unknown)} の式は {folder} にありません")
    return equations


def _equations_of(path: Path, labels: Iterable[str] | None = None) -> Iterator[Equation]:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(lines, start=1):
        if re.match(r"\s*\$\$|\s*:{3,}\s*\{math\}|\s*\\begin\{(equation|align|gather|multline)", text):
            raise EquationError(f"{path.name}:{number}: 式は ```{{math}} の囲みに書きます: {text.strip()}")
    for line, content in _math_blocks("\n".join(lines)):
        where = f"{path.name}:{line}"
        label, parts = None, []
        for text in content.splitlines():
            if match := re.fullmatch(r":label:\s*(\S+)", text.strip()):
                label = match[1]
            else:
                parts.append(text)
        if label is None:
            raise EquationError(f"{where}: 式に :label: がありません")
        if labels is not None and label not in labels:
            continue
        after = line - 1 + len(content.splitlines()) + 2  # 囲みを閉じた次の行
        kind, _, declaration = (lines[after] if after < len(lines) else "").partition(":")
        if kind not in ("% domain", "% checked-by"):
            raise EquationError(f"{where}: {label} のすぐ下に '% domain:' か '% checked-by:' がありません")
        latex = " ".join(parts).strip()
        if not declaration.strip():
            raise EquationError(f"{where}: {label} の '{kind}:' が空です")
        following = lines[after + 1] if after + 1 < len(lines) else ""
        row = following.removeprefix("% row:").strip() if following.startswith("% row:") else None
        if kind == "% checked-by":
            yield Equation(label, path.name, line, latex, {}, checked_by=declaration.strip(), row=row)
        else:
            yield replace(parse(latex, declaration, label=label, page=path.name, line=line), row=row)


def _math_blocks(text: str, offset: int = 0) -> Iterator[tuple[int, str]]:
    """``{math}`` の囲みを (行番号, 中身) で返す。ほかの指示の中にあるものも探す。"""
    for token in MarkdownIt("commonmark").parse(text):
        line = offset + (token.map or [0])[0] + 1
        if token.type == "fence" and token.info.strip().startswith("{math}"):
            yield line, token.content
        elif token.type == "fence" and token.info.strip().startswith("{"):
            yield from _math_blocks(token.content, line)


def parse(
    latex: str, domain: str | Domains, *, label: str = "eq", page: str = _TEXT, line: int = 0
) -> Equation:
    r"""LaTeX の式を ``Equation`` にする。``domain`` は記号の宣言(``;`` で区切る。ほかの式の ``domain`` でもよい)。

    >>> parse(r"y = \frac{x}{1 + x^2}", "x in R").evaluate(x=np.array([0.0, 1.0]))
    array([0. , 0.5])
    >>> parse(r"y = \foo x", "x in R", page="page.md", line=3)
    Traceback (most recent call last):
    fumoto.equations.EquationError: page.md:3: '\\foo x' から先を読めません
    """
    where = f"{page}:{line}"
    if isinstance(domain, str):
        domains = _domains(domain, where)
    elif isinstance(domain, dict) and all(isinstance(value, Domain) for value in domain.values()):
        domains = dict(domain)
    else:
        raise EquationError(
            f"{where}: domain は宣言の文字列か、ほかの式の domain です(渡されたもの: {domain!r:.80})"
        )
    placeholders, pieces, text = _with_placeholders(latex, domains, where)
    try:
        relation = parse_latex(text, strict=True)
    except LaTeXParsingError as error:
        raise EquationError(f"{where}: 式を読めません: {latex}\n{error}") from None
    for name, function in _EXTREMES.items():
        relation = relation.replace(sympy.Function(name), function)
    squared = isinstance(relation, sympy.Eq) and relation.lhs in {symbol**2 for symbol in placeholders}
    if squared:  # 左辺が σ² のような式
        relation = sympy.Eq(relation.lhs.base, relation.rhs, evaluate=False)
    if not isinstance(relation, sympy.Eq) or relation.lhs not in placeholders:
        raise EquationError(f"{where}: 「記号 = 式」の形ではありません: {latex}")
    found = relation.atoms(sympy.Symbol) | _functions(relation)
    if lost := placeholders.keys() - found:
        names = sorted(placeholders[symbol][0] for symbol in lost)
        raise EquationError(f"{where}: 式の一部 {names} が読み落とされました: {latex}")
    if unknown := found - placeholders.keys():
        raise EquationError(f"{where}: 知らない記号 {sorted(map(str, unknown))}: {latex}")
    lhs, rhs = relation.lhs, relation.rhs
    _check_indices(lhs, rhs, placeholders, domains, where)
    return Equation(label, page, line, latex, domains, None, lhs, rhs, squared, None, placeholders, pieces)


def _check_indices(
    lhs: sympy.Symbol, rhs: sympy.Basic, placeholders: Symbols, domains: Domains, where: str
) -> None:
    """足す添字が宣言されていて、範囲が 1 通りで、和の外に出ていないことを確かめる。"""
    summed: dict[str, list[sympy.Expr]] = {}
    for index, *ends in _limits(rhs):
        name = placeholders[index][0]
        if name not in domains or not domains[name].is_index:
            raise EquationError(f"{where}: 足す添字 {name} は '{name} in 1..N' の形で宣言します")
        if any(
            placeholders[s][0] in domains and domains[placeholders[s][0]].is_index
            for end in ends
            for s in end.free_symbols
        ):
            raise EquationError(f"{where}: \\sum の範囲がほかの添字によっています")
        if summed.setdefault(name, ends) != ends:
            raise EquationError(f"{where}: 添字 {name} の \\sum の範囲が 2 通りあります")
    outside = rhs.replace(lambda e: isinstance(e, sympy.Sum), lambda e: sympy.Dummy())
    for symbol in outside.free_symbols & placeholders.keys():
        name, indices = placeholders[symbol]
        if name in domains and domains[name].is_index:
            indices = (*indices, name)
        if free := set(indices) - set(placeholders[lhs][1]):
            raise EquationError(f"{where}: 添字 {sorted(free)} が \\sum の外にあります")
    if both := summed.keys() & set(placeholders[lhs][1]):
        raise EquationError(f"{where}: 添字 {sorted(both)} が左辺と \\sum の両方にあります")


_FUNCTIONS = {r"\exp", r"\log", r"\sin", r"\cos", r"\tanh", r"\max", r"\min"}
_EXTREME_COMMANDS = {r"\max", r"\min"}
_ENDS = {"+", "-", ")", "}", "]", "=", ""}


def _refuse_ambiguity(tokens: list[tuple[str, str]], where: str, latex: str) -> None:
    """人と構文解析器で読み方が分かれる書き方を断る。``tokens``: (種類, 文字列) の並び。"""
    padded = [*tokens, ("other", ""), ("other", "")]
    for (kind, text), (next_kind, following), (_, after) in zip(padded, padded[1:], padded[2:], strict=False):
        reason = None
        if kind == next_kind == "number":
            reason = f"数 {text} と {following} の間に \\cdot が要ります"
        elif text == "^" and next_kind == "number" and len(following) > 1:
            reason = f"2 桁以上の指数 {following} は {{ }} で囲みます"
        elif text == "/" and (next_kind not in ("number", "symbol") or after not in _ENDS):
            reason = "/ の右は記号か数 1 つだけにします(それ以外は \\frac で書きます)"
        elif (text in _FUNCTIONS and following != "(" and (next_kind != "symbol" or after not in _ENDS)) or (
            (kind == "function" or text in _EXTREME_COMMANDS) and following != "("
        ):
            reason = f"{text} の引数は ( ) で囲みます"
        if reason:
            raise EquationError(f"{where}: {reason}: {latex}")
    extreme, brackets = False, []  # 開いている括弧ごとに、\max か \min の引数の括弧か
    for _, text in tokens:
        if text == "(":
            brackets.append(extreme)
        elif text == ")" and brackets:
            brackets.pop()
        elif text == "," and not (brackets and brackets[-1]):
            raise EquationError(f"{where}: , は \\max と \\min の引数の間にだけ書けます: {latex}")
        extreme = text in _EXTREME_COMMANDS
    if re.search(r"\^\s*(\{[^{}]*\}|\w|\\[A-Za-z]+)\s*\^", latex):
        raise EquationError(f"{where}: 指数が 2 つ続いています: {latex}")


def _with_placeholders(
    latex: str, domains: Domains, where: str
) -> tuple[Symbols, dict[sympy.Symbol, str], str]:
    """記号を ``X_{1}, X_{2}, …`` に置き換え、(記号 → (名前, 添字), 記号 → 元の LaTeX, 全体) を返す。

    SymPy の構文解析器は知らない命令(``\\hat`` など)を黙って別の意味に読むので、
    読めるものだけを通し、記号はすべて確実に読める形に替えてから渡す。
    """
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    printed: dict[sympy.Symbol, str] = {}
    pieces: list[str] = []
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(latex):
        match = _TOKEN.match(latex, position)
        if match is None:
            raise EquationError(f"{where}: {latex[position:]!r} から先を読めません")
        position = match.end()
        if match["space"]:
            continue
        piece = match.group()
        tokens.append(("function" if match["function"] else str(match.lastgroup), piece))
        if match["symbol"]:
            try:
                key = _name_and_indices(match, domains)
            except EquationError as error:
                raise EquationError(f"{where}: {error}") from None
            if pieces and key[0] not in domains:
                raise EquationError(f"{where}: 記号 {piece} が domain で宣言されていません")
            if len(set(key[1])) < len(key[1]):
                raise EquationError(f"{where}: 同じ添字が 2 度ついています: {piece}")
            is_function = match["function"] is not None
            number = numbers.setdefault(key, len(numbers) + 1)
            printed[sympy.Symbol(f"X_{{{number}}}")] = piece
            piece = f"X_{{{number}}}"
            if pieces and pieces[-1] == "^":
                piece = f"{{{piece}}}"
        elif piece == "(" and pieces and pieces[-1].startswith("X_") and not is_function:
            piece = r"\cdot ("  # y (1 - y) が関数の呼び出しと読まれないように
        pieces.append(piece)
    _refuse_ambiguity(tokens, where, latex)
    symbols = {sympy.Symbol(f"X_{{{n}}}"): key for key, n in numbers.items()}
    return symbols, printed, " ".join(pieces)


def _name_and_indices(
    match: Mapping[str, Any] | re.Match[str], domains: Mapping[str, Domain]
) -> tuple[str, tuple[str, ...]]:
    """記号の名前と、添字の並び。``w_{t+1}`` → (``w_next``, ())、``x_i`` → (``x``, (``i``,))。"""
    if match["function"]:
        return f"grad_{match['function']}", ()
    if match["expected"]:
        return _mean_name(match["expected"]), ()
    name = (match["accented"] or match["plain"]).lstrip("\\")
    if match["accent"]:
        name += "_" + match["accent"]
    subscript = (match["long"] or match["short"] or "").replace(" ", "")
    if not subscript:
        return name, ()
    if all(letter in domains and domains[letter].is_index for letter in subscript):
        return name, tuple(subscript)
    suffix = subscript.replace("t+1", "next").replace("+", "_plus_").replace("-", "_minus_")
    return f"{name}_{suffix}".replace("\\", ""), ()


def _mean_name(inside: str) -> str:
    """``\\mathbb{E}[…]`` の中身 → 名前。``m_t`` → ``mean_m_t``、``g^2`` → ``mean_g_squared``。"""
    match = re.fullmatch(rf"\s*{_SUBSCRIPTED}(?P<square>\^2|\^\{{2\}})?\s*", inside)
    if match is None:
        raise EquationError(f"期待値の中は記号か記号の 2 乗だけです: {inside}")
    name, _ = _name_and_indices({"function": None, "expected": None, **match.groupdict()}, {})
    return f"mean_{name}" + ("_squared" if match["square"] else "")


def _domains(declarations: str, where: str) -> Domains:
    """``\\alpha in [0, 1); i in 1..N`` のような宣言 → {記号の名前: Domain}。"""
    matches = []
    for text in declarations.split(";"):
        match = re.fullmatch(rf"\s*(?:{_SYMBOL})\s+in\s+(?P<range>.+?)\s*", text)
        if match is None:
            raise EquationError(f"{where}: 宣言を読めません: {text.strip()!r}")
        matches.append((match, _range(match["range"], where)))
    indices = {match["plain"]: domain for match, domain in matches if domain.is_index}
    domains = {}
    for match, domain in matches:
        name = _name_and_indices(match, indices)[0]
        if name in domains:
            raise EquationError(f"{where}: {name} が 2 度宣言されています")
        domains[name] = domain
    return domains


def _range(text: str, where: str) -> Domain:
    if text in ("R", "function"):
        return Domain(text)
    low: Any
    high: Any
    if integers := re.fullmatch(r"([0-9]+)\.\.([0-9]+|[A-Za-z](?:[+-][0-9]+)?)", text):
        low, high = (int(end) if end.isdigit() else end for end in integers.groups())
        if isinstance(high, str) or low <= high:
            return Domain(text, low, high, integer=True)
    number = r"(-?[0-9]+(?:\.[0-9]+)?)"
    if interval := re.fullmatch(rf"([\[(])\s*{number}\s*,\s*{number}\s*[\])]", text):
        low, high = float(interval[2]), float(interval[3])
        if low < high:
            return Domain(text, low, high, open_low=interval[1] == "(")
    raise EquationError(f"{where}: 範囲を読めません: {text!r}")
