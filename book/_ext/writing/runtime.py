"""読者の Python を動かすもの(Brython とこの本のスクリプト)を、1 つのページ frame.html にまとめる。

1 つにするのは、file:// から開いたとき、ページから切り離された枠(sandbox)の中では、ほかのファイルを読めないから。

ライブラリを使わない理由: Brython の、使うモジュールだけを集める道具は、Python のプログラムのフォルダーを調べるもので、
この本の代わりのモジュール(typing など)を知らず、要らないものまで集める。
"""

import json
import re
from importlib import resources
from pathlib import Path

FRAME = Path(__file__).resolve().parent / "frame"
#: Worker に入れる順に。後のものは、前のものを使う
_NUMPY = ("arrays", "ufuncs", "indexing", "printing", "svd", "draws", "bridge")
_JUDGING = ("operations", "machine", "comparing", "searching", "measuring", "sight", "values", "together")
_JUDGES = ("initializing", "normalizing", "judging")
SCRIPTS = (
    *(f"numpy/{name}.js" for name in _NUMPY),
    *(f"judging/{name}.js" for name in (*_JUDGING, *_JUDGES)),
    *(f"python/{name}.js" for name in ("initializers", "layers", "worker")),
)
#: Brython の標準ライブラリーから入れるもの。ほかは standard/ の小さなもの(元のものは、読み込みに 1 秒以上かかる)
LIBRARY = ("operator",)
#: 組み込みの型や関数の説明の文。help() でだけ使う
_DOCS = re.compile(r"^var docs=\{.*?^for\(var key in docs\)[^\n]*\n", re.DOTALL | re.MULTILINE)
#: max と min、in と index、並べ替えの中の比べ方と、現れる回数。真偽を聞かないと、NumPy の代わりが返す False も、JavaScript では真になる
_COMPARED = {  # 書いてあるもの → (何か所か, 代わり)
    "$B.rich_comp(op,x_value,extr_value)": (2, "$B.$bool($B.rich_comp(op,x_value,extr_value))"),
    "$B.$is(x,y)||$B.rich_comp('__eq__',x,y)": (1, "$B.$is(x,y)||$B.$bool($B.rich_comp('__eq__',x,y))"),
    "if($B.rich_comp('__eq__',$.x,self[i]))": (1, "if($B.$bool($B.rich_comp('__eq__',$.x,self[i])))"),
    # 等しいかは聞かない。Python の並べ替えも、小さいかだけを聞く
    """return $B.rich_comp("__lt__",a,b)?-1:
$B.rich_comp('__eq__',a,b)? 0 :1""": (
        1,
        'return $B.$bool($B.rich_comp("__lt__",a,b))?-1:$B.$bool($B.rich_comp("__lt__",b,a))?1:0',
    ),
}


def page(folder=FRAME):
    """frame.html の中身。同じ材料からは、いつも同じ文字になる。"""
    scripts = [_read(folder / name) for name in SCRIPTS]
    texts = {"brython": _brython(), "modules": modules(folder), "scripts": scripts}
    whole = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).replace(
        "<", r"\u003c"
    )  # </script> を隠す
    parts = {"TEXTS": f"globalThis.texts={whole};", "FRAME": _read(folder / "frame.js")}
    return re.sub("TEXTS|FRAME", lambda mark: parts[mark[0]], _read(folder / "frame.html"))


def modules(folder=FRAME):
    """Brython に渡すモジュール: 名前 → [種類, 中身, 読み込むもの]。"""
    files = [*folder.glob("numpy/*.py"), *folder.glob("python/*.py"), *folder.glob("python/standard/*.py")]
    ours = {file.stem: [".py", _read(file), []] for file in sorted(files)}
    ours["numpy"].append(True)  # パッケージ。numpy.typing があるので
    ours["numpy.typing"] = [".py", "from ndextras import ArrayLike, NDArray", []]
    return dict(sorted((ours | needed(_library(), LIBRARY, ours)).items()))


def needed(library, wanted, known):
    """``library`` から、``wanted`` と、それが使うもの。``known`` にあるものは除く。

    >>> library = {"a": [".py", "", ["b", "c"]], "b": [".js", ""], "c": [".py", "", []], "d": [".js", ""]}
    >>> sorted(needed(library, ["a"], {"c"}))
    ['a', 'b']
    """
    found = {}
    left = list(wanted)
    while left:
        name = left.pop()
        if name in library and name not in found and name not in known:
            found[name] = library[name]
            left += library[name][2] if len(library[name]) > 2 else []
    return found


def _brython():
    text = _DOCS.sub("", _read(resources.files("brython") / "data" / "brython.js"))
    for code, (times, asked) in _COMPARED.items():
        assert text.count(code) == times, f"Brython の比べ方の書き方が変わりました: {code}"
        text = text.replace(code, asked)
    return text


def _library():
    text = _read(resources.files("brython") / "data" / "brython_stdlib.js")
    found, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    return {name: entry for name, entry in found.items() if not name.startswith("$")}


def _read(file):
    return file.read_text(encoding="utf-8")


def write_page(app, exception):
    """frame.html を、組んだ本に入れる。"""
    if exception is None and app.builder.name in ("html", "dirhtml"):
        folder = Path(app.outdir, "_static", "write")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "frame.html").write_text(page(), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_page, priority=950)  # 使わないファイルを除いた(finishing/trimming)後で
    return {"parallel_read_safe": True, "parallel_write_safe": True}
