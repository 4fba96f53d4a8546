"""この欄のための、小さな abc。"""


class ABC:
    pass


class ABCMeta(type):
    pass


def abstractmethod(function):
    return function
