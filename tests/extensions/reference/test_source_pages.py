"""The pages of the source code are those of the modules there are."""

from types import SimpleNamespace

from reference.source_pages import source_pages


def pages_of(folder):
    app = SimpleNamespace(
        outdir=folder,
        rewrite_everything=False,
        builder=SimpleNamespace(templates=SimpleNamespace(newest_template_mtime=lambda: 0)),
    )
    return {name: context["title"] for name, context, _ in source_pages(app)}


def test_a_removed_module_leaves_no_page_behind(tmp_path):
    there, gone = tmp_path / "_source" / "optimizers.html", tmp_path / "_source" / "old" / "removed.html"
    for page in (there, gone):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("a page")
    pages = pages_of(tmp_path)
    assert there.exists() and not gone.exists()
    assert "_source/optimizers" not in pages  # as it was
    assert pages["_source/checking/report"] == "checking/report.py"
