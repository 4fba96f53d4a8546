"""学習中か推論かの伝え方: 引数、属性、``train()`` と ``eval()``、``mode="train"``、別のメソッド。"""

from typing import Any

from fumoto.checking.calling.batchnorm.roles import FLAGS, Role, role_of
from fumoto.checking.calling.safety import call
from fumoto.checking.calling.shapes.making import look
from fumoto.checking.calling.shapes.roles import arguments_of

#: 文字列で伝えるときの、学習中と推論の言葉。もっともらしい順に。
WORDS = tuple(
    (t, i) for t in ("train", "training") for i in ("test", "eval", "inference", "infer", "testing", "valid")
)
_TRAIN = ("train", "set_train", "training_mode")
_EVAL = ("eval", "evaluate", "test", "inference", "set_eval", "set_test", "eval_mode")
_SET = ("set_training", "set_train", "set_mode", "train", "set_train_mode")


def said(role: Role, training: bool, words: tuple[str, str]) -> Any:
    """役割 ``role`` の引数か属性に入れるもの。

    >>> said(Role.MODE, True, ("train", "test")), said(Role.INFERENCE, True, ("train", "test"))
    ('train', False)
    """
    if role is Role.MODE:
        return words[0] if training else words[1]
    return training if role is Role.TRAINING else not training


def switch(made: Any, training: bool, words: tuple[str, str]) -> str:
    """層 ``made`` を、学習中か推論かに切り替える。どう切り替えたかの言葉。切り替えるところがなければ空。"""
    trains, evals = ([name for name in names if _takes(made, name, 0)] for names in (_TRAIN, _EVAL))
    if trains and evals:
        name = (trains if training else evals)[0]
        call(f"{name}()", lambda: getattr(made, name)())
        return f"{trains[0]}() と {evals[0]}() で切り替え、"
    for name in _SET:
        if _takes(made, name, 1):
            value = said(Role.MODE if name == "set_mode" else Role.TRAINING, training, words)
            call(f"{name}({value!r})", lambda name=name, value=value: getattr(made, name)(value))
            return f"{name}(…) で切り替え、"
    if flag := _flag(made):
        name, role = flag
        setattr(made, name, said(role, training, words))
        return f"{name} を変えて、"
    return ""


def in_words(made: Any) -> bool:
    """文字列で切り替える層か。"""
    flag = _flag(made)
    return any(_takes(made, name, 1) for name in _SET) or (flag is not None and flag[1] is Role.MODE)


def _flag(made: Any) -> tuple[str, Role] | None:
    """学習中か推論かを表す属性と、その役割。"""
    names = [name for name in dir(made) if not name.startswith("__")]
    for name in sorted(names, key=lambda name: role_of(name, FLAGS) is not Role.TRAINING):
        value = look(made, name)
        role = role_of(name, FLAGS, value) if isinstance(value, bool | str) else Role.OTHER
        if role is not Role.OTHER and isinstance(value, str) == (role is Role.MODE):
            return name, role
    return None


def _takes(made: Any, name: str, count: int) -> bool:
    """``made`` が、引数を ``count`` 個だけ渡せばよいメソッド ``name`` を持つか。"""
    method = look(made, name)
    if not callable(method):
        return False
    return sum(argument.required for argument in arguments_of(method).listed) == count
