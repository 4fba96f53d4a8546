"""How every labelled equation of the book is compared with the code.

`CHECKS[label]` is a function of the equations ({label: Equation}) that raises AssertionError when the printed
equation and the code disagree. tests/printed/test_equations.py runs them on the book, and again on spoiled copies.
"""

from equation_checks import (  # noqa: F401 - each module registers its checks
    after_adam,
    batchnorm,
    first_half,
    initialization,
    overfitting,
)
from equation_checks.registry import CHECKS

__all__ = ["CHECKS"]
