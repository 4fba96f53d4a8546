// 候補の右辺に現れる演算と、候補に書ける言葉: 勾配や重みや状態にすること、状態を分けるもの。
// fumoto.checking.candidates.vocabulary を、ブラウザーの中で動かすもの。計算はどれも float64 である。
"use strict";

(() => {
  const { arrays } = globalThis;

  class Impossible extends Error {} // この手法の中では手に入らない値か、形の合わない計算

  const known = (value) => {
    if (value === undefined) throw new Impossible("この手法にない値です");
    return value;
  };
  const anArray = (value) => {
    if (typeof known(value) === "number") throw new Impossible("配列ではありません");
    return value;
  };
  const isNumber = (value) => typeof value === "number";
  const elementwise = (of) => (...given) => {
    const values = given.slice(0, of.length).map(known);
    return values.every(isNumber) ? of(...values) : arrays.map(of, "float64", ...values);
  };
  const size = (a) => (isNumber(a) ? 1 : arrays.size(a));
  const flat = (a) => (isNumber(a) ? Float64Array.of(a) : arrays.flat(a));
  const total = (a) => (isNumber(known(a)) ? a : flat(arrays.sum(a))[0]);
  const square = elementwise((x) => x * x);
  const norm = (a) => Math.sqrt(total(square(a)));
  const transposed = (a) => arrays.transpose(anArray(a));
  const shape = (a) => (isNumber(a) ? [] : a.shape);

  function largest(a) {
    const values = flat(known(a));
    if (values.length === 0) throw new Impossible("要素がありません");
    return values.reduce((x, y) => (x > y || Number.isNaN(x) ? x : y));
  }

  // axis に沿った平均を、もとの形に広げたもの
  function meanAlong(a, axis) {
    if (isNumber(known(a)) || a.shape.length === 0 || arrays.size(a) === 0) return a;
    const along = axis < 0 ? axis + a.shape.length : axis;
    const mean = elementwise((x) => x / a.shape[along])(arrays.sum(a, along, true));
    return elementwise((m, x) => m + 0 * x)(mean, a);
  }

  // 特異値をどれも 1 にしたもの。列どうしを直交させる回転を繰り返す(片側ヤコビ法)
  function orthogonal(a) {
    const [rows, columns] = anArray(a).shape;
    if (columns > rows) return transposed(orthogonal(transposed(a)));
    const u = Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => arrays.flat(a)[i * columns + j]));
    const v = Array.from({ length: columns }, (_, j) => Array.from({ length: columns }, (_, i) => Number(i === j)));
    const dot = (x, y) => x.reduce((sum, each, i) => sum + each * y[i], 0);
    const turn = (x, y, c, s) => x.forEach((each, i) => ([x[i], y[i]] = [c * each - s * y[i], s * each + c * y[i]]));
    for (let sweep = 0; sweep < 60; sweep += 1) {
      let apart = 0;
      for (let p = 0; p < columns; p += 1) {
        for (let q = p + 1; q < columns; q += 1) {
          const [pp, qq, pq] = [dot(u[p], u[p]), dot(u[q], u[q]), dot(u[p], u[q])];
          if (!pq) continue;
          apart = Math.max(apart, Math.abs(pq) / Math.sqrt(pp * qq));
          const zeta = (qq - pp) / (2 * pq);
          const tangent = (Math.sign(zeta) || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
          const cosine = 1 / Math.sqrt(1 + tangent * tangent);
          turn(u[p], u[q], cosine, cosine * tangent);
          turn(v[p], v[q], cosine, cosine * tangent);
        }
      }
      if (apart < 1e-15) break;
    }
    const units = u.map((column) => column.map((x) => x / Math.sqrt(dot(column, column))));
    const values = Array.from({ length: rows * columns }, (_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      return units.reduce((sum, unit, k) => sum + unit[i] * v[k][j], 0);
    });
    return arrays.of(values, a.shape);
  }

  // 記号の軸を、全部の添字の軸の上に置く(ない軸の長さは 1)。添字のない軸は、その後に続く
  function placed(a, axes, count) {
    const order = axes.map((_, at) => at).sort((x, y) => axes[x] - axes[y]);
    const rest = anArray(a).shape.slice(axes.length);
    const lengths = [...Array(count).fill(1), ...rest];
    axes.forEach((axis, at) => (lengths[axis] = a.shape[at]));
    return arrays.reshape(arrays.transpose(a, [...order, ...rest.map((_, at) => axes.length + at)]), lengths);
  }

  // axis に沿った和。添字によらない項は、足す回数だけ掛ける
  function along(a, axis, low, high) {
    const count = known(high) - low + 1;
    if (shape(a).length <= axis || (a.shape[axis] === 1 && count !== 1)) return operations.mul(a, count);
    if (a.shape[axis] !== count) throw new Impossible("和の範囲が、配列の長さと違います");
    return arrays.sum(a, axis, true);
  }

  const operations = {
    add: elementwise((x, y) => x + y),
    sub: elementwise((x, y) => x - y),
    mul: elementwise((x, y) => x * y),
    div: elementwise((x, y) => x / y),
    pow: elementwise((x, y) => x ** y),
    neg: elementwise((x) => -x),
    sqrt: elementwise(Math.sqrt),
    sign: elementwise(Math.sign),
    abs: elementwise(Math.abs),
    max: elementwise(Math.max),
    min: elementwise(Math.min),
    matmul: (a, b) => arrays.matmul(anArray(a), anArray(b)),
    mean: (a) => total(a) / size(a),
    mean0: (a) => meanAlong(a, 0),
    mean1: (a) => meanAlong(a, -1),
    wide: (a) => (anArray(a).shape[0] > a.shape[1] ? transposed(a) : a),
    turned: (a, like) => (String(shape(known(a))) === String(shape(like)) ? a : transposed(a)),
    squeezed: (a, kept, count) => (shape(a).length < count ? a : arrays.reshape(a, [...a.shape.slice(0, kept), ...a.shape.slice(count)])),
    ...{ square, total, norm, largest, transposed, orthogonal, placed, along },
  };

  // 間違いのせいで負になった値を、隠すもの
  const patched = { ...operations, sqrt: elementwise((x) => Math.sqrt(Math.abs(x))) };

  const clip = (a, c) => elementwise((x) => (x < -c ? -c : x > c ? c : x))(a);
  const shrunk = (g, c, length) => operations.mul(g, Math.min(1, c / Math.max(length, 1e-300)));
  const everyNorm = (all) => Math.sqrt(all.reduce((sum, g) => sum + total(square(g)), 0));
  const { add, mul, div } = operations;
  const where = elementwise((condition, x, y) => (condition !== 0 ? x : y));
  const truncated = elementwise(Math.trunc);
  const float16 = elementwise(toFloat16);

  // いちばん近い float16(有効数字 11 ビット)。ちょうど中間なら、偶数の方
  function toFloat16(x) {
    if (!Number.isFinite(x) || x === 0) return x;
    const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
    const unit = 2 ** (exponent - 10);
    const rounded = nearestEven(x / unit) * unit;
    return Math.abs(rounded) > 65504 ? Math.sign(x) * Infinity : rounded;
  }

  function nearestEven(x) {
    const low = Math.floor(x);
    if (x - low !== 0.5) return Math.round(x);
    return low % 2 === 0 ? low : low + 1;
  }

  // 勾配にすること: (勾配, 重み, 数, 全部のキーの勾配)
  const gradients = {
    mean: (g) => total(g) / Math.max(size(g), 1),
    sum: total,
    "divided by size": (g) => div(g, Math.max(size(g), 1)),
    "divided by length": (g) => div(g, Math.max(shape(g)[0] ?? 1, 1)),
    clip: (g, w, c) => clip(g, c),
    "clip norm": (g, w, c) => shrunk(g, c, norm(g)),
    "clip global norm": (g, w, c, all) => shrunk(g, c, everyNorm(all)),
    unit: (g, w, c) => div(g, norm(g) + c),
    l1: (g, w, c) => add(g, mul(c, operations.sign(w))),
    normalize: (g) => div(g, norm(g) || NaN),
    sign: operations.sign,
    abs: operations.abs,
    square,
    decay: (g, w, c) => add(g, mul(c, w)),
    "double decay": (g, w, c) => add(g, mul(2 * c, w)),
    integer: truncated,
    floor: elementwise(Math.floor),
    times: (g, w, c) => mul(c, g),
  };

  // 更新した重みにすること: (新しい重み, 前の重み, 数, 記号の値)
  const weights = {
    decay: (after, w, c, k) => operations.sub(after, mul(c * known(k.eta), w)),
    "plain decay": (after, w, c) => operations.sub(after, mul(c, w)),
    float16,
    integer: truncated,
    integers: elementwise((after, w) => Math.trunc(Math.trunc(w) + (after - w))),
    clip: (after, w, c) => clip(after, c),
    round: (after, w, c) => elementwise((x) => nearestEven(x * 10 ** c) / 10 ** c)(after),
    sparse: (after, w, c, k) => where(k.g_t, after, w),
    times: (after, w, c) => elementwise((x, y) => y + c * (x - y))(after, w),
    fades: (after, w, c, k) => elementwise((x, y) => y + c ** k.k * (x - y))(after, w),
  };

  // 残す状態にすること
  const kept = {
    integer: truncated,
    mean: (value) => arrays.of(Array(size(value)).fill(total(value) / Math.max(size(value), 1)), shape(value)),
    float16,
  };

  // 状態を分けるもの
  const slots = {
    key: (key) => key,
    nothing: () => "",
    size: (key, w) => arrays.size(w),
    shape: (key, w) => String(w.shape),
    letter: (key) => key.slice(0, 1),
    head: () => "",
    number: (key) => key.split("#")[0],
  };

  const vocabulary = { gradients, weights, kept, slots };
  globalThis.fumoto = { tables: {}, Impossible, operations, patched, vocabulary, where, flat, shape, size };
})();
