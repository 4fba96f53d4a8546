"""Reading the pages: every equation is found where it stands, and a page that breaks the rules is an error."""

import inspect
import re
from pathlib import Path

import pytest

from fumoto.printed import EquationError, pages, read

BOOK = Path(__file__).resolve().parents[2] / "book"


PAGE = "# 題\n\n```{math}\n:label: eq-a\ny = x\n```\n% domain: x in R\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAGE.replace(":label: eq-a\n", ""), "page.md:3: 式に :label: がありません"),
        (PAGE.replace("% domain: x in R", ""), "page.md:3: eq-a のすぐ下に"),
        (PAGE + "\n" + PAGE, r"page.md:11: ラベル eq-a が page.md:3 と重複"),
        (PAGE.replace("y = x", r"y = \foo"), "page.md:3: "),
        (PAGE + "\n$$\ny = x\n$$ (eq-b)\n", "page.md:9: 式は"),
        (PAGE + "\n:::{math}\n:label: eq-b\ny = x\n:::\n", "page.md:9: 式は"),
        (PAGE + "\n\\begin{equation}\ny = x\n\\end{equation}\n", "page.md:9: 式は"),
        (PAGE.replace("```{math}", "``` {math}").replace("y = x", r"y = \foo"), "page.md:3: "),
        (PAGE.replace("% domain: x in R", "% checked-by:"), "eq-a の '% checked-by:' が空です"),
    ],
)
def test_a_page_that_breaks_the_rules_is_an_error(tmp_path, text, message):
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(EquationError, match=message):
        read(tmp_path)


def test_equations_inside_other_directives_are_found(tmp_path):
    nested = "# 題\n\n````{admonition} 枠\n:class: warning\n文。\n\n" + PAGE.split("\n\n", 1)[1] + "````\n"
    (tmp_path / "page.md").write_text(nested, encoding="utf-8")
    equation = read(tmp_path)["eq-a"]
    assert (equation.page, equation.line) == ("page.md", 7)


def test_an_equation_that_is_not_parsed_says_who_checks_it(tmp_path):
    page = PAGE.replace("y = x", r"y \le x").replace(
        "% domain: x in R", "% checked-by: tests/test_x.py::test_y"
    )
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    equation = read(tmp_path)["eq-a"]
    assert equation.checked_by == "tests/test_x.py::test_y"
    with pytest.raises(TypeError, match=r"eq-a は数値で計算できません.*test_y"):
        equation.evaluate()


def test_line_is_the_line_of_the_block():
    lines = (BOOK / "02-sgd.md").read_text(encoding="utf-8").splitlines()
    equation = read(labels=["eq-sgd-w"])["eq-sgd-w"]
    assert lines[equation.line - 1] == "```{math}"
    assert lines[equation.line] == ":label: eq-sgd-w"


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(EquationError, match="nowhere がありません"):
        read(tmp_path / "nowhere")


BLOCK = r"```\{math\}\n:label: (\S+)\n.*?\n```\n(?:%[^\n]*\n)+"


def test_the_example_of_how_to_write_an_equation_is_one_of_the_book():
    """The same LaTeX, label and lines below it as on the page it is quoted from."""
    guide = (BOOK / "appendix-equations.md").read_text(encoding="utf-8")
    [example] = re.findall(r"````markdown\n(.*?)````\n", guide, re.S)
    label = re.fullmatch(BLOCK, example, re.S)[1]
    page = (BOOK / read(labels=[label])[label].page).read_text(encoding="utf-8")
    assert example in page
    assert f"{{eq}}`{label}`" in guide.split("````markdown")[0]


def test_the_example_in_the_docstring_is_one_of_the_book():
    example = re.search(BLOCK, inspect.cleandoc(pages.__doc__).replace("\n    ", "\n") + "\n", re.S)
    page = (BOOK / read(labels=[example[1]])[example[1]].page).read_text(encoding="utf-8")
    assert example[0] in page
