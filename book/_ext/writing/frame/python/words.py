"""エラーを、初めての人にも分かる文にする。"""

FILE = "<string>"  # exec したコードの、エラーの中での名前
ELSEWHERE = "手元の Python では、python -m fumoto check で確かめられます。"
CANNOT = "page/cannot"  # 読者の間違いではなく、この欄の Python の限り


class Complaint(Exception):
    """文の決まっているエラー。"""

    def __init__(self, text, variant=None):
        super().__init__(text)
        self.variant = variant


def cannot(reason):
    return f"このページの Python では確かめられません({reason})。{ELSEWHERE}"


def sentence(error, code, names):
    """(文, 行, 見出し)。行は、読者のコードの中でいちばん深いところ。"""
    kind, message = type(error).__name__, str(error)
    line = _line(error)
    if isinstance(error, Complaint):
        return message, line, error.variant
    if isinstance(error, SyntaxError):
        return _syntax(error, code)
    if "Maximum call stack" in message or "too much recursion" in message:
        kind, message = "RecursionError", "maximum recursion depth exceeded"
    elif "Javascript" in kind + message:
        wide = line is None and _wide(code)
        return wide or (cannot("ここの Python が知らない書き方です"), line, CANNOT)
    elif "手元の本物の NumPy" in message:
        name = message.split("代わりには、")[-1].split(" が")[0].split(".")[-1]
        near = _nearest(name, dir(_numpy()))
        spelt = f"{near} のことではありませんか。そうでなければ、" if near else f"{name} のつづりが正しければ、"
        return spelt + cannot(message.rstrip("。")), line, CANNOT
    elif line is None and kind != "TypeError":  # 読者のコードの外で起きた
        return cannot(f"{kind}: {message}"), None, CANNOT
    if kind == "TypeError" and "unexpected keyword" in message and message.split("(")[0] not in names | _defined(code):
        return cannot(message), line, CANNOT
    text = _EXPLAINED.get(kind, _other)(message, error, code, names, line)
    if kind in ("ImportError", "ModuleNotFoundError"):
        return text, line, CANNOT
    return _with_python(text, kind, message), line or _definition(message, code), f"error/{kind}"


def _with_python(text, kind, message):
    return f"{text}(Python の言葉では {kind}{': ' if message else ''}{message})"


def _definition(message, code):
    """引数の数が合わないときは、その def の行。"""
    head = f"def {message.split('(')[0]}("
    return next((number for number, each in enumerate(code.split("\n"), start=1) if head in each), None)


def _defined(code):
    """コードの中で def された名前。ほかの関数が知らない引数は、この欄の NumPy の代わりの限りかもしれない。"""
    return {line.strip()[4:].split("(")[0]: None for line in code.split("\n") if line.strip().startswith("def ")}


def _numpy():
    import numpy

    return numpy


def _line(error):
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


# ---- 文法 ----
_GRAMMAR = [  # (Python の言葉の一部, この本の言葉)
    ("was never closed", "かっこが閉じていません。対になるかっこを書いてください"),
    ("does not match opening", "かっこの種類が合っていません。開いたかっこと同じ種類で閉じてください"),
    ("unmatched", "開いていないかっこを閉じています"),
    ("expected ':'", "行の終わりのコロン : がありません"),
    ("unexpected indent", "字下げが多すぎます。前の行と左をそろえてください"),
    (
        "expected an indented block",
        "字下げがありません。コロン : の次の行は、半角の空白 4 つぶん右へ下げてください",
    ),
    ("unindent does not match", "字下げがそろっていません。左の空白の数を、上の行のどれかとそろえてください"),
    ("inconsistent use of tabs", "字下げにタブと空白が混ざっています。空白だけにしてください"),
    ("outside function", "return や await は、def の中にだけ書けます。字下げを確かめてください"),
    ("outside loop", "break や continue は、for や while の中にだけ書けます"),
    ("Maybe you meant '=='", "= は代入です。等しいかどうかを調べるのは == です"),
    ("cannot assign to", "= の左には、変数や self.v のような名前を書きます"),
    ("positional argument follows keyword", "名前をつけた引数の後に、名前のない引数は書けません"),
    ("unterminated string", "文字列が閉じていません。引用符を書いてください"),
    ("invalid character", "半角でない文字が混ざっています。半角で書いてください"),
    ("non-printable character", "全角の空白などが混ざっています。半角の空白にしてください"),
]
_OPENING = ("if ", "for ", "while ", "def ", "class ", "else", "elif ", "with ", "try", "except")


def _syntax(error, code):
    message, line = error.msg or str(error), error.lineno
    lines = code.split("\n")
    if "unexpected indent" in message and _indented(lines, line - 1) and not _indented(lines, line):
        line -= 1
    text = next((ours for theirs, ours in _GRAMMAR if theirs in message), None)
    if "indent" in message and 1 <= line <= len(lines) and "　" in _margin(lines[line - 1]):
        text = "字下げが全角の空白です。半角の空白にしてください"
    if text is None:
        text = (
            _guess(lines, line)
            or "Python の文として読めません。書き間違いか、足りない記号がないか見てください"
        )
    return _with_python(text, type(error).__name__, message), line, "syntax"


def _indented(lines, number):
    return 1 <= number <= len(lines) and lines[number - 1][:1] in (" ", "\t")


def _margin(line):
    """行のはじめの空白。全角のものも。"""
    return line[: len(line) - len(line.lstrip(" \t　"))]


def _guess(lines, number):
    """invalid syntax とだけ言われたときに、その行から考えられること。"""
    if not 1 <= number <= len(lines):
        return None
    line = lines[number - 1].split("#")[0].strip()
    if (wide := _wide_letter(line)) is not None:
        return f"半角でない文字「{wide}」が混ざっています。半角で書いてください"
    if line.startswith(_OPENING) and not line.endswith(":"):
        return "行の終わりのコロン : がありません"
    if line.count('"') % 2 or line.count("'") % 2:
        return "文字列が閉じていません。引用符を書いてください"
    if line.startswith("print "):
        return "print の後には、かっこが要ります。print(…) と書いてください"
    if line.startswith("lambda"):
        return "lambda は Python が使う言葉なので、名前にできません。lambda_ などにしてください"
    depth = [len(each) - len(each.lstrip()) for each in lines[:number] if each.strip()]
    if len(depth) > 1 and depth[-1] < depth[-2] and depth[-1] not in depth[:-1]:
        return "字下げがそろっていません。左の空白の数を、上の行のどれかとそろえてください"
    return None


def _wide_letter(line):
    return next((c for c in line if "！" <= c <= "～" or c == "　"), None)


def _wide(code):
    for number, line in enumerate(code.split("\n"), start=1):
        if (letter := _wide_letter(line.split("#")[0])) is not None:
            return f"半角でない文字「{letter}」が混ざっています。半角で書いてください。", number, "syntax"
    return None


# ---- 動かしている途中 ----
_UPDATE = "def update("  # 最適化手法のコードにだけある
_LIKE_UPDATE = "def update(self, params, grads): のように、self も書いていますか"
_LIKE_WEIGHTS = "重みと同じ形の配列どうしで計算していますか"


def _first(code):
    return "はじめの update で" if _UPDATE in code else "使う前に"


def _quoted(message):
    """メッセージの中の、引用符の間の言葉。"""
    return message.split("'")[1::2]


def _words(code):
    """コードに出てくる名前。"""
    return {
        word
        for word in "".join(c if c == "_" or c.isalnum() else " " for c in code).split()
        if word.isidentifier()
    }


def _own(code):
    """self. の後に書かれた名前。"""
    return {
        next(iter("".join(c if c == "_" or c.isalnum() else " " for c in rest).split()), "")
        for rest in code.split("self.")[1:]
    }


def _name_error(message, error, code, names, line):
    name = (_quoted(message) or [message])[0]
    if name in ("np", "numpy"):
        return "np がまだありません。はじめの行に import numpy as np と書いてください"
    text = f"{name} という名前がまだありません"
    if name == "self":
        return f"{text}。def のかっこの中の、はじめの引数に self を書いていますか"
    if name in _own(code):
        return f"{text}。self.{name} のことではありませんか"
    return _with_near(text, name, sorted({*names, *_words(code), *dir(__builtins__)}))


def _unbound(message, error, code, names, line):
    name = (_quoted(message) or ["この変数"])[0]
    return f"{name} に値を入れる前に使っています。{name} = … を先に書くか、self.{name} にしてください"


def _attribute(message, error, code, names, line):
    owner, name = (*_quoted(message), "", "")[:2]
    if owner in names and "object has no attribute" in message:
        known = {each for each in dir(names[owner]) if not each.startswith("__")} | _own(code)
        return _with_near(f"self.{name} がまだありません。__init__ で作っていますか", name, sorted(known))
    if owner == "NoneType":
        return f"None の .{name} を使っています。__init__ で None にしたものに、{_first(code)}値を入れていますか"
    return f"{owner} に {name} はありません" if name else "その名前の属性はありません"


def _key(message, error, code, names, line):
    key = error.args[0] if error.args else message
    source = code.split("\n")[line - 1] if line else ""
    owner = next((piece.split("[")[0] for piece in source.split("self.")[1:] if "[" in piece), None)
    if owner and owner.isidentifier():
        others = [name for name in ("params", "grads") if f"{name}[" in source]
        return f"{' か '.join([owner, *others])} にキー {key!r} がありません。{_first(code)}{owner} のどのキーにも 0 を用意していますか"
    return f"辞書にキー {key!r} がありません。params や grads のキーは、for key in params: で 1 つずつ取り出します"


def _type(message, error, code, names, line):
    if "NoneType" in message:
        return f"None のままの値を使っています。{_first(code)}値を用意していますか"
    if "positional argument" in message and "given" in message:
        return "渡された引数の数と、def のかっこの中の数が違います。メソッドのはじめの引数は self です"
    if "missing" in message and "argument" in message:
        return "引数が足りません。" + (_LIKE_UPDATE if _UPDATE in code else "def のかっこの中の数と、渡した数を見比べてください")
    if "unexpected keyword" in message:
        return "その名前の引数はありません。__init__ の引数の名前を見てください"
    if "not subscriptable" in message or "not support item" in message:
        return "[ ] で取り出せないものに [ ] を使っています。辞書や配列ですか"
    if "not callable" in message:
        return "関数でないものに ( ) を使っています。掛け算の * が抜けていませんか"
    if "bitwise_xor" in message or "for ^" in message:
        return "べき乗は ** と書きます(^ は、整数のビットごとの計算です)"
    if "'dict'" in message:
        return "辞書は、そのままでは計算できません。for key in params: で、1 つずつ取り出します"
    if "math." in code and ("must be real number" in message or "only" in message):
        return "math の関数は、配列には使えません。np.sqrt のような、NumPy の関数を使ってください"
    return "その種類の値では、この計算ができません"


def _value(message, error, code, names, line):
    if "broadcast" in message or "shape" in message or "matmul" in message:
        return "配列の形が合いません。" + (_LIKE_WEIGHTS if _UPDATE in code else "どの軸の和や平均かを確かめてください")
    if "truth value" in message or "ambiguous" in message:
        return "配列は if の条件にそのまま使えません。np.any や np.all、np.where を使ってください"
    return "値が正しくありません"


def _import(message, error, code, names, line):
    return f"この欄では numpy と標準ライブラリーの一部だけが使えます({message})。{ELSEWHERE}"


def _other(message, error, code, names, line):
    return "動かしている途中でエラーになりました"


_EXPLAINED = {
    "NameError": _name_error,
    "UnboundLocalError": _unbound,
    "AttributeError": _attribute,
    "KeyError": _key,
    "TypeError": _type,
    "UFuncTypeError": lambda *_: (
        "整数の配列には、小数を書き込めません。はじめから小数の配列(np.zeros_like(重み) など)にしてください"
    ),
    "ValueError": _value,
    "ImportError": _import,
    "ModuleNotFoundError": _import,
    "ZeroDivisionError": lambda *_: "0 で割っています",
    "RecursionError": lambda *_: "関数が自分を呼び続けて終わりません",
    "IndexError": lambda *_: "添字が、並びの長さを超えています",
    "NotImplementedError": lambda *_: "まだ書かれていないところ(raise NotImplementedError)に来ました",
    "AssertionError": lambda *_: "assert の条件が成り立っていません",
    "OverflowError": lambda *_: "数が大きくなりすぎました",
}


# ---- 似た名前 ----
def _with_near(text, name, known):
    near = _nearest(name, known)
    return f"{text}。{near} のことではありませんか" if near else text


def _nearest(name, known):
    return name and next((each for each in known if each != name and _near(name, each)), None)


def _near(first, second):
    """大文字と小文字か下線だけ、または 1 文字だけ(抜け、余り、違い、となりとの入れ替わり)違う。"""
    a, b = first.lower().replace("_", ""), second.lower().replace("_", "")
    if a == b:
        return True
    if min(len(a), len(b)) < 3 or abs(len(a) - len(b)) > 1:
        return False
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[same:], b[same:]
    swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
    return rest_a[1:] == rest_b or rest_a == rest_b[1:] or rest_a[1:] == rest_b[1:] or swapped
