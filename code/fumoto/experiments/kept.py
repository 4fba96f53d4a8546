"""時間のかかる結果を ``build/results`` に取っておく。組むときもテストのときも、先に計算した方の結果を使う。

取っておいたものを使うのは、結果を決めるもの全部の指紋(``fingerprint``)が同じときだけである。壊れたファイルや、
途中までしか書かれていないファイルは使わず、計算し直す。置き場所は、環境変数 ``FUMOTO_RESULTS`` で変えられる。
空にすると、読みも書きもしない。パッケージだけを入れたときも、取っておかない。

ライブラリを使わない理由: joblib.Memory が見るのは関数そのもののコードだけで、その関数が呼ぶコードが変わっても、古い結果を返す。
"""

import builtins
import hashlib
import inspect
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

from fumoto.experiments.fingerprint import decorated, fingerprint, surroundings

PROJECT = Path(__file__).resolve().parents[3]
DAYS = 30  # これだけの間使われなかった結果は捨てる
MISSING = object()  # 取っておいた結果がない
_PACKAGE = __name__.partition(".")[0]
_DIGEST = hashlib.sha256().digest_size

Codes = dict[tuple[int, tuple[str, ...]], tuple[Callable[..., Any], str]]  # id → (消えないように本体, 指紋)

_CODES: Codes = {}  # ワーカーのもの。読み込んだコードは、変わらない

P = ParamSpec("P")
T = TypeVar("T")


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """結果を取っておく関数の飾り。同じコードと同じ引数で次に呼ばれたら、計算せずに読む。

    結果は、引数とコードだけで決まり(乱数は引数の種から作る)、``pickle`` で書けること。
    手法や初期値は、名前でなく、クラスや関数そのものを引数にすると、それが変わったときだけ計算し直される。
    """

    @wraps(function)
    def wrapper(*arguments: P.args, **options: P.kwargs) -> T:
        [place] = places(wrapper, [arguments], options)
        value = place.load()
        if value is MISSING:
            value, imported = _watched(function, arguments, options)
            place.save(value, imported)
        return value

    wrapper.kept = function  # type: ignore[attr-defined]
    return wrapper


def compute(function: Callable[..., T], job: tuple[Any, ...]) -> tuple[T, list[str], str]:
    """``function(*job)`` の結果、その間に ``import`` されたモジュールの名前、それを計算したコードの指紋。

    ほかのプロセスは、ファイルが書き換えられたあとに、コードを読み込んだのかもしれない。指紋が違えば、結果を取っておかない。
    """
    value, imported = _watched(decorated(function) or function, job, {})
    [place] = places(function, [job], codes=_CODES)
    return value, imported, place.path.name if place.path else ""


def _watched(
    function: Callable[..., T], arguments: Iterable[Any], options: Mapping[str, Any]
) -> tuple[T, list[str]]:
    """BLAS のスレッド 1 本で計算した結果と、その間に ``import`` されたモジュールの名前。"""
    with threadpool_limits(1), _recorded_imports() as imported:
        value = function(*arguments, **options)
    return value, sorted(imported)


def places(
    function: Callable[..., Any],
    jobs: Iterable[tuple[Any, ...]],
    options: Mapping[str, Any] | None = None,
    codes: Codes | None = None,
) -> list["Place"]:
    """``function(*job, **options)`` の結果の置き場所。飾りのない関数の結果は、取っておかない。"""
    folder = _folder()
    codes = {} if codes is None else codes
    if folder is None or decorated(function) is None:
        return [Place(None, function, {}, codes) for _ in jobs]
    return [_place(folder, function, _named(function, job, options or {}), codes) for job in jobs]


def _named(function: Callable[..., Any], job: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """引数の名前 → 値。省いた引数も、書いたのと同じになる。"""
    bound = inspect.signature(function).bind(*job, **options)
    bound.apply_defaults()
    return bound.arguments


def _place(folder: Path, function: Callable[..., Any], arguments: dict[str, Any], codes: Codes) -> "Place":
    place = Place(None, function, arguments, codes)
    try:
        name = f"{place.fingerprint()}.pickle"
    except Exception:  # 中身の分からない引数
        return place
    return replace(place, path=folder / f"{function.__module__}.{function.__qualname__}" / name)


@dataclass(frozen=True)
class Place:
    """``function(**arguments)`` の結果の置き場所。``path`` が None なら、取っておかない。

    ファイルの名前は、関数の中の ``import`` の先を除いた指紋である。どこを ``import`` したかは、計算してみるまで
    わからないので、名前と一緒に書いておき、読むときに、そこまで含めた指紋を確かめる。
    ``codes``: 関数とクラスの指紋。仕事どうしで使い回す。
    """

    path: Path | None
    function: Callable[..., Any]
    arguments: dict[str, Any]
    codes: Codes = field(compare=False, repr=False)

    def fingerprint(self, imported: tuple[str, ...] = ()) -> str:
        """結果を決めるもの全部の指紋。``imported``: 関数の中で ``import`` したモジュール。"""
        values = [self._code(v, imported) if callable(v) else v for v in self.arguments.values()]
        return fingerprint(
            self._code(self.function, imported), list(self.arguments), values, imported=imported
        )

    def _code(self, value: Callable[..., Any], imported: tuple[str, ...]) -> str:
        key = id(value), imported
        if key not in self.codes:
            self.codes[key] = value, fingerprint(surroundings(), value, imported=imported)
        return self.codes[key][1]

    def __reduce__(self) -> tuple[Any, ...]:
        return Place, (self.path, self.function, self.arguments, {})  # ほかのプロセスでは、id が違う

    def load(self) -> Any:
        """取っておいた結果。ないか、壊れているか、古いか、読めなければ ``MISSING``。"""
        try:
            stored = self.path.read_bytes() if self.path else b""
            if not stored or hashlib.sha256(stored[_DIGEST:]).digest() != stored[:_DIGEST]:
                return MISSING
            imported, whole, value = pickle.loads(stored[_DIGEST:])
            for module in imported:
                __import__(module)  # 計算したときと同じように(本の組み直しは、読み込んだモジュールを見る)
            if self.fingerprint(imported) != whole:
                return MISSING
        except Exception:  # ないファイル、読めない場所、なくなったモジュールやクラス
            return MISSING
        with suppress(OSError):
            os.utime(self.path)  # type: ignore[arg-type]
        return value

    def save(self, value: Any, imported: Iterable[str]) -> None:
        """結果を、全部書けたときにだけ見えるように書く。書けない場所や、書けない結果なら、何もしない。"""
        if self.path is None:
            return
        modules = tuple(imported)
        with suppress(Exception):  # 取っておけなくても、結果は使える
            content = pickle.dumps((modules, self.fingerprint(modules), value), pickle.HIGHEST_PROTOCOL)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.path.parent, delete=False) as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.chmod(file.name, 0o644)
            os.replace(file.name, self.path)
            for old in self.path.parent.iterdir():
                if time.time() - old.stat().st_mtime > DAYS * 24 * 3600:
                    old.unlink()


def _folder() -> Path | None:
    chosen = os.environ.get("FUMOTO_RESULTS")
    if chosen is not None:
        return Path(chosen) if chosen else None
    return PROJECT / "build" / "results" if (PROJECT / "conf.py").is_file() else None


@contextmanager
def _recorded_imports() -> Iterator[set[str]]:
    """この間に走った、このパッケージの ``import`` の、モジュールの名前。"""
    names: set[str] = set()
    original = builtins.__import__

    def recording(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == _PACKAGE:
            names.add(name)
        return original(name, *arguments, **options)

    builtins.__import__ = recording
    try:
        yield names
    finally:
        builtins.__import__ = original
