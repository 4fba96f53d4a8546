// 多次元配列の核。配列は { shape, strides, offset, data, dtype } で、strides は要素の数で数える。
// ビューは data を共にする。int64 は Float64Array に、bool は Uint8Array に入れる。
// 和の順序は NumPy と同じにしてある。順序が違うと、正しい答えも最後の桁で食い違うからである。

"use strict";

(() => {
  const STORES = { float64: Float64Array, float32: Float32Array, int64: Float64Array, bool: Uint8Array };
  const CASTS = { int64: Math.trunc, bool: (x) => (Number(x) === 0 ? 0 : 1) };

  // ---- 形 ----
  function fail(name, message) {
    throw Object.assign(new Error(message), { name });
  }
  const count = (shape) => shape.reduce((n, length) => n * length, 1);
  const show = (shape) => `(${shape.join(",")}${shape.length === 1 ? "," : ""})`;
  function steps(shape) {
    const strides = new Array(shape.length);
    let step = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      strides[d] = step;
      step *= shape[d];
    }
    return strides;
  }

  function make(shape, dtype) {
    return { shape: [...shape], strides: steps(shape), offset: 0, data: new STORES[dtype](count(shape)), dtype };
  }
  const view = (a, shape, strides, offset = a.offset) => ({ shape, strides, offset, data: a.data, dtype: a.dtype });
  const number = (x, dtype = "float64") => ({ shape: [], strides: [], offset: 0, data: [dtype === "float32" ? Math.fround(x) : x], dtype });
  const isArray = (a) => typeof a === "object" && a !== null;
  const operand = (a) => (isArray(a) ? a : number(a));
  const size = (a) => count(a.shape);

  function jointShape(shapes) {
    const joint = new Array(Math.max(0, ...shapes.map((shape) => shape.length))).fill(1);
    for (const shape of shapes) {
      const ahead = joint.length - shape.length;
      shape.forEach((length, d) => {
        if (length === 1 || length === joint[ahead + d]) return;
        if (joint[ahead + d] !== 1) fail("ValueError", `operands could not be broadcast together with shapes ${shapes.map(show).join(" ")}`);
        joint[ahead + d] = length;
      });
    }
    return joint;
  }
  const alike = (a, b) => a.length === b.length && a.every((x, d) => x === b[d]);
  function broadcast(a, shape) {
    if (alike(a.shape, shape)) return a;
    const ahead = shape.length - a.shape.length;
    const fits = ahead >= 0 && a.shape.every((length, d) => length === 1 || length === shape[ahead + d]);
    if (!fits) fail("ValueError", `could not broadcast input array from shape ${show(a.shape)} into shape ${show(shape)}`);
    const strides = shape.map((length, d) => (d < ahead || a.shape[d - ahead] === 1 ? 0 : a.strides[d - ahead]));
    return view(a, [...shape], strides);
  }
  function axisOf(axis, ndim) {
    if (axis < -ndim || axis >= ndim) fail("AxisError", `axis ${axis} is out of bounds for array of dimension ${ndim}`);
    return axis < 0 ? axis + ndim : axis;
  }

  // ---- 要素を巡る ----
  // 続けて巡れる軸を 1 つにまとめる。views はどれも同じ形
  function merged(shape, views) {
    const lengths = [], strides = views.map(() => []);
    shape.forEach((length, d) => {
      if (length === 1) return;
      const last = lengths.length - 1;
      const joins = last >= 0 && views.every((v, k) => strides[k][last] === v.strides[d] * length);
      lengths[joins ? last : last + 1] = joins ? lengths[last] * length : length;
      views.forEach((v, k) => (strides[k][joins ? last : last + 1] = v.strides[d]));
    });
    return [lengths, strides];
  }
  // いちばん内側の軸の 1 列ごとに visit(長さ, 各 view の番地, 各 view の歩幅) を呼ぶ
  function rows(shape, views, visit) {
    if (count(shape) === 0) return;
    const [lengths, strides] = merged(shape, views), inner = lengths.length - 1;
    const at = views.map((v) => v.offset), index = lengths.map(() => 0);
    const length = inner < 0 ? 1 : lengths[inner], stride = strides.map((s) => (inner < 0 ? 0 : s[inner]));
    for (let d = 0; d >= 0; ) {
      visit(length, at, stride);
      for (d = inner - 1; d >= 0; d--) {
        const ends = ++index[d] === lengths[d], move = ends ? 1 - lengths[d] : 1;
        for (let k = 0; k < at.length; k++) at[k] += move * strides[k][d];
        if (!ends) break;
        index[d] = 0;
      }
    }
  }

  // 1 列の各要素を f(operands の要素) にする
  const LOOPS = [
    (f, out) => (n, [o], [s]) => { for (let i = 0; i < n; i++, o += s) out[o] = f(); },
    (f, out, x) => (n, [o, a], [s, da]) => { for (let i = 0; i < n; i++, o += s, a += da) out[o] = f(x[a]); },
    (f, out, x, y) => (n, [o, a, b], [s, da, db]) => { for (let i = 0; i < n; i++, o += s, a += da, b += db) out[o] = f(x[a], y[b]); },
    (f, out, x, y, z) => (n, [o, a, b, c], [s, da, db, dc]) => { for (let i = 0; i < n; i++, o += s, a += da, b += db, c += dc) out[o] = f(x[a], y[b], z[c]); },
  ];
  function fill(f, target, operands) {
    const views = [target, ...operands.map((a) => apart(operand(a), target))], cast = CASTS[target.dtype];
    const loop = LOOPS[operands.length](cast ? (x, y, z) => cast(f(x, y, z)) : f, ...views.map((v) => v.data));
    // 詰まった同じ形の配列と数だけなら(よくあるので速く)、端から順に巡る
    const strides = views.map((v) => (v.shape.length === 0 ? 0 : packed(v) && alike(v.shape, target.shape) ? 1 : NaN));
    if (strides.includes(NaN)) rows(target.shape, views.map((v) => broadcast(v, target.shape)), loop);
    else loop(size(target), views.map((v) => v.offset), strides);
    return target;
  }
  function packed({ shape, strides }) {
    let step = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      if (strides[d] !== step) return false;
      step *= shape[d];
    }
    return true;
  }
  // models のうち形が shape のものが、そろって C 順でない並び方なら、新しい配列もその並びにする(NumPy と同じ)
  function like(shape, dtype, models) {
    const whole = models.filter((a) => a.shape.length > 1 && alike(a.shape, shape));
    if (whole.length === 0 || whole.some(packed)) return make(shape, dtype);
    const orders = whole.map((a) => shape.map((_, d) => d).sort((d, e) => Math.abs(a.strides[e]) - Math.abs(a.strides[d]))), [order] = orders;
    if (!orders.every((each) => alike(each, order))) return make(shape, dtype);
    return transpose(make(order.map((d) => shape[d]), dtype), order.map((_, d) => order.indexOf(d)));
  }
  // 書き込む先と重なっていて、並びが違う配列は、書き換わる前に写しておく
  function apart(a, target) {
    if (a.data !== target.data) return a;
    return a.offset === target.offset && alike(a.strides, target.strides) && alike(a.shape, target.shape) ? a : copy(a);
  }

  const map = (f, dtype, ...operands) => fill(f, make(jointShape(operands.map((a) => (isArray(a) ? a.shape : []))), dtype), operands);
  const copy = (a, dtype = a.dtype) => fill((x) => x, make(a.shape, dtype), [a]);
  const assign = (target, source) => fill((x) => x, target, [source]);
  const flat = (a) => copy(a, "float64").data;
  function of(values, shape, dtype = "float64", order = "C") {
    const a = order === "F" ? transpose(make([...shape].reverse(), dtype)) : make(shape, dtype);
    return assign(a, { ...make([0], "float64"), shape: [...shape], strides: steps(shape), data: values });
  }

  // ---- 形を変える ----
  function transpose(a, axes = a.shape.map((_, d) => a.shape.length - 1 - d)) {
    const order = axes.map((axis) => axisOf(axis, a.shape.length));
    if (order.length !== a.shape.length || new Set(order).size !== order.length) fail("ValueError", "axes don't match array");
    return view(a, order.map((d) => a.shape[d]), order.map((d) => a.strides[d]));
  }
  // 写さずに新しい形で巡れるなら、その歩幅
  function restrided(a, shape) {
    const [lengths, [strides]] = merged(a.shape, [a]), found = new Array(shape.length);
    let left = 1, step = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      if (left === 1 && shape[d] > 1) [left, step] = [lengths.pop(), strides.pop()];
      if (left % shape[d] !== 0) return null;
      found[d] = step;
      step *= shape[d];
      left /= shape[d];
    }
    return found;
  }
  function reshape(a, shape) {
    const known = count(shape.filter((length) => length !== -1));
    const full = shape.map((length) => (length === -1 ? size(a) / known : length));
    if (count(full) !== size(a) || !full.every(Number.isInteger)) fail("ValueError", `cannot reshape array of size ${size(a)} into shape ${show(shape)}`);
    const strides = size(a) > 0 && restrided(a, full);
    return strides ? view(a, full, strides) : view(copy(a), full, steps(full), 0);
  }

  // ---- まとめる ----
  // 2 つずつに分けて足す(NumPy と同じ分け方)。round は 1 回の足し算の丸め
  function pairwise(data, at, n, step, round) {
    if (n < 8) {
      let total = -0;
      for (let i = 0; i < n; i++) total = round(total + data[at + i * step]);
      return total;
    }
    if (n > 128) {
      const half = Math.floor(n / 2), head = half - (half % 8);
      return round(pairwise(data, at, head, step, round) + pairwise(data, at + head * step, n - head, step, round));
    }
    const r = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => data[at + k * step]), whole = n - (n % 8);
    for (let i = 8; i < whole; i += 8) for (let k = 0; k < 8; k++) r[k] = round(r[k] + data[at + (i + k) * step]);
    let total = round(round(round(r[0] + r[1]) + round(r[2] + r[3])) + round(round(r[4] + r[5]) + round(r[6] + r[7])));
    for (let i = whole; i < n; i++) total = round(total + data[at + i * step]);
    return total;
  }
  function axesOf(axis, ndim) {
    return axis === null || axis === undefined ? new Set(Array(ndim).keys()) : new Set([axis].flat().map((each) => axisOf(each, ndim)));
  }
  // axis の軸をまとめる。歩幅の小さい軸が内側で、row(それまで, data, 番地, 長さ, 歩幅) はその 1 列をまとめる
  function reduce(a, axis, keepdims, { dtype, start, step, row }) {
    const ndim = a.shape.length, reduced = axesOf(axis, ndim), free = (_, d) => !reduced.has(d);
    const kept = make(a.shape.map((length, d) => (reduced.has(d) ? 1 : length)), dtype);
    const out = kept.data.fill(start), order = a.shape.map((_, d) => d).sort((d, e) => Math.abs(a.strides[e]) - Math.abs(a.strides[d]));
    rows(order.map((d) => a.shape[d]), [transpose(broadcast(kept, a.shape), order), transpose(a, order)], (n, [o, at], [so, sa]) => {
      if (so === 0) out[o] = row(out[o], a.data, at, n, sa);
      else for (let i = 0; i < n; i++) out[o + i * so] = step(out[o + i * so], a.data[at + i * sa]);
    });
    return keepdims ? kept : view(kept, a.shape.filter(free), kept.strides.filter(free));
  }
  const folding = (f) => (total, data, at, n, step) => {
    for (let i = 0; i < n; i++) total = f(total, data[at + i * step]);
    return total;
  };
  const whole = (a) => (a.dtype === "bool" ? "int64" : a.dtype);
  const rounding = (dtype) => (dtype === "float32" ? Math.fround : (x) => x);
  function sum(a, axis = null, keepdims = false) {
    const round = rounding(a.dtype);
    const row = (total, data, at, n, step) => total + pairwise(data, at, n, step, round);
    return reduce(a, axis, keepdims, { dtype: whole(a), start: 0, step: (x, y) => x + y, row });
  }
  function prod(a, axis = null, keepdims = false) {
    const round = rounding(a.dtype), step = (x, y) => round(x * y);
    return reduce(a, axis, keepdims, { dtype: whole(a), start: 1, step, row: folding(step) });
  }
  const extreme = (name, step, start) => (a, axis = null, keepdims = false) => {
    if (size(a) === 0) fail("ValueError", `zero-size array to reduction operation ${name} which has no identity`);
    return reduce(a, axis, keepdims, { dtype: a.dtype, start, step, row: folding(step) });
  };
  const logical = (step, start) => (a, axis = null, keepdims = false) =>
    reduce(copy(a, "bool"), axis, keepdims, { dtype: "bool", start, step, row: folding(step) });

  // ---- 行列の積 ----
  // 最後の 2 つの軸が行列で、その前の軸はブロードキャストする
  function matmul(a, b) {
    if (a.shape.length === 0 || b.shape.length === 0) fail("ValueError", "matmul: Input operand does not have enough dimensions (has 0, gufunc core with signature (n?,k),(k,m?)->(n?,m?) requires 1)");
    const left = a.shape.length === 1 ? view(a, [1, ...a.shape], [0, ...a.strides]) : a;
    const right = b.shape.length === 1 ? view(b, [...b.shape, 1], [...b.strides, 0]) : b;
    const [n, k] = left.shape.slice(-2), [inner, m] = right.shape.slice(-2);
    if (k !== inner) fail("ValueError", `matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size ${inner} is different from ${k})`);
    const outer = jointShape([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
    const dtype = ["float64", "float32", "int64", "bool"].find((each) => each === a.dtype || each === b.dtype);
    const product = make([...outer, n, m], dtype === "float32" && [a, b].some((each) => each.dtype === "int64") ? "float64" : dtype);
    const p = broadcast(left, [...outer, n, k]), q = broadcast(right, [...outer, k, m]), d = outer.length;
    const fronts = [product, p, q].map((each) => view(each, outer, each.strides.slice(0, d)));
    rows([...outer, 1], fronts.map((v) => ({ ...v, strides: [...v.strides, 0] })), (length, at, stride) => {
      for (let i = 0; i < length; i++) multiply(at.map((o, which) => o + i * stride[which]));
    });
    function multiply([o, at, bt]) {
      for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) {
        let total = 0, x = at + i * p.strides[d], y = bt + j * q.strides[d + 1];
        for (let l = 0; l < k; l++, x += p.strides[d + 1], y += q.strides[d]) total += p.data[x] * q.data[y];
        product.data[o + i * m + j] = dtype === "bool" ? Number(total > 0) : total;
      }
    }
    const shape = [...outer, ...(a.shape.length === 1 ? [] : [n]), ...(b.shape.length === 1 ? [] : [m])];
    return reshape(product, shape);
  }

  globalThis.arrays = {
    of, make, like, number, view, map, fill, assign, flat, copy, size, transpose, reshape, broadcast, jointShape, axisOf, rows, show, fail, sum, prod, matmul,
    max: extreme("maximum", (x, y) => (x >= y || x !== x ? x : y), -Infinity),
    min: extreme("minimum", (x, y) => (x <= y || x !== x ? x : y), Infinity),
    all: logical((x, y) => x && y, 1),
    any: logical((x, y) => x || y, 0),
  };
})();
