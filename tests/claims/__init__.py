"""The claims of the sentences: ``CLAIMS`` maps the name of a claim to the function that checks it."""

from claims import momentum
from claims.registry import CLAIMS

__all__ = ["CLAIMS", "momentum"]
