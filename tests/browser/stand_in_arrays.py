"""Small programs with arrays that the stand-in for NumPy must run as NumPy does. Their text is what is run."""


def integers(np):
    a = np.arange(12).reshape(3, 4)
    return a.sum(), a.mean(axis=1), a.var(), a.max(), a.prod(axis=0), a.cumsum(), a.argmax(), a.std(axis=0)


def with_nan(np):
    a = np.array([[1, np.nan], [3, 2]])
    return a.max(), a.min(axis=0), a.argmax(), a.argmax(axis=1), a.sum(axis=1)


def zeros_of_both_signs(np):
    a = np.array([-0.0, -0.0])
    return a.sum(), a.mean(), np.zeros(3).sum(), a.prod()


def median(np):
    a = np.array([[3.0, 1, 2, 9], [4, 7, 0, 1]])
    return (
        np.median(a),
        np.median(a, axis=0),
        np.sort(a),
        np.argsort(a, axis=1),
        np.average(a, axis=0),
        np.average(a, axis=1, weights=[1, 2, 3, 4]),
    )


def a_view_writes_through(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    v = a[1]
    v += 1
    v[0, 0] = 99
    a.T[0, 0, 0] = -9
    a.reshape(-1)[1] = 5
    a.ravel()[2] = 6
    return a, v


def a_copy_does_not(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    c = a.copy()
    c += 1
    a.flatten()[0] = 7
    a.T.reshape(-1)[0] = 8
    a[a > 3][0] = 9
    a.astype(np.float64)[0] = 3
    return a, c


def overlap(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    a[0, 1:] = a[0, :-1]
    a[1, 0] += a[1, 0, ::-1]
    return a


def rows(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    return (
        [row.sum() for row in a],
        len(a),
        [x for x in np.array([1, 2])],
        a.tolist(),
        a.T.shape,
        a.ndim,
        a.size,
        5.0 in a,
    )


def transposes(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    return (
        a.T,
        a.transpose(1, 0, 2),
        a.transpose((2, 0, 1)),
        np.transpose(a),
        np.swapaxes(a, 0, 2),
        np.moveaxis(a, 0, -1),
        a.T.reshape(4, 6),
        a.reshape(4, -1),
    )


def joined(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    b = np.array([1, 2, 3])
    return (
        np.concatenate([a, a], axis=1),
        np.stack([b, b]),
        np.stack([b, b], axis=-1),
        np.hstack([b, b]),
        np.vstack([b, b * 0.5]),
        np.concatenate([a, a], axis=None),
        np.split(np.arange(6), 3),
        np.split(np.arange(6), [1, 4]),
        np.repeat(b, 2),
        np.repeat([[1, 2]], 2, axis=0),
    )


def other_shapes(np):
    a = np.arange(24.0).reshape(2, 3, 4)
    return (
        np.expand_dims(a, 1),
        np.expand_dims(a, -1),
        np.squeeze(a[:1]),
        a[:, :1].squeeze(1),
        np.broadcast_to([1, 2], (3, 2)),
        np.atleast_2d([1, 2]),
        np.ravel(a.T),
        np.outer([1, 2], [3, 4.5]),
    )


def made(np):
    return (
        np.zeros(3),
        np.zeros((2, 1), dtype=np.float32),
        np.ones(2, dtype=int),
        np.full((2,), 7),
        np.full(2, 0.5, dtype="float32"),
        np.eye(3),
        np.eye(2, 3, k=1),
        np.identity(2),
        np.arange(5),
        np.arange(1, 4, 0.5),
        np.arange(5, 0, -2),
        np.linspace(0, 1, 5),
        np.linspace(0, 1, 4, endpoint=False),
        np.array([[1, 2], [3, 4.5]]),
        np.array([True, False]),
        np.array(3),
        np.array([]),
        np.asarray([1, 2.0], dtype=np.float32),
        np.zeros_like([1, 2]),
        np.ones_like(np.float32(1)),
        np.full_like(np.zeros(2), 3),
        np.diag([1, 2]),
        np.diag(np.arange(6).reshape(2, 3)),
        np.diag([1.0], k=1),
        np.array([np.zeros(2), np.ones(2)]),
        np.array(range(3)),
        np.array((1, 2)),
        np.array([1, 2], ndmin=2),
    )


def like_f(np):
    a = np.arange(6.0).reshape(2, 3).T
    return list(np.zeros_like(a).strides), list(a.strides), list(np.ones(3, dtype=np.float32).strides)


def asarray_does_not_copy(np):
    a = np.zeros(2)
    np.asarray(a)[0] = 1
    b = np.array(a)
    b[1] = 5
    return a, b, np.shares_memory(a, a[1:])


def products(np):
    a = np.arange(6.0).reshape(2, 3)
    v = np.array([1.0, 2, 3])
    b = np.arange(24.0).reshape(2, 3, 4)
    return (
        a @ a.T,
        a.T @ a,
        a @ v,
        v @ v,
        np.dot(a, v),
        a.dot(a.T),
        np.matmul(b.transpose(0, 2, 1), b),
        np.dot(2, v),
        np.inner(v, v),
        a.astype(np.float32) @ a.T.astype(np.float32),
        np.arange(3) @ np.arange(3),
        np.dot(v, 2.0),
        np.array([True]) @ np.array([True]),
    )


def norms(np):
    a = np.array([[3.0, 4], [1, 2]])
    return (
        np.linalg.norm(a),
        np.linalg.norm(a, axis=1),
        np.linalg.norm(a[0], 1),
        np.linalg.norm(a[0], np.inf),
        np.linalg.norm(a, "fro"),
        np.linalg.norm(a, axis=0, keepdims=True),
    )


def questions(np):
    a = np.array([1.0, np.nan])
    return (
        np.allclose([1, 2], [1, 2 + 1e-9]),
        np.allclose(a, a),
        np.allclose(a, a, equal_nan=True),
        np.array_equal([1], [1.0]),
        np.array_equal([1], [1, 2]),
        np.isclose([1.0, np.inf], [1.1, np.inf]),
        np.isscalar(3.0),
        np.nan_to_num(a),
        np.argmax(a),
        np.count_nonzero([1, 0, 2]),
        np.nonzero([1, 0, 2]),
        np.where([0, 1]),
        np.shape([[1]]),
        np.ndim(3),
        np.size([1, 2]),
    )


def sums_of_slices(np):
    a = np.sin(np.arange(1200.0)).round(3).reshape(300, 4) * 1.1
    return a[::3, 1].sum(), a[::-1].sum(axis=0), a[:, ::2].sum(), a[5:40].sum(axis=1)


def quantiles(np):
    a = np.array([[3.0, 1, 2, 9], [4, 7, 0, 1]])
    return np.quantile(a, 0.25, axis=0), np.percentile(a, 30), np.diff(a), np.flatnonzero(a > 2)


def singular_values(np):
    a = np.array([[3.0, 1, 2], [4, 7, 0], [1, 1, 1], [0, 2, 5]])
    (u, s, v), (x, y, z) = np.linalg.svd(a, full_matrices=False), np.linalg.svd(a.T, full_matrices=False)
    again = np.allclose(u * s @ v, a), np.allclose(x * y @ z, a.T), np.allclose(u.T @ u, np.eye(3))
    return (
        again,
        s.round(9),
        u.shape,
        z.shape,
        (u @ v).round(9) + 0.0,
        np.linalg.svd(a, compute_uv=False).round(9),
    )


def adam(np):
    def update(p, g, m, v, t):
        m += (1 - 0.9) * (g - m)
        v += (1 - 0.999) * (g**2 - v)
        p -= 0.001 * (1.0 - 0.999**t) ** 0.5 / (1.0 - 0.9**t) * m / (np.sqrt(v) + 1e-7)

    p, g = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), np.arange(6).reshape(3, 2).T * 0.3
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t in range(1, 4):
        update(p, g.astype(np.float32), m, v, t)
    return p, m, v


def batch_normalization(np):
    x = np.array([[1.0, 2.0, 4.0], [-1.0, 0.5, 3.0], [0.0, 0.1, 7.5]])
    mean, var = x.mean(axis=0), x.var(axis=0)
    out = 1.5 * (x - mean) / np.sqrt(var + 1e-7) + 0.5
    d = np.ones_like(x) * [1.0, 2.0, 3.0]
    return out, (d * out).sum(axis=0), 0.9 * mean + 0.1 * var, np.sum(d, axis=0, keepdims=True) / len(x)


def other_names_of_functions(np):
    a = np.array([[3.0, 1], [2.5, 7]])
    names = (
        np.amax(a, axis=0),
        np.amin(a),
        np.around(a),
        np.abs(-a),
        np.true_divide(a, 2),
        np.mod(a, 2),
        np.pow(a, 2),
    )
    return (
        names,
        np.sum(a, axis=0),
        np.max(a, 1),
        np.min([2, 1]),
        np.all(a > 0, axis=1),
        np.any([0, 1]),
        np.prod(a, 0),
    )
