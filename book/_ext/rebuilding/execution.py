"""セルの実行とその記憶: 結果を決めるもの(``page_inputs``)が変わったページだけを、読む前にまとめて実行する。

実行するのは MyST-NB、結果を覚えるのは jupyter-cache である。ページごとに別の場所に覚えるので、並べて読んでも取り合いにならない。
セルが何を読み込んだかは、ページの最後に足したセルが、実行のたびに書き残す。
"""

import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docutils.frontend import get_default_settings
from docutils.utils import new_document
from joblib import cpu_count
from myst_nb.core.execute import create_client
from myst_nb.core.loggers import DocutilsDocLogger
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from sphinx.errors import ExtensionError
from sphinx.util.logging import getLogger

from rebuilding import page_inputs

_LOGGER = getLogger(__name__)

# カーネルはすぐに止める。joblib の片づけ役は終了の合図を聞かないので、頼んで待つと、並べて学習したページごとに 2.5 秒かかる
NotebookClient.shutdown_kernel.default_value = "immediate"

_TRAILER = """

```{{code-cell}} ipython3
:tags: [remove-cell]
import json, sys
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in {packages})))
```
"""


def _memory(app, docname):
    return Path(app.outdir).parent / "cache" / docname


def _source(app, docname):
    return app.env.doc2path(docname).read_text(encoding="utf-8")


def _with_trailer(text):
    return text + _TRAILER.format(packages=page_inputs.local_packages())


def must_run(app, docname):
    """セルがあり、その結果を覚えていないか、覚えているものが古い。"""
    text = _source(app, docname)
    if not page_inputs.cells(text):
        return False
    try:
        saved = json.loads((_memory(app, docname) / "inputs.json").read_text(encoding="utf-8"))
        modules, whole = saved["modules"], saved["whole"]
    except (FileNotFoundError, ValueError, KeyError):
        return True
    if whole == page_inputs.fingerprint(text, modules, whole=True):
        return False  # ファイルが 1 つも変わっていない
    return saved["fingerprint"] != page_inputs.fingerprint(text, modules)


def outdated(app, env, added, changed, removed):
    """文章が同じでも、セルの結果が変わりうるページを読み直させる。"""
    return [docname for docname in sorted(env.found_docs - added - changed) if must_run(app, docname)]


def execute(app, env, docnames):
    """これから読むページのうち、古くなったものを実行する。``app.parallel`` ページずつ、長くかかるものから並べる。

    ``execute_last`` のページは、ほかのページの学習の結果を使うので、終わるのを待ってから実行する。
    """
    stale = [docname for docname in docnames if must_run(app, docname)]
    seconds = _measured_seconds()
    stale.sort(key=lambda docname: -seconds.get(docname, 0))
    last = [docname for docname in stale if docname in app.config.execute_last]
    chosen, cores = os.environ.get("LOKY_MAX_CPU_COUNT"), cpu_count()  # cpu_count は、下で書く値も見る
    for group in ([docname for docname in stale if docname not in last], last):
        # 同時に走るページで CPU を分けあう。ページの中の実験が並べるプロセスの数になる
        pages = min(app.parallel, max(len(group), 1))
        os.environ["LOKY_MAX_CPU_COUNT"] = chosen or str(max(1, cores // pages))
        with ThreadPoolExecutor(pages) as pool:
            for _ in pool.map(lambda docname: _execute(app, docname), group):
                pass


def _measured_seconds():
    """前に ``make bench`` が測った、ページごとの実行の時間。順番を決めるだけで、なくてもよい。"""
    [measured] = page_inputs.READS["fumoto.experiments.speed"](page_inputs.ROOT)
    try:
        return json.loads(measured.read_text(encoding="utf-8"))["build"]["pages"]
    except (FileNotFoundError, KeyError, ValueError):
        return {}


def _execute(app, docname):
    memory, path, text = _memory(app, docname), app.env.doc2path(docname), _source(app, docname)
    before = page_inputs.fingerprint(text, page_inputs.local_modules(), whole=True)
    shutil.rmtree(memory, ignore_errors=True)
    config = app.env.mystnb_config.copy(execution_cache_path=str(memory))
    source = _with_trailer(text)
    reader = create_nb_reader(str(path), app.env.myst_config, config, source)
    if reader is None:
        return  # ノートブックと名乗っていないページ。読むときに警告が出る
    quiet = get_default_settings()
    quiet.report_level = 5
    logger = DocutilsDocLogger(new_document(str(path), quiet))
    with create_client(reader.read(source), str(path), config, logger, reader.read_fmt) as client:
        run = client.exec_metadata
    _LOGGER.info(f"{docname}.md を実行しました({run['runtime'] or 0:.2f} 秒)")
    if not run["succeeded"]:
        traceback = re.sub(r"\x1b\[[\d;]*m", "", run["traceback"])  # 端末の色
        cell = traceback.rpartition("executing the following cell:\n")[2]  # 失敗したセルと、その中の呼び出し
        raise ExtensionError(f"{docname}.md のセルが失敗しました({run['error']}):\n{cell}")
    if before != page_inputs.fingerprint(text, page_inputs.local_modules(), whole=True):
        return  # 走っているあいだに何かが書き換わった。どちらの結果かわからないので、次も実行する
    modules = json.loads("".join(_executed_cells(memory)[-1]["outputs"][0]["text"]))
    saved = {
        "modules": modules,
        "fingerprint": page_inputs.fingerprint(text, modules),
        "whole": page_inputs.fingerprint(text, modules, whole=True),
    }
    (memory / "inputs.json").write_text(json.dumps(saved), encoding="utf-8")


def _executed_cells(memory):
    [executed] = memory.glob("executed/*/base.ipynb")
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def cells(app, docname):
    """ページのセルを、実行したとおりに、上から順に。足したセルは除く。"""
    return _executed_cells(_memory(app, docname))[:-1] if page_inputs.cells(_source(app, docname)) else []


def use_memory(app, docname, source):
    """ページを読むときに、実行した結果のありかを知らせる。"""
    if page_inputs.cells(source[0]):
        memory = str(_memory(app, docname))
        app.env.mystnb_config = app.env.mystnb_config.copy(execution_cache_path=memory)
        source[0] = _with_trailer(source[0])


def require_outputs(app, doctree):
    """ページを読んだあとに: 出るはずの出力が出ているかを確かめる。"""
    docname = app.env.docname
    if page_inputs.cells(_source(app, docname)):
        for number, cell in enumerate(_executed_cells(_memory(app, docname)), start=1):
            _require_output(docname, number, cell)


def _require_output(docname, number, cell):
    source = "".join(cell["source"])
    options = cell["metadata"].get("mystnb", {})
    tags = cell["metadata"].get("tags", [])
    kinds = {kind for output in cell["outputs"] for kind in output.get("data", {})}
    if {"figure", "image"} & options.keys():
        missing = "図" if not any(kind.startswith("image/") for kind in kinds) else None
    elif "remove-cell" in tags or "remove-output" in tags:
        missing = None
    else:
        missing = "出力" if page_inputs.shows_something(source) and not cell["outputs"] else None
    if missing:
        raise ExtensionError(
            f"{docname}.md の {number} 番目のセルに、あるはずの{missing}がありません:\n{source}"
        )


def setup(app):
    app.add_config_value("execute_last", [], "")
    app.connect("env-get-outdated", outdated)
    app.connect("env-before-read-docs", execute)
    app.connect("source-read", use_memory, priority=900)  # ほかの拡張が本文を変えたあとで
    app.connect("doctree-read", require_outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
