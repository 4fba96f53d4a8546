"""The settings of a page: its cells are run in this process with other defaults, to see what the page then prints.

Figures are not drawn, the images are few, and the longest experiments are shorter than on the page.
"""

import ast
import importlib
import inspect
import pickle
import re
import traceback
from dataclasses import dataclass
from functools import wraps

import numpy as np
from markdown_it import MarkdownIt

from rebuilding.page_inputs import code

GLUED = re.compile(r"\{glue:text\}`(?P<name>[^`:]+)(?::(?P<format>[^`]+))?`")
SHORTER = {  # experiment → defaults that take less time here; of a tuple, its first members
    "first_descent": {"steps": 60, "same": 50},
    "convergence_limit": {"steps": 100},
    "zigzag": {"steps": 60},
    "hollow_escape": {"steps": 100},
    "acceleration": {"points": 3},
    "dedented_adam": {"steps": 60},
    "new_methods": {"trials": 4, "short": 5, "steps": 10, "seeds": 2},
    "valleys": {"kappas": (3, 10), "momenta": (0.0, 0.5), "decays": (0.9, 0.99)},
}


def few_images():
    """1200 training and 100 test images of noise, in the form of ``fumoto.datasets.mnist``."""
    rng = np.random.default_rng(0)
    images, labels = rng.random((1300, 784), np.float32), rng.integers(0, 10, 1300)
    images[:, :50] = 0  # some pixels are black in every image
    return images[:1200], labels[:1200], images[1200:], labels[1200:]


def few_bytes():
    """The same in the form of ``fumoto.datasets.mnist_bytes``."""
    x, t, x_test, t_test = few_images()
    images, test_images = ((each * 255).astype(np.uint8).reshape(-1, 28, 28) for each in (x, x_test))
    return images, t, test_images, t_test


@dataclass(frozen=True)
class Setting:
    """A default that a page uses: ``experiment`` is called in ``line`` without this ``parameter``.

    ``member``: which member of a default that is a tuple.
    """

    experiment: str
    parameter: str
    line: int
    default: object
    member: int | None

    def __str__(self):
        member = "" if self.member is None else f"[{self.member}]"
        return f"{self.experiment}({self.parameter}{member}={self.of(self.default)})"

    def of(self, default):
        """The value of this setting in a default."""
        return default if self.member is None else default[self.member]

    def changed(self, default):
        """The default with another value of this setting."""
        if self.member is None:
            return _another(default)
        return (*default[: self.member], _another(default[self.member]), *default[self.member + 1 :])


def _another(value):
    """A value that is allowed wherever ``value`` is: of a rate near 1, one nearer to 1."""
    if value is None:
        return 0.37
    if type(value) is int:
        return value + 1
    if type(value) is float:
        near = 1 - 0.8 * (1 - value) if 0.5 <= value < 1 else 0.8 * value
        return float(f"{near:.6g}") or 0.1
    raise TypeError(f"no other value is known for {value!r}")


class CellError(Exception):
    """A cell fails; the text says where and how."""


class Page:
    """A page of the book, and what its cells glue."""

    def __init__(self, path):
        text = path.read_text(encoding="utf-8")
        self.name, self.lines = path.name, text.splitlines()
        self._cells = _cells(text)
        self.statements = [statement for cell in self._cells for statement in _parsed(cell)]
        self.experiments = {}  # name → function
        for statement in self.statements:
            if _is_import(statement, "fumoto.experiments"):
                module = importlib.import_module(statement.module)
                found = {name: getattr(module, original) for name, original in _names(statement).items()}
                self.experiments |= {name: each for name, each in found.items() if inspect.isfunction(each)}
        self._results = {}  # (experiment, arguments) → result

    def settings(self):
        """Every default that some call of an experiment uses; of a tuple, every member."""
        found = {}
        for call in (node for statement in self.statements for node in ast.walk(statement)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", None) in self.experiments:
                parameters = inspect.signature(self.experiments[call.func.id]).parameters
                given = {*list(parameters)[: len(call.args)], *(keyword.arg for keyword in call.keywords)}
                for name, parameter in parameters.items():
                    if name not in given and parameter.default is not parameter.empty:
                        found.setdefault((call.func.id, name), (call.lineno, parameter.default))
        for (experiment, name), (line, default) in found.items():
            tried = self.defaults(experiment)[name]
            for member in range(len(tried)) if isinstance(tried, tuple) else [None]:
                yield Setting(experiment, name, line, default, member)

    def defaults(self, experiment):
        """The defaults of an experiment, here."""
        parameters = inspect.signature(self.experiments[experiment]).parameters.values()
        return {each.name: each.default for each in parameters} | SHORTER.get(experiment, {})

    def run(self, experiment=None, **changed):
        """What the cells glue, as text, when ``experiment`` has other defaults."""
        glued, space = {}, {}
        for statement in self.statements:
            names = _names(statement)
            if _is_import(statement, "fumoto.figures"):
                space |= dict.fromkeys(names, _NoFigures())
            elif _is_import(statement, "myst_nb"):
                space["glue"] = lambda name, value, display: glued.update({name: str(value)})
            else:
                self._execute(statement, space)
                for name in names.keys() & self.experiments.keys():
                    space[name] = self._experiment(name, changed if name == experiment else {})
        return glued

    def printed(self, glued):
        """``(line, format, text)`` of every ``{glue:text}``; the text is None where nothing was glued."""
        for number, line in enumerate(self.lines, start=1):
            for reference in GLUED.finditer(line):
                value = glued.get(reference["name"])
                yield number, reference["format"], value and as_printed(value, reference["format"])

    def caption(self, line):
        """The lines of the cell around ``line`` if it has a caption, else the whole page."""
        [cell] = [cell for cell in self._cells if cell.map[0] < line <= cell.map[1]]
        return range(*cell.map) if "caption:" in cell.content else range(1, len(self.lines) + 1)

    def _execute(self, statement, space):
        try:
            exec(compile(ast.Module([statement], []), self.name, "exec"), space)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            if last.filename != self.name:
                raise
            raise CellError(f"{self.name}:{last.lineno}: {error!r}") from error

    def _experiment(self, name, changed):
        """The experiment with other defaults; what it computed once, it does not compute again."""
        function = self.experiments[name]
        defaults = SHORTER.get(name, {}) | changed

        @wraps(function)
        def run(*arguments, **options):
            given = inspect.signature(function).bind(*arguments, **options).arguments
            every = dict(sorted((defaults | given).items()))
            key = name, pickle.dumps(every)
            if key not in self._results:
                self._results[key] = function(**every)
            return self._results[key]

        return run


def as_printed(value, format_):
    """A glued value as ``{glue:text}`` prints it."""
    return format(float(value), format_) if format_ else str(value)


class _NoFigures:
    def __getattr__(self, name):
        return lambda *arguments, **options: None


def _is_import(statement, package):
    return isinstance(statement, ast.ImportFrom) and statement.module.startswith(package)


def _names(statement):
    """The names an import makes → those they have in their module."""
    if not isinstance(statement, ast.ImportFrom):
        return {}
    return {each.asname or each.name: each.name for each in statement.names}


def _cells(text):
    fences = MarkdownIt("commonmark").parse(text)
    return [token for token in fences if token.type == "fence" and token.info.startswith("{code-cell}")]


def _parsed(cell):
    """The statements of a cell, with the line numbers of the page."""
    source = code(cell.content)
    head = cell.content.count("\n") - source.count("\n")
    return ast.increment_lineno(ast.parse(source), cell.map[0] + 1 + head).body
