"""The claims of the page on how to choose."""

from claims.comparison import RATE, chosen
from claims.registry import between, claim
from fumoto.experiments.choosing import WIDER, range_test
from fumoto.experiments.comparison import METHODS, SPACES


@claim("range-test", samples=0, searched=0)
def the_rate_that_is_chosen_is_near_the_one_of_least_loss(method, seed):
    rates = SPACES[method].rates
    lowest = range_test(METHODS[method], rates.low, WIDER * rates.high, seed).lowest
    return between(dict(chosen()[RATE, method].values)["lr"] / lowest, 0.05, 3)
