"""組んだあとに、どのページも使わないものを ``_static`` から除く(テーマの、ほかの言語の訳や、この本にない部品の見た目など)。

残すファイルは、ページが ``src`` か ``href`` で読むもの、残る CSS が読むもの、残るスクリプトと枠(HTML)が名前を挙げるもの。
CSS の中は ``unused_styles`` が見る。MathJax は自分で見た目を書くので、見なくてよい。

ライブラリを使わない理由: 組んだ本から使わないファイルを除くものがない。
"""

import hashlib
import posixpath
import re
import shutil
from pathlib import Path

from finishing import unused_styles

_FROM_PAGE = re.compile(r'\b(?:src|href)="([^"?#]*_static/[^"?#]*)')
_FROM_CSS = re.compile(r"(?:url\(\s*[\"']?|@import\s*[\"'])([^\"')?#]+)")
_SOURCE_MAP = re.compile(r"\s*(?://[#@] sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")


def start_afresh(app):
    """前に除いたものを、もう一度もとから写させる。今度は使われるかもしれない。"""
    if app.builder.format == "html":
        shutil.rmtree(Path(app.outdir, "_static"), ignore_errors=True)


def trim(app, exception):
    if exception or app.builder.format != "html":
        return
    outdir, static = Path(app.outdir), Path(app.outdir, "_static")
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(outdir.rglob("*.html"))}
    files = {path.relative_to(static).as_posix() for path in static.rglob("*") if path.is_file()}
    kept = used_files(static, files, _used_by_pages(outdir, pages, app.config.html_baseurl))
    for name in files - kept:
        (static / name).unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    scripts = [path for path in static.rglob("*.js") if path.name != app.config.mathjax_path]
    words = unused_styles.words([*pages.values(), *(path.read_text(encoding="utf-8") for path in scripts)])
    memory = Path(app.doctreedir, "styles")
    memory.mkdir(exist_ok=True)
    remembered = {keep_used_rules(path, words, memory) for path in sorted(static.rglob("*.css"))}
    for old in set(memory.iterdir()) - remembered:
        old.unlink()


def keep_used_rules(path, words, memory):
    """CSS のファイルから、使わない規則を除く。CSS を読むのは遅いので、前と同じ結果になるなら ``memory`` から写す。"""
    css = path.read_text(encoding="utf-8")
    matter = sorted(words & unused_styles.words([css])) + sorted(w for w in words if w.endswith("-"))
    how = Path(unused_styles.__file__).read_text(encoding="utf-8")
    remembered = memory / hashlib.sha256("\0".join([how, css, *matter]).encode()).hexdigest()
    if not remembered.exists():
        remembered.write_text(unused_styles.used_rules(css, words), encoding="utf-8")
    shutil.copyfile(remembered, path)
    return remembered


def _used_by_pages(outdir, pages, base):
    """ページが読む ``_static`` の中のファイルの名前。"""
    used = set()
    for page, text in pages.items():
        folder = page.parent.relative_to(outdir).as_posix()
        used |= {posixpath.normpath(posixpath.join(folder, link)) for link in _FROM_PAGE.findall(text)}
        if base:  # 完全な URL で書くもの(共有の絵)
            used |= set(re.findall(re.escape(base.rstrip("/")) + r'/(_static/[^"]*)"', text))
    return {name.removeprefix("_static/") for name in used}


def used_files(static, files, used):
    """``used`` と、それらが読むもの。ついでに、除くファイル(ソースマップ)を指す行を消す。"""
    kept, waiting = set(), sorted(used & files)
    while waiting:
        name = waiting.pop()
        kept.add(name)
        if not name.endswith((".css", ".js", ".html")):
            continue
        text = (static / name).read_text(encoding="utf-8")
        if (shorter := _SOURCE_MAP.sub("\n", text)) != text:
            (static / name).write_text(shorter, encoding="utf-8")
        waiting += sorted(_used_by(name, shorter, files) - kept)
    return kept


def _used_by(name, text, files):
    if name.endswith(".css"):
        folder = posixpath.dirname(name)
        return files & {posixpath.normpath(posixpath.join(folder, link)) for link in _FROM_CSS.findall(text)}
    return {other for other in files if posixpath.basename(other) in text and not other.endswith(".map")}


def setup(app):
    app.connect("builder-inited", start_afresh, priority=1)
    app.connect("build-finished", trim, priority=900)  # ほかの拡張が書き終えてから
    return {"parallel_read_safe": True, "parallel_write_safe": True}
