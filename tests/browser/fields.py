"""Pages with fields in which readers write code, for the tests. The frame that runs the code is one that only answers."""

import html
import json
from pathlib import Path

import pytest

from finishing import finished_pages
from writing import write

HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "book" / "_static"
SKELETON = "class My{0}:\n    def __init__(self, lr):\n        ...\n\n    def update(self, params, grads):\n        ...  # ここを書く\n"
SOLUTION = """>>> import numpy as np
>>> from fumoto.optimizers import SGD
>>> class My{0}{1}:
...     def update(self, params, grads):
...
...         params["w"] -= np.sqrt(grads["w"])
>>> SGD(lr=0.1)
"""
RIGHT = {
    "ok": True,
    "verdict": "一致: 式と同じ動きをします。",
    "notes": ["覚え書き。"],
    "tried": "4 通りを試しました。",
}
FOUND = {
    "kind": "符号が逆",
    "label": "eq-momentum-v",
    "number": "式 (2.1)",
    "address": "page.html#equation-eq-momentum-v",
    "printed": r"v \underline{-} g",
    "yours": r"v \underline{+} g",
}
WRONG = {"ok": False, "verdict": "既知の間違い: 符号が逆。", "findings": [FOUND], "step": 3}
ERROR = {"sentence": "4 行目: v という名前がありません。", "line": 4}


def field_html(name, method="SGD"):
    text = SKELETON.format(method)
    options = {"method": method, "values": "lr=0.1", "class": f"My{method}"}
    config = write.settings(options, text)
    config |= {"name": name, "page": "page", "root": "", "next": ["演習 3.2", "next.html#ex-next"]}
    return (
        f'<div class="exercise" id="ex-{name}"><p>書いてください。</p><div class="write" id="{name}">\n'
        f'<div class="highlight-python"><div class="highlight"><pre>{html.escape(write.still(config))}</pre></div></div>\n'
        f'<script type="application/json" class="write-config">{json.dumps(config)}</script>\n</div></div>\n'
        f'<div class="solution" id="solution-{name}"><p class="admonition-title"><a href="#ex-{name}">演習</a> の解答</p>'
        f'<div class="highlight-python"><div class="highlight"><pre>{html.escape(SOLUTION.format(method, "(SGD)" * (method == "AdaGrad")))}</pre></div></div></div>'
    )


class Field:
    """One field on an open page, as the tests speak of it."""

    def __init__(self, page, name):
        self.page, self.root = page, page.locator(f"#{name}")
        self.area, self.result = self.root.locator("textarea"), self.root.locator(".write-result")
        self.take = page.locator(f"#solution-{name}").get_by_role("button", name="この解答を欄に入れる")

    @property
    def text(self):
        return self.area.input_value()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def set(self, text):
        """Type over everything. ``|``: where the caret is left."""
        self.area.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text.replace("|", ""))
        if "|" in text:
            self.select(text.index("|"), text.index("|"))

    def select(self, start, end):
        self.area.evaluate("(area, [start, end]) => area.setSelectionRange(start, end)", [start, end])

    def shown(self):
        """The text with ``|`` at the caret, or around what is selected."""
        start, end = self.area.evaluate("(area) => [area.selectionStart, area.selectionEnd]")
        text = self.text
        return text[:start] + "|" + (text[start:end] + "|" if end > start else "") + text[end:]

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def ask(self, code="", **answer):
        """Let the frame answer so, and wait for the result."""
        self.set(f"# answer: {json.dumps(answer)}\n{code}" if answer else code)
        self.button("確かめる").click()
        self.result.locator("details").wait_for()

    def marks(self, kind):
        """(line, what is marked)."""
        return self.root.locator(f".write-mirror .{kind}").evaluate_all(
            "(nodes) => nodes.map((n) => [[...n.closest('.write-mirror').children].indexOf(n.closest('.write-line')) + 1, n.textContent])"
        )


@pytest.fixture
def fields(browser, tmp_path):
    """``fields("one", "two")`` opens a page with these fields. ``fields.requests``: the files that were asked for.
    ``fields.said``: what was reported on the console. After the test, there may be nothing of that.
    """
    contexts, said = [], []
    folder = tmp_path / "_static" / "write"
    (folder / "tables").mkdir(parents=True)
    frame = (HERE / "write_frame.html").read_text(encoding="utf-8")
    (folder / "frame.html").write_text(frame, encoding="utf-8")
    for method in ("SGD", "AdaGrad"):
        (folder / "tables" / f"{method}.js").write_text(f'fumotoWrite.tables["{method}"] = "table";\n')

    def open_page(*names, theme="light", before="", **options):
        names = names or ("one",)
        text = (HERE / "write.html").read_text(encoding="utf-8").replace("THEME", theme)
        methods = ["SGD", "AdaGrad"]
        shown = "\n".join(field_html(name, method) for name, method in zip(names, methods, strict=False))
        for mark, part in {
            "STYLE": (STATIC / "write" / "write.css").read_text(encoding="utf-8"),
            "FIELDS": shown,
            "EDITOR": (STATIC / "write" / "editor.js").read_text(encoding="utf-8"),
            "RESULT": (STATIC / "write" / "result.js").read_text(encoding="utf-8"),
            "FIELD": (STATIC / "write" / "write.js").read_text(encoding="utf-8"),
        }.items():
            text = text.replace(mark, part, 1)
        text = text.replace("POLICY", finished_pages.policy(text), 1)
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 800, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda r: open_page.requests.append(r.url.rpartition("/")[2]))
        if before:
            page.add_init_script(before)
        page.goto(file.as_uri())
        return Field(page, names[0]) if len(names) == 1 else [Field(page, name) for name in names]

    open_page.requests, open_page.said = [], said
    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert set(open_page.requests) <= {"page.html", "frame.html", "SGD.js", "AdaGrad.js"}
