// 特異値分解(片側ヤコビ法)。列どうしを 2 本ずつ回して直交させると、列の長さが特異値になる。

"use strict";

(() => {
  const { of, flat, transpose, copy, fail } = globalThis.arrays;
  const dot = (x, y) => x.reduce((total, each, i) => total + each * y[i], 0);

  // p と q の内積を 0 にする回転の (cos, sin)。すでに直交していれば null
  function rotation(p, q) {
    const [pp, qq, pq] = [dot(p, p), dot(q, q), dot(p, q)];
    if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) return null;
    const slope = (qq - pp) / (2 * pq), tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.hypot(1, slope)), cosine = 1 / Math.hypot(1, tangent);
    return [cosine, cosine * tangent];
  }
  function turn(p, q, [cosine, sine]) {
    p.forEach((x, i) => ([p[i], q[i]] = [cosine * x - sine * q[i], sine * x + cosine * q[i]]));
  }
  // 縦長の行列 a = U diag(s) Vᵀ。[U, s, Vᵀ] を返す
  function tall(a) {
    const [rows, n] = a.shape, values = flat(a);
    const columns = Array.from({ length: n }, (_, j) => Array.from({ length: rows }, (_, i) => values[i * n + j]));
    const right = columns.map((_, j) => columns.map((_, i) => Number(i === j)));
    for (let moved = true, sweep = 0; moved && sweep < 60; sweep++) {
      moved = false;
      for (let j = 0; j < n; j++) for (let k = j + 1; k < n; k++) {
        const turning = rotation(columns[j], columns[k]);
        if (!turning) continue;
        turn(columns[j], columns[k], turning), turn(right[j], right[k], turning);
        moved = true;
      }
    }
    const lengths = columns.map((column) => Math.sqrt(dot(column, column)));
    const order = lengths.map((_, j) => j).sort((j, k) => lengths[k] - lengths[j]);
    const left = order.map((j) => columns[j].map((x) => (lengths[j] > 0 ? x / lengths[j] : 0)));
    return [transpose(of(left.flat(), [n, rows])), of(order.map((j) => lengths[j]), [n]), of(order.flatMap((j) => right[j]), [n, n])];
  }
  function svd(a) {
    if (a.shape.length !== 2) fail("LinAlgError", `${a.shape.length}-dimensional array given. Array must be two-dimensional`);
    const wide = a.shape[0] < a.shape[1], [u, s, v] = tall(wide ? transpose(a) : a);
    return (wide ? [transpose(v), s, transpose(u)] : [u, s, v]).map((part) => copy(part, a.dtype === "float32" ? "float32" : "float64"));
  }
  globalThis.arrays.svd = svd;
})();
