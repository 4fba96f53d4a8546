"""The claims of the page on how to choose."""

from claims.comparison import RATE, chosen
from claims.registry import between, claim
from fumoto.experiments.choosing import range_job, range_test


@claim("range-test", samples=0, searched=0)
def the_rate_that_is_chosen_is_near_the_one_of_least_loss(method, seed):
    lowest = range_test(*range_job(method, seed)).lowest
    return between(dict(chosen()[RATE, method].values)["lr"] / lowest, 1 / 30, 3)
