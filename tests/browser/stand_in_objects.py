"""Small programs about what an array or a number is (dtypes, in place, copies). Their text is what is run."""


def in_place_dtypes(np):
    a = np.array([1, 2], dtype=np.float32)
    b = a
    a -= np.array([0.1, 0.2])
    a *= 3
    a /= np.float64(7)
    a **= 2
    a += True
    return a, b, a is b


def in_place_int(np):
    a = np.arange(3)
    a += 2
    a *= np.array(3)
    a //= 2
    a %= 3
    a -= True
    return a


def in_place_bool(np):
    a = np.array([True, False])
    a |= True
    a &= np.array([True, False])
    a ^= True
    return a


def in_place_broadcast(np):
    a = np.zeros((2, 3))
    a += [1, 2, 3]
    a[:, 0] -= 5
    a[1] *= 2
    a[a > 3] = 0
    a -= a.mean(axis=0)
    return a


def in_a_dict(np):
    d = {"W": np.ones((2, 2)), "b": np.zeros(2)}
    w = d["W"]
    d["W"] -= 0.1 * d["W"]
    for k in d:
        d[k] += 1
    return w, d["W"], d["b"], w is d["W"]


def rebinding(np):
    a = np.ones(2)
    b = a
    a = a - 1
    return a, b


def zero_dimensional_arrays_change(np):
    a = np.array(1.0)
    b = a
    a += 1
    a[...] = a * 3
    a[()] += 1
    return a, b, a * 2, a[()], a.sum(), -a, np.sqrt(a), a is b


def scalars_do_not(np):
    a = np.float64(1)
    b = a
    a += 1
    return (
        a,
        b,
        a * 2,
        a**2,
        -a,
        abs(a),
        a / 3,
        a // 2,
        1 - a,
        a > 1,
        a == 2,
        round(a),
        a.sum(),
        a.shape,
        a.ndim,
        a.dtype == np.float64,
        float(a),
        int(a),
        isinstance(a, float),
        hash(a) == hash(2.0),
    )


def scalars_in_python(np):
    a = np.arange(3)
    return (
        [10, 20, 30][a[1]],
        list(range(a[2])),
        f"{np.float64(0.12345):.3f}",
        f"{np.float32(0.5)}",
        "%.2f %.1f" % (np.float64(1.234), np.float32(0.5)),  # noqa: UP031
        sum([np.float64(1), np.float64(2)]),
        max(np.float64(1), np.float64(3)),
        {np.int64(1): 2}[1],
        bool(np.float64(0)),
        np.float64(3) if np.bool_(True) else 1,
    )


def scalar_types(np):
    return (
        np.float32(0.1) * 3,
        np.float32(1) + np.float64(1),
        np.int64(3) / 2,
        np.float32([1, 2]),
        np.float64("0.5") if False else 1,
        np.float64(5) % 3,
        2 ** np.float64(0.5),
        np.True_ if False else 0,
        np.int64(7) // 2,
        ~np.bool_(True),
    )


def out(np):
    a = np.array([1.0, 4.0])
    b = np.zeros(2)
    c = np.sqrt(a, out=b)
    np.add(a, 1, out=a)
    np.multiply(a, b, a)
    np.maximum(a, 3, out=a)
    np.sum(a[None], axis=0, out=b)
    return a, b, c is b


def copyto_fill(np):
    a = np.zeros((2, 2), dtype=np.float32)
    np.copyto(a, [1, 2])
    b = a.copy()
    b.fill(0.1)
    return a, b


def assignment_casts(np):
    a = np.zeros(2, dtype=np.float32)
    a[:] = [0.1, 0.2]
    i = np.zeros(2, dtype=int)
    i[0] = 1.9
    i[1] = -1.9
    b = np.zeros(2, dtype=bool)
    b[:] = [0.5, 0]
    return a, i, b


def astype(np):
    a = np.array([0.1, -1.9, 2.0])
    return (
        a.astype(np.float32),
        a.astype(int),
        a.astype(bool),
        a.astype("float32").dtype == a.dtype,
        a.astype(float) is a,
        np.array([1, 0]).astype(np.bool_),
    )


def dtypes(np):
    a = np.zeros(1, dtype=np.float32)
    return (
        a.dtype == np.float32,
        a.dtype == "float32",
        a.dtype == np.float64,
        a.dtype != float,
        str(a.dtype),
        a.dtype.name,
        a.itemsize,
        a.nbytes,
        np.dtype("float32") == a.dtype,
        np.result_type(a, np.zeros(1)) == np.float64,
        np.issubdtype(a.dtype, np.floating),
        np.issubdtype(int, np.floating),
        a.dtype.kind,
    )


def finfo(np):
    return (
        np.finfo(np.float32).eps,
        np.finfo(float).eps,
        np.finfo(np.float64).max,
        np.finfo(np.float32).tiny,
        np.pi,
        np.e,
        -np.inf,
        np.newaxis,
    )


def errstate(np):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.ones(2) / 0


def truth(np):
    return (
        bool(np.array([1.0])),
        bool(np.array(0)),
        float(np.array(2.5)),
        int(np.array(3)),
        np.array([[5]]).item(),
        np.array([1, 2]).tolist(),
        not np.array([0.0]),
    )


def comparing_with_lists(np):
    return (
        np.array([1, 2]) == [1, 3],
        np.array([1.0, 2]) - [1, 2],
        [1, 2] - np.array([1.0, 2]),
        np.array([1, 2]) * (2, 3),
    )


def power_of_integers(np):
    return (
        np.array([2, 3]) ** 2,
        np.array([2.0, 3]) ** 3,
        2 ** np.array([1, 2]),
        0.9 ** np.arange(4),
        np.float64(0.9) ** 3,
    )


def deep_copies(np):
    import copy

    a = {"W": np.ones(2)}
    b = copy.deepcopy(a)
    b["W"] += 1
    c = copy.copy(a["W"])
    c += 5
    return a["W"], b["W"], c


def compared_with_what_is_no_number(np):
    a = np.zeros(2)
    return a == None, a != None, [a is None, a is not None]  # noqa: E711


def type_hints(np):
    from numpy.typing import NDArray

    def same(x: NDArray[np.float64]) -> dict[str, np.ndarray]:
        return x

    return same(1)


def names_imported(np):
    from numpy import sqrt, zeros

    return sqrt(zeros(2) + 4)


def signs_of_zero(np):
    a = np.array([-0.0, 0.0])
    return -a, a * -1, np.sqrt(a), a + a, a - a, np.array([-0.0]) + 0.0, np.copy(a), a.tolist(), float(a[0])
