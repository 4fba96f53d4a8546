"""読者の関数は、渡された形を (n_out, n_in) の順とみているか。書かれている文から読み取る。"""

import inspect
import re
import types
from collections.abc import Iterator
from typing import Any

_OUT = r"(n|fan|num|c|d|size)?_?(out|units|filters)\w*"
_IN = r"(n|fan|num|c|d|size)?_?in\w*"
_LATER = r"[\w.]+\s*\[\s*1\s*:?\s*\]|np\.prod\(\s*\w+\[1:\]\s*\)|math\.prod\(\s*\w+\[1:\]\s*\)"


def own_text(text: str | None, thing: Any) -> str:
    """``thing`` の書かれたファイルの全文 ``text`` のうち、``thing`` と、それの呼ぶ関数だけの文。分からなければ空。"""
    if text is None:
        return ""
    lines = text.splitlines(keepends=True)
    found = []
    for code in _codes(thing):
        try:
            found.append("".join(inspect.getblock(lines[code.co_firstlineno - 1 :])))
        except Exception:  # 実行したあとで、ファイルが書き換えられている
            return ""
    return "".join(found)


def out_first(text: str) -> bool:
    """形が (n_out, n_in) の順だと書いてあるか。説明に書いてあればそれに、なければ ``fan_in = shape[1]`` のような文に従う。

    >>> out_first("fan_out, fan_in = shape"), out_first("fan_in, fan_out = shape")
    (True, False)
    >>> out_first('def he(shape): # (n_in, n_out)\\n    fan_in = shape[1]')
    False
    """
    said = re.search(
        rf"[(\[]\s*(({_OUT})\s*,\s*({_IN})|({_IN})\s*,\s*({_OUT}))\s*[,)\]]", _remarks(text), re.I
    )
    if said:
        return re.match(rf"({_OUT})\s*,", said[1], re.I) is not None
    unpacked = re.search(rf"\b{_OUT}\s*,\s*{_IN}\s*(,[\w\s,*]+)?=[^=]", text, re.I)
    picked = re.search(rf"\b{_IN}\s*=\s*({_LATER})", text, re.I)
    return bool(unpacked or picked)


def channels_last(text: str) -> bool:
    """フィルターの形が (kh, kw, in, out) の順だと書いてあるか。

    >>> channels_last("fan_in = np.prod(shape[:-1])"), channels_last("fan_in = np.prod(shape[1:])")
    (True, False)
    """
    said = re.search(r"[(\[]\s*(k|f|h|kernel)\w*\s*,\s*(k|f|w|kernel)\w*\s*,", _remarks(text), re.I)
    unpacked = re.search(r"\b[kfh]\w*\s*,\s*[kfw]\w*\s*,[\w\s]+,[\w\s]+=[^=]", text, re.I)
    picked = re.search(r"\[\s*:\s*(-1|3)\s*\]|\[\s*-2\s*\]|\[\s*:\s*2\s*\]|HWIO", text)
    return bool(said or unpacked or picked)


def about_filters(text: str) -> bool:
    """畳み込みのフィルターの話か。"""
    return re.search(r"conv|kernel|filter|\bk[hw]\b|畳み込み", text, re.I) is not None


def _remarks(text: str) -> str:
    """注釈と、説明の文字列。"""
    return "\n".join(re.findall(r"#.*|\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}", text))


def _codes(thing: Any) -> Iterator[types.CodeType]:
    if isinstance(thing, types.FunctionType):
        yield thing.__code__
        used = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        yield from (
            each.__code__ for each in used if isinstance(each, types.FunctionType) and each.__module__ == thing.__module__
        )
    elif isinstance(thing, types.MethodType):
        yield from _codes(thing.__func__)
    elif not inspect.isroutine(thing):
        members = vars(thing if isinstance(thing, type) else type(thing)).values()
        yield from (each.__code__ for each in members if isinstance(each, types.FunctionType))
