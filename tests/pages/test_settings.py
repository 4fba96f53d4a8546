"""A printed setting is the setting that ran: with another default of an experiment, the page prints the other value.

The default is the only place of the number: no caption types it, and no sentence keeps the old one.
"""

import ast
import importlib
import inspect
import re
from functools import cache

import pytest
from markdown_it import MarkdownIt

import fumoto.datasets
import fumoto.printed
from built import BOOK
from fumoto.experiments import adam, descent, sgd
from fumoto.printed import read
from living import playground
from settings import GLUED, CellError, Page, as_printed, few_bytes, few_images

PAGES = [*sorted(BOOK.glob("0[1-5]*.md")), BOOK / "10-after-adam.md"]
UNSEEN = {  # (experiment, parameter) → why no reader needs the value
    ("shrinking_steps", "limit"): "打ち切りの歩数。その前に着くので、結果に関わらない",
    ("hollow_escape", "speed"): "値でなく、何をそろえるかの選び方。そろえた速さは、その結果の文にある",
}
SYMBOLS = {
    "lr": r"\eta",
    "momentum": r"\alpha",
    "decay_rate": r"\rho",
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
}
TAUGHT = [f"fumoto.{name}" for name in ("mistakes", "network", "optimizers", "surfaces", "training")]
NUMBER = r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
POWER = re.compile(rf"(?:({NUMBER}) ?× ?)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
CHOSEN = rf"(?!0(?![.\d])){NUMBER}"  # 0 is no choice
TYPED = re.compile(
    rf"(?P<symbol>\\[a-z]+(?:_\d)?|\b[a-zA-Z]) ?= ?\$? ?(?P<value>{CHOSEN})(?![\d.]| ?[-+/\\(])"  # $\eta = 0.1$
    rf"|\((?P<start>{NUMBER}, {NUMBER})\)"
    rf"|(?:学習率|慣性|減衰率|種) ?[はをが]? ?\$?{CHOSEN}"
    r"|(?<![\d.])(?P<count>\d\d+|\d(?= ?万)) ?万? ?(?:枚|歩|ステップ|回|本|個)"  # not 1 歩ごと, 3 本の線
)


@cache
def equations(*labels):
    """What a cell reads from the pages; no default changes it."""
    return read(labels=labels)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setenv("FUMOTO_RESULTS", "")
    monkeypatch.setattr(fumoto.printed, "read", lambda labels: equations(*labels))
    for module in (fumoto.datasets, adam, descent):
        monkeypatch.setattr(module, "mnist", few_images)
    for module in (fumoto.datasets, sgd):
        monkeypatch.setattr(module, "mnist_bytes", few_bytes)


# --- another default is another number on the page ---------------------------------------------------------


def change(page, base, setting):
    """Where the page prints another value of the setting, or why it cannot be built with it; "" if it shows nothing.

    And the places where it still types the old value. What a figure is drawn from is printed in its caption.
    """
    default = page.defaults(setting.experiment)[setting.parameter]
    other = setting.changed(default)
    try:
        glued = page.run(setting.experiment, **{setting.parameter: other})
    except CellError as error:
        return str(error), []
    shown, stale = "", []
    old, new, caption = setting.of(default), setting.of(other), page.caption(setting.line)
    for (line, format_, before), (_, _, after) in zip(page.printed(base), page.printed(glued), strict=True):
        where = f"{page.name}:{line}"
        if after is None:
            return f"{where}: nothing is glued here", []
        if after != before:
            stale += [f"{where}: {text}" for text in kept(page.lines[line - 1], setting)]
            if (
                prints(before, old, format_)
                and prints(after, new, format_)
                and not prints(before, new, format_)
            ):
                shown = shown or (line in caption and f"{where}: {after}")
    return shown, stale


def prints(text, value, format_=None):
    """Whether the number stands in the text, perhaps as 8 × 10⁻⁹; None does wherever there is none."""
    text = POWER.sub(lambda power: f"{power[1] or 1}e{power[2].translate(RAISED)}", text.replace("−", "-"))
    return value is None or float(as_printed(value, format_)) in map(float, re.findall(NUMBER, text))


def kept(line, setting):
    """What the line types of the setting; it stays when the default changes."""
    value = setting.of(setting.default)
    for typed in TYPED.finditer(GLUED.sub("", line)):
        symbol = typed["symbol"] and typed["symbol"] == SYMBOLS.get(setting.parameter)
        steps = typed["count"] and "steps" in setting.parameter
        if (symbol or steps) and prints(typed["value"] or typed["count"], value):
            yield typed[0]


@cache
def changes(path):
    page = Page(path)
    base = page.run()
    assert [f"{page.name}:{line}" for line, _, text in page.printed(base) if text is None] == []
    return [(setting, *change(page, base, setting)) for setting in page.settings()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_another_default_is_printed_or_the_page_cannot_be_built(path):
    silent = [
        f"{path.name}:{setting.line}: {setting}"
        for setting, shown, _ in changes(path)
        if not shown and (setting.experiment, setting.parameter) not in UNSEEN
    ]
    assert silent == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_sentence_keeps_the_old_value_beside_new_results(path):
    assert sorted({place for *_, stale in changes(path) for place in stale}) == []


def test_no_exception_is_for_nothing():
    silent = {(s.experiment, s.parameter) for path in PAGES for s, shown, _ in changes(path) if not shown}
    assert UNSEEN.keys() <= silent


# --- what is typed ------------------------------------------------------------------------------------------


def captions(text):
    """``(line, text, the playground's settings or None)`` of captions, titles, alt texts and corrections, by line."""
    for fence in MarkdownIt("commonmark").parse(text):
        shown, played = "", None
        if fence.type == "fence" and fence.info.startswith("{code-cell}"):
            head = re.match(r"---\n.*?^---\n", fence.content, re.M | re.S)
            shown = head[0] if head else ""
        elif fence.type == "fence" and fence.info.startswith(("{playground}", "{correction}")):
            shown = re.sub(r"^%.*", "", fence.content, flags=re.M)
            if fence.info.startswith("{playground}"):
                played = playground.settings(dict(re.findall(r"^:(\w+): *(.+)$", shown, re.M)))
                shown = re.sub(r"^:(?!title:).*", "", shown, flags=re.M)
        for number, line in enumerate(shown.splitlines(), start=fence.map[0] + 2 if fence.map else 0):
            yield number, line, played


def typed_settings(text):
    """``line: what`` of every number that is typed where the number that ran belongs."""
    for number, line, played in captions(text):
        for typed in TYPED.finditer(GLUED.sub("", line)):
            if played is None or not runs(played, typed):
                yield f"{number}: {typed[0]}"


def runs(played, typed):
    """Whether the playground starts with what its caption types; of other symbols it says nothing."""
    if typed["start"]:
        return [float(part) for part in typed["start"].split(", ")] == played["start"]
    if typed["count"]:
        return int(typed["count"]) == played["steps"]
    if not typed["symbol"]:
        return False
    symbol = typed["symbol"].removeprefix("\\")
    if symbol in ("w", "x") and len(played["start"]) == 1:
        return [float(typed["value"])] == played["start"]
    return symbol not in played["values"] or float(typed["value"]) == played["values"][symbol]


@pytest.mark.parametrize(
    "path", [*PAGES, BOOK / "08-initial-values.md", BOOK / "corrections.md"], ids=lambda path: path.stem
)
def test_no_caption_title_or_alt_text_types_a_setting(path):
    assert [f"{path.name}:{found}" for found in typed_settings(path.read_text(encoding="utf-8"))] == []


CHAPTERS = ["descent", "sgd", "momentum", "adagrad", "adam", "after_adam"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_figure_types_a_setting(chapter):
    tree = ast.parse(inspect.getsource(importlib.import_module(f"fumoto.figures.{chapter}")))
    strings = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [f"{chapter}.py:{node.lineno}: {node.value}" for node in strings if TYPED.search(node.value)] == []


def hidden_settings(source):
    """``line: number`` of every number that an optimizer, a surface or a training is given; 0 and 1 are no choice."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module in TAUGHT]
    taught = {name.name for node in imports for name in node.names}
    for call in nodes:
        if isinstance(call, ast.Call):
            to_taught = getattr(call.func, "id", None) in taught
            given = [each.value for each in call.keywords if to_taught or each.arg in {*SYMBOLS, "eps"}]
            for value in [*(call.args if to_taught else []), *given]:
                if isinstance(value, ast.Constant) and value.value not in (0, 1):
                    yield f"{value.lineno}: {value.value}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_experiment_hides_a_setting(chapter):
    """It is an argument of the experiment, so that its default can be changed."""
    source = inspect.getsource(importlib.import_module(f"fumoto.experiments.{chapter}"))
    assert [f"{chapter}.py:{found}" for found in hidden_settings(source)] == []


# --- the checks notice --------------------------------------------------------------------------------------

PAGE = """
```{code-cell} ipython3
---
mystnb:
  figure:
    caption: |
      鞍点({glue:text}`rate`、$\\alpha = 0.9$、{glue:text}`steps` 歩、20 歩で打ち切り、1 歩ごと)
  image:
    alt: 3 本の線が (1, 2) から出る
---
from fumoto.experiments.momentum import saddle_escape
from myst_nb import glue

escape = saddle_escape()
glue("rate", escape.lr, display=False)
glue("steps", escape.equal_rate[5].item(), display=False)
```

```{playground} play
:surface: bowl
:methods: SGD Momentum
:values: eta=0.1
:title: 慣性 0.9 の図
:steps: 60
$\\eta = 0.1$、$\\alpha = 0.8$ で 50 歩。$(-7, 2)$ から。
```
"""


def test_a_typed_setting_is_found_with_its_line():
    assert list(typed_settings(PAGE)) == [
        "7: \\alpha = 0.9", "7: 20 歩", "9: (1, 2)", "23: 慣性 0.9", "25: \\alpha = 0.8", "25: 50 歩",
    ]  # fmt: skip


def test_a_hidden_setting_is_found_with_its_line():
    source = "from fumoto.optimizers import SGD\nfrom fumoto.training import descend\n"
    source += "descend(SGD(0.1), bowl, bowl.start, 60)\nkind(lr=1.0, eps=1e-8)\nSGD(lr)\nnp.full(3, 2)\n"
    assert sorted(hidden_settings(source)) == ["3: 0.1", "3: 60", "4: 1e-08"]


def test_a_default_that_the_page_does_not_print_is_noticed(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    assert [(str(setting), *found) for setting, *found in changes(path)] == [
        ("saddle_escape(lr=0.05)", "page.md:7: 0.04", []),
        ("saddle_escape(momentum=0.9)", "", ["page.md:7: \\alpha = 0.9"]),
    ]


def test_a_cell_that_needs_the_old_value_names_its_line(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(
        PAGE.replace("equal_rate[5]", "equal_rate[5 if escape.lr == 0.05 else 99]"), encoding="utf-8"
    )
    [(_, shown, _), _] = changes(path)
    assert shown.startswith("page.md:16: IndexError")
