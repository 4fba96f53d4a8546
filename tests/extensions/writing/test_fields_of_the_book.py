"""Every field of the real book: its options, the exercise that comes next, and the solution that can be put into it."""

import re

import pytest

from built import BOOK
from writing import write

EXERCISE = re.compile(r"^````\{exercise\}\n:label: (\S+)\n(.*?)^````\n", re.M | re.S)
SOLUTION = re.compile(r"^````\{solution\} (\S+)\n(.*?)^````\n", re.M | re.S)
FIELD = re.compile(r"^```\{write\} (\S+)\n(.*?)^```\n", re.M | re.S)
OPTION = re.compile(r"^:(\w+): (.*)\n", re.M)
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))]
SOLUTIONS = {label: text for page in TEXTS for label, text in SOLUTION.findall(page)}
LABELS = {label for page in TEXTS for label in re.findall(r"^:label: (ex-\S+)", page, re.M)}
FIELDS = {  # name → (label of the exercise, what is written within the directive)
    name: (label, block)
    for page in TEXTS
    for label, exercise in EXERCISE.findall(page)
    for name, block in FIELD.findall(exercise)
}


def settings(block):
    return write.settings(dict(OPTION.findall(block)), OPTION.sub("", block))


def solved(solution, title):
    """What the button puts into the field, as ``solved`` in write.js finds it. ``None``: there is no button."""
    statements = []
    for line in solution.splitlines():
        if line.startswith(">>> "):
            statements.append(line[4:])
        elif re.match(r"\.\.\.( |$)", line):
            statements[-1] += "\n" + line[4:]
    own = next((code for code in statements if re.search(rf"^(?:class|def) {title}\b", code, re.M)), None)
    if own is None:
        return None
    imports = [code for code in statements if re.match("(?:from|import) ", code) and used(code, own)]
    if any(re.search(r"\bfumoto\b", code) for code in imports):
        return None
    return "\n".join([*imports, *([""] if imports else []), own]) + "\n"


def used(statement, code):
    names = re.sub(r"^(?:from \S+ )?import ", "", statement).split(",")
    return any(re.search(rf"\b{name.strip().split(' ')[-1].split('.')[0]}\b", code) for name in names)


def test_every_field_stands_in_an_exercise_and_has_a_name_of_its_own():
    names = [name for page in TEXTS for name, _ in FIELD.findall(page)]
    assert len(names) >= 11
    assert sorted(names) == sorted(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_the_options_can_be_read_and_the_next_exercise_has_a_field(name):
    label, block = FIELDS[name]
    following = settings(block)["next"]
    assert following is None or following in LABELS - {label}


def test_from_the_first_field_the_links_lead_through_all_of_them_in_the_order_of_the_book():
    """Where an exercise on the way has no field yet, the way goes on behind it."""
    order = [label for label, _ in FIELDS.values()]
    for name, (label, block) in FIELDS.items():
        following = settings(block)["next"]
        place = order.index(label)
        if place + 1 == len(order):
            assert following is None, name
        elif following in order:
            assert following == order[place + 1], name


@pytest.mark.parametrize("name", FIELDS)
def test_the_skeleton_alone_is_not_right_and_the_solution_put_into_the_field_is(name):
    label, block = FIELDS[name]
    config = settings(block)
    code = solved(SOLUTIONS[label], config["title"])
    assert code is not None, "no button: the class has another name, or uses the package of the book"
    assert not report(config["skeleton"], config)
    found = report(code, config)
    assert found, str(found)


def report(code, config):
    """What the two lines for Python at home say of the code."""
    first, last = config["check"]
    names = {}
    exec(f"{first}\n\n{code}", names)
    return eval(last.removeprefix("print(").removesuffix(")"), names)


@pytest.mark.parametrize(
    ("solution", "code"),
    [
        (">>> import numpy as np\n>>> class A:\n...     a = 1\n>>> A()", "class A:\n    a = 1\n"),
        (
            ">>> import numpy as np\n>>> class A:\n...\n...     a = np.ones(1)\n",
            "import numpy as np\n\nclass A:\n\n    a = np.ones(1)\n",
        ),
        (">>> from fumoto.optimizers import SGD\n>>> class A(SGD):\n...     a = 1\n", None),
        (">>> class B:\n...     a = 1\n", None),
    ],
)
def test_the_solution_is_taken_out_as_in_the_page(solution, code):
    assert solved(solution, "A") == code
