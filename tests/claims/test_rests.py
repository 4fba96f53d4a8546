"""Every bullet of a まとめ, every caption and every correction's ``:right:`` rests on a claim, an equation or a citation."""

import re

import pytest
from markdown_it import MarkdownIt

from built import ROOT

PAGES = sorted((ROOT / "book").glob("*.md"))
# Pages whose sentences have no claims yet; the times of the speed page depend on the machine.
NOT_YET = {"index", "appendix-speed"}
RESTS = re.compile(r"\{eq\}`|\{cite")
CLAIM = "% claim:"


def resting(text):
    """(line, what, whether it rests on something) of every statement of a page that must."""
    yield from _bullets(text.splitlines())
    lines = text.splitlines()
    for fence in MarkdownIt("commonmark").parse(text):
        if fence.type == "fence":
            first, last = fence.map
            below = last < len(lines) and lines[last].startswith(CLAIM)
            for what, said in _said(fence.info, fence.content):
                yield first + 1, what, bool(RESTS.search(said)) or below or CLAIM in said


def _bullets(lines):
    inside, start = False, None
    for number, line in enumerate([*lines, "## "], start=1):
        if start is not None and (line.startswith(("- ", "#")) or not line.strip()):
            said = "\n".join(lines[start - 1 : number - 1])
            yield start, "まとめ", bool(RESTS.search(said)) or CLAIM in said
            start = None
        if line.startswith("## "):
            inside = line == "## まとめ"
        if inside and line.startswith("- "):
            start = number


def _said(info, content):
    if info.startswith("{code-cell}"):
        if caption := re.search(r"^ +caption:(.*\n(?:  +.*\n)*?)(?=  \w+:|---)", content, re.M):
            yield "図の説明", caption[1]
    elif info.startswith(("{playground}", "{histograms}")):
        yield "図の説明", content
    elif info.startswith("{correction}"):
        right = re.search(r"^:right: (.*)$", content, re.M)
        yield "訂正", (right[1] if right else "") + "".join(re.findall(rf"^{CLAIM}.*", content, re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_statement_rests_on_something(page):
    bare = [
        f"{page.name}:{line}: {what}"
        for line, what, rests in resting(page.read_text(encoding="utf-8"))
        if not rests
    ]
    if page.stem in NOT_YET:
        assert bare, f"{page.stem} needs no exception any more"
    else:
        assert bare == []


def hidden(text):
    """Lines of living figures with a paragraph that who moves them would not see: only the still page shows all but one."""
    for fence in MarkdownIt("commonmark").parse(text):
        if fence.type == "fence" and fence.info.startswith(("{playground}", "{histograms}")):
            said = re.sub(r"^:.*\n", "", fence.content, flags=re.M)
            if not all(more.startswith("JavaScript の動かない") for more in said.strip().split("\n\n")[1:]):
                yield fence.map[0] + 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_living_figure_says_is_seen_beside_it(page):
    assert list(hidden(page.read_text(encoding="utf-8"))) == []


def test_a_paragraph_nobody_would_see_is_found():
    figure = "```{playground} play\n:title: x\n説明。\n\nJavaScript の動かない画面では、これ。\n%s```\n"
    assert [list(hidden(figure % more)) for more in ("", "\n切りかえてください。\n")] == [[], [1]]


PAGE = """
## まとめ

- 一つ目。
- 二つ目({eq}`eq-x`)。
- 三つ目。
  % claim: x | 測定 | a in R | 演習

## 演習

- 数えない。

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-x
    caption: |
      支えのない説明。
  image:
    alt: {eq}
---
draw()
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: |
      支えのある説明。
    name: fig-y
---
draw()
```
% claim: y | 測定 | a in R | fig-y

````{correction} 題
:right: 正しいこと
```{math}
:label: eq-wrong
```
````

```{playground} play
:title: x
支えのない説明。
```
"""


def test_what_rests_on_nothing_is_found():
    found = [(line, what) for line, what, rests in resting(PAGE) if not rests]
    assert found == [(4, "まとめ"), (13, "図の説明"), (38, "訂正"), (45, "図の説明")]
