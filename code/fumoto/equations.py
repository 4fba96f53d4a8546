"""``fumoto.printed`` のうち、式を読むもの。ここからも読み込める。"""

from fumoto.printed.domains import Domain
from fumoto.printed.equation import Equation
from fumoto.printed.errors import EquationError
from fumoto.printed.pages import book_folder, read
from fumoto.printed.parsing import parse

__all__ = ["Domain", "Equation", "EquationError", "book_folder", "parse", "read"]
