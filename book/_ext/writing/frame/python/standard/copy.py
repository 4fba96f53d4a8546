"""この欄のための、小さな copy。"""


def copy(value):
    if isinstance(value, (list, dict, set)):
        return type(value)(value) if type(value) in (list, dict, set) else value.copy()
    if hasattr(value, "__copy__"):
        return value.__copy__()
    if hasattr(value, "copy"):
        return value.copy()
    return _shallow(value, lambda item: item)


def deepcopy(value, memo=None):
    memo = {} if memo is None else memo
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, tuple):
        return tuple(deepcopy(item, memo) for item in value)
    if isinstance(value, (list, set)):
        return type(value)(deepcopy(item, memo) for item in value)
    if isinstance(value, dict):
        found = copy(value)
        memo[id(value)] = found
        for key in found:
            found[key] = deepcopy(found[key], memo)
        return found
    if hasattr(value, "__deepcopy__"):
        return value.__deepcopy__(memo)
    if hasattr(value, "copy"):
        return value.copy()
    return _shallow(value, lambda item: deepcopy(item, memo))


def _shallow(value, convert):
    if not hasattr(value, "__dict__") or isinstance(value, type) or callable(value):
        return value
    found = object.__new__(type(value))
    for name, item in vars(value).items():
        setattr(found, name, convert(item))
    return found
