"""The claims of the sentences: ``CLAIMS`` maps the name of a claim to the function that checks it."""

from claims import (
    adagrad,
    adam,
    after_adam,
    batchnorm,
    choosing,
    comparison,
    descent,
    initialization,
    momentum,
    overfitting,
    sgd,
    signals,
)
from claims.registry import CLAIMS

__all__ = [
    "CLAIMS",
    "adagrad",
    "adam",
    "after_adam",
    "batchnorm",
    "choosing",
    "comparison",
    "descent",
    "initialization",
    "momentum",
    "overfitting",
    "sgd",
    "signals",
]
