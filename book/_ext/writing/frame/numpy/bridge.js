// Brython の値と arrays.js の配列の橋渡し。numpy.py だけが使う。
// ndarray と NumPy のスカラーは { ob_type, array } で、array が arrays.js の配列である。
// 引数を Brython の変換に通さずに受け取る。1 回の計算にかかる時間のほとんどが、その変換だからである。

"use strict";

(() => {
  const B = globalThis.__BRYTHON__, py = B.builtins, A = globalThis.arrays;
  let classes = {}; // numpy.py のクラス: ndarray, float64, float32, int64, bool, UFuncTypeError, AxisError

  const raise = (name, message) => {
    throw B.$call(classes[name] ?? py[name], message);
  };
  // JavaScript の誤りを、Python の例外にする
  function translated(error) {
    if (error.ob_type) return error;
    if (error instanceof RangeError && /length/.test(error.message)) return B.$call(py.MemoryError, "Unable to allocate the array");
    const type = classes[error.name] ?? py[error.name];
    return error instanceof Error && error.constructor === Error && type ? B.$call(type, error.message) : error;
  }
  const guarded = (f) => (...values) => {
    try {
      return f(...values);
    } catch (error) {
      throw translated(error);
    }
  };

  // Brython が引数を変換せずに呼ぶ関数
  // 演算子から呼ばれるもの。w.__iadd__(x) のように名前で呼ばれると、Brython は w を渡さない
  const called = (name, f) => (x, y) => {
    if (y === undefined) throw new Error(`この欄の NumPy の代わりでは、演算子を名前(__${name}__ など)で呼べません。手元の本物の NumPy で動かしてください`);
    return f(x, y);
  };
  const raw = (name, f) => Object.assign(guarded(f), { ob_type: B.builtin_function_or_method, ml: { ml_name: name } });

  // ---- Python の値から ----
  const isNone = (x) => x === py.None || x === undefined || x === null;
  const isSequence = (x) => Array.isArray(x);
  const integer = (x) => Number(B.PyNumber_Index(x));
  const integers = (x) => (isSequence(x) ? Array.from(x, integer) : [integer(x)]);
  const axisOf = (x) => (isNone(x) ? null : isSequence(x) ? integers(x) : integer(x));

  // 配列か、型の弱い Python の数。どちらでもなければ undefined
  function operand(x) {
    if (typeof x === "number") return { weak: "int64", value: x };
    if (x?.array) return x.array;
    if (x?.ob_type === py.float) return { weak: "float64", value: x.value };
    if (typeof x === "boolean") return A.number(x, "bool");
    if (typeof x === "bigint") return { weak: "int64", value: Number(x) };
    if (isSequence(x)) return built(x);
    if (!isNone(x) && B.$isinstance(x, py.range)) return built(B.$call(py.list, x));
  }
  function needed(x) {
    const found = operand(x);
    if (!found) raise("TypeError", `unsupported operand: '${B.class_name(x)}' object cannot be made into an array of numbers`);
    return found;
  }
  const strong = (x) => {
    const found = needed(x);
    return A.strengthen(found, found.weak);
  };
  // 入れ子のリストから
  function built(list) {
    if (list.length === 0) return A.of([], [0]);
    const parts = Array.from(list, needed), shapes = parts.map((part) => part.shape ?? []);
    if (shapes.some((shape) => String(shape) !== String(shapes[0]))) {
      raise("ValueError", `setting an array element with a sequence. The requested array has an inhomogeneous shape after 1 dimensions. The detected shape was (${list.length},) + inhomogeneous part.`);
    }
    const dtype = A.commonType(parts.map((part) => (part.weak ? A.number(0, part.weak) : part)));
    const whole = A.make([parts.length, ...shapes[0]], dtype);
    parts.forEach((part, i) => A.assign(A.get(whole, [i]), A.strengthen(part, dtype)));
    return whole;
  }

  // ---- Python の値へ ----
  const float = (x) => B.fast_float(x);
  const pythonNumber = (x, dtype) => (dtype === "bool" ? x !== 0 : dtype === "int64" ? x : float(x));
  const held = (array) => ({ ob_type: classes.ndarray, array });
  const scalar = (a) => ({ ob_type: classes[a.dtype], value: a.data[a.offset], array: a });
  const wrap = (a) => (a.shape.length === 0 ? scalar(a) : held(a));
  const item = (a) => pythonNumber(a.data[a.offset], a.dtype);
  function nested(a) {
    return a.shape.length === 0 ? item(a) : B.$list(Array.from({ length: a.shape[0] }, (_, i) => nested(A.get(a, [i]))));
  }

  // ---- 添字 ----
  const end = (x) => (isNone(x) ? null : integer(x));
  function indexItem(x) {
    if (typeof x === "number" || isNone(x)) return isNone(x) ? null : x;
    if (x === py.Ellipsis) return "...";
    if (x.ob_type === py.slice) return { start: end(x.start), stop: end(x.stop), step: end(x.step) };
    const a = operand(x);
    if (!a || a.weak) raise("IndexError", "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid indices");
    return a.shape.length === 0 && a.dtype === "int64" ? a.data[a.offset] : a.shape.length === 1 && A.size(a) === 0 ? A.copy(a, "int64") : a;
  }
  const indexItems = (key) => (key?.ob_type === py.tuple ? Array.from(key, indexItem) : [indexItem(key)]);

  // 演算子: 知らない相手なら NotImplemented を返し、Python に任せる
  function operated(name, x, y) {
    const a = operand(x), b = operand(y);
    return a && b ? wrap(A.operate(name, [a, b])) : py.NotImplemented;
  }

  const calls = {
    connect(table) {
      classes = Object.fromEntries([...py.dict.$iter_items(table)].map(({ key, value }) => [key, value]));
    },
    // 数でない相手(None など)とは、NumPy と同じく、どの要素も等しくない
    compare(name, x, y) {
      const found = operated(name, x, y), unequal = found === py.NotImplemented && { equal: 0, not_equal: 1 }[name];
      return typeof unequal === "number" ? wrap(A.map(() => unequal, "bool", x.array)) : found;
    },
    operator: (name) => raw(name, called(name, (x, y) => operated(name, x, y))),
    reflected: (name) => raw(name, (y, x) => operated(name, x, y)),
    in_place: (name) => raw(name, called(name, (x, y) => {
      const b = operand(y);
      if (!b) return py.NotImplemented;
      A.operate(name, [x.array, b], x.array);
      return x;
    })),
    ufunc(name, out, ...values) {
      const found = values.map(needed);
      if (isNone(out)) return wrap(A.operate(name, found));
      const target = isSequence(out) ? out[0] : out; // out=(a,) とも書ける
      A.operate(name, found, target.array);
      return target;
    },
    where: (condition, x, y) => wrap(A.where(strong(condition), needed(x), needed(y))),
    nonzero: (a) => B.fast_tuple(A.nonzero(strong(a)).map(held)),
    svd: (a) => B.fast_tuple(A.svd(strong(a)).map(held)),
    reduce: (name, a, axis, keepdims) => wrap(A[name](strong(a), axisOf(axis), keepdims === true)),
    along: (name, a, axis) => wrap(A[name](strong(a), axisOf(axis))),
    matmul(x, y) {
      const [a, b] = [operand(x), operand(y)];
      return a && b ? wrap(A.matmul(A.strengthen(a, a.weak), A.strengthen(b, b.weak))) : py.NotImplemented;
    },
    concatenate(parts, axis) {
      const found = Array.from(B.$call(py.list, parts), strong);
      if (found.length === 0) raise("ValueError", "need at least one array to concatenate");
      return held(A.concatenate(found, integer(axis), A.commonType(found)));
    },
    array(x, dtype) {
      const found = strong(x);
      return held(A.assign(A.like(found.shape, isNone(dtype) ? found.dtype : dtype, [found]), found));
    },
    copy: (x) => (x.ob_type === classes.ndarray ? held(A.copy(x.array)) : x),
    asarray(x, dtype) {
      const found = strong(x), kept = x?.ob_type === classes.ndarray && (isNone(dtype) || dtype === found.dtype);
      return kept ? x : calls.array(x, dtype);
    },
    // ndarray は ndarray のまま、スカラーはスカラーのまま
    astype: (x, dtype) => (x.ob_type === classes.ndarray ? calls.array(x, dtype) : calls.cast(x, isNone(dtype) ? x.array.dtype : dtype)),
    stream: (seed) => A.stream(isNone(seed) ? Math.floor(Math.random() * 2 ** 32) : integer(seed)),
    draw(stream, kind, shape) {
      const length = isNone(shape) ? [] : integers(shape), values = Array.from({ length: length.reduce((n, m) => n * m, 1) }, stream[kind]);
      return isNone(shape) ? float(values[0]) : held(A.of(values, length));
    },
    cast: (x, dtype) => wrap(A.copy(strong(x), dtype)),
    full(shape, value, dtype) {
      const filling = needed(value), a = A.make(integers(shape), isNone(dtype) ? filling.weak ?? filling.dtype : dtype);
      return held(A.assign(a, A.strengthen(filling, filling.weak)));
    },
    // 軸の並び(C か F か)も a に合わせる
    like(x, dtype) {
      const a = strong(x);
      return held(A.like(a.shape, isNone(dtype) ? a.dtype : dtype, [a]));
    },
    arange(start, stop, step, dtype) {
      const ends = [start, stop, step].map(needed), [from, to, by] = ends.map((a) => (a.weak ? a.value : a.data[a.offset]));
      const kind = A.commonType(ends.map((a) => A.number(0, a.weak ?? a.dtype))), length = Math.max(Math.ceil((to - from) / by), 0);
      return held(A.of(Array.from({ length }, (_, i) => from + i * by), [length], isNone(dtype) ? kind : dtype));
    },
    get(x, key) {
      const items = indexItems(key), found = A.get(x.array, items);
      return found.shape.length === 0 && !items.includes("...") ? scalar(found.data === x.array.data ? A.copy(found) : found) : held(found);
    },
    set: (x, key, value) => (A.set(x.array, indexItems(key), strong(value)), py.None),
    copyto: (x, source) => (A.assign(x.array, strong(source)), py.None),
    reshape: (x, shape) => held(A.reshape(strong(x), integers(shape))),
    transpose: (x, axes) => held(isNone(axes) ? A.transpose(strong(x)) : A.transpose(strong(x), integers(axes))),
    broadcast: (x, shape) => held(A.broadcast(strong(x), integers(shape))),
    shape: (x) => B.fast_tuple([...strong(x).shape]),
    strides: (x) => B.fast_tuple(x.array.strides.map((step) => step * x.array.data.BYTES_PER_ELEMENT)),
    dtype: (x) => strong(x).dtype,
    common: (...values) => A.commonType(values.map(needed)),
    shares: (x, y) => x.array.data === y.array.data,
    ndim: (x) => strong(x).shape.length,
    size: (x) => A.size(strong(x)),
    item(x) {
      if (A.size(x.array) !== 1) raise("ValueError", "can only convert an array of size 1 to a Python scalar");
      return item(x.array);
    },
    reshaped: (x, shape) => ((x.array = A.reshape(x.array, integers(shape))), py.None),
    text: (x, comma, indent) => A.text(x.array, comma, indent),
    short: (x) => float(A.short(x.value)),
    index: (x) => x.array.data[x.array.offset],
    tolist: (x) => nested(x.array),
  };
  globalThis.bridge = Object.fromEntries(Object.entries(calls).map(([name, f]) => [name, raw(name, f)]));
})();
