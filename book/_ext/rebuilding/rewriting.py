"""何を書き直すか: 番号や題がほかのページから見て変わったら全部のページを、そうでなければ読み直したページだけを書く。

一部だけを組み直しても、はじめから組んだのと同じ本になるように、Sphinx がしないことを補う。
- ほかのページの図や式の番号が変わったら、それを参照しうるページを全部書き直す。
- 使われなくなった図と、なくなったページの HTML と、設定の控えを消す。

ライブラリを使わない理由: Sphinx は、ほかのページの番号が変わっても書き直さない。sphinxnotes-incrbuild は、ファイルの時刻を直すだけである。
"""

import hashlib
import re
from pathlib import Path

from myst_nb.sphinx_ext import add_global_html_resources
from sphinx.environment import CONFIG_OK
from sphinx_exercise import copy_asset_files

from reading.first_use import entries


def _seen_by_others(env):
    """ほかのページに現れるもの: 題、番号、ラベル、用語、リファレンスの項目、練習問題、文献。"""
    math, std = env.domains["math"], env.domains["std"]
    return [
        sorted((name, node.astext()) for name, node in env.titles.items()),
        *(
            sorted(map(repr, table.items()))
            for table in (
                env.toctree_includes,
                env.toc_secnumbers,
                env.toc_fignumbers,
                math.equations,
                std.labels,
                std.anonlabels,
                std.objects,
                env.domains["py"].objects,
            )
        ),
        sorted(
            (label, item["docname"]) for label, item in getattr(env, "sphinx_exercise_registry", {}).items()
        ),
        entries(env),
        sorted(
            (c.key, c.formatted_entry.label, str(c.formatted_entry.text))
            for c in env.domains["cite"].citations
        ),
    ]


def changed_for_everyone(app, env):
    """読み直したあと、ほかに書き直すページの名前。"""
    seen = hashlib.sha256(repr(_seen_by_others(env)).encode()).hexdigest()
    app.rewrite_everything = seen != getattr(env, "fumoto_seen", None) or env.config_status != CONFIG_OK
    env.fumoto_seen = seen
    return sorted(env.found_docs) if app.rewrite_everything else []


def copy_styles_first(app, builder):
    """ほかの拡張のスタイルを先に置く。あとから置かれると、初めて組むときだけ ``?v=`` のない HTML になる。"""
    if builder.format == "html":
        Path(app.outdir, "_static").mkdir(parents=True, exist_ok=True)
        add_global_html_resources(app, None)
        copy_asset_files(app, None)


def delete_removed(app, env, added, changed, removed):
    """なくなったページの HTML を消す。"""
    for docname in removed:
        Path(app.outdir, f"{docname}.html").unlink(missing_ok=True)
    return []


def delete_leftovers(app, error):
    """どのページからも使われていない図と、設定が変わったときに Sphinx が残す控えを消す。"""
    if error:
        return
    Path(app.outdir, ".buildinfo.bak").unlink(missing_ok=True)
    pages = "".join(page.read_text(encoding="utf-8") for page in Path(app.outdir).glob("*.html"))
    used = set(re.findall(r"_images/([\w.-]+)", pages))
    for image in Path(app.outdir, "_images").glob("*"):
        if image.name not in used:
            image.unlink()


def setup(app):
    app.rewrite_everything = True
    app.connect("env-get-outdated", delete_removed)
    app.connect("env-get-updated", changed_for_everyone, priority=900)  # 番号が決まったあとで
    app.connect("write-started", copy_styles_first)
    app.connect("build-finished", delete_leftovers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
