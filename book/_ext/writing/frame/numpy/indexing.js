// 添字。items の要素は整数・{ start, stop, step }・"..."・null(新しい軸)・配列(整数か真偽)。
// 整数とスライスだけならビューを、配列の添字があれば番地の表を使う。

"use strict";

(() => {
  const { view, make, number, map, copy, flat, size, broadcast, jointShape, rows, fail, show, of, transpose, axisOf, reshape, assign } = globalThis.arrays;
  const isArray = (item) => item !== null && typeof item === "object" && "dtype" in item;

  // 真偽の配列を、真のところの番号の配列(軸の数だけ)に替える
  function nonzero(mask) {
    const truth = flat(mask), found = mask.shape.map(() => []);
    truth.forEach((value, i) => {
      if (!value) return;
      for (let d = mask.shape.length - 1, rest = i; d >= 0; d--) {
        found[d].push(rest % mask.shape[d]);
        rest = Math.floor(rest / mask.shape[d]);
      }
    });
    return found.map((numbers) => of(numbers, [numbers.length], "int64"));
  }
  function expanded(items, shape) {
    const full = items.flatMap((item, position) => {
      if (!isArray(item) || item.dtype !== "bool") return [item];
      const ahead = items.slice(0, position).filter((each) => each !== null && each !== "...").length;
      item.shape.forEach((length, d) => {
        if (!items.includes("...") && length !== shape[ahead + d]) fail("IndexError", `boolean index did not match indexed array along axis ${ahead + d}; size of axis is ${shape[ahead + d]} but size of corresponding boolean axis is ${length}`);
      });
      return nonzero(item);
    });
    if (!full.includes("...")) full.push("...");
    const given = full.filter((item) => item !== null && item !== "...").length;
    if (given > shape.length) fail("IndexError", `too many indices for array: array is ${shape.length}-dimensional, but ${given} were indexed`);
    const rest = Array(shape.length - given).fill({ start: null, stop: null, step: null });
    return full.flatMap((item) => (item === "..." ? rest : [item]));
  }
  function range({ start, stop, step }, length) {
    const by = step ?? 1, least = by < 0 ? -1 : 0, most = by < 0 ? length - 1 : length;
    if (by === 0) fail("ValueError", "slice step cannot be zero");
    const place = (end, ifMissing) => (end === null ? ifMissing : Math.min(Math.max(end < 0 ? end + length : end, least), most));
    const first = place(start, by < 0 ? most : least), last = place(stop, by < 0 ? least : most);
    return [first, Math.max(Math.ceil((last - first) / by), 0), by];
  }
  function within(i, length, axis) {
    if (i < -length || i >= length) fail("IndexError", `index ${i} is out of bounds for axis ${axis} with size ${length}`);
    return i < 0 ? i + length : i;
  }

  // a[items] を、ビュー(picks が空)か、ビューと配列の添字の組で表す
  function locate(a, items) {
    const shape = [], strides = [], picks = [];
    let offset = a.offset, axis = 0;
    const given = expanded(items, a.shape), mixed = given.some(isArray); // 配列の添字があれば、整数も配列の添字になる
    for (const item of given.map((each) => (mixed && typeof each === "number" ? number(each, "int64") : each))) {
      if (item === null) {
        shape.push(1), strides.push(0);
        continue;
      }
      const length = a.shape[axis], stride = a.strides[axis];
      if (typeof item === "number") offset += within(item, length, axis) * stride;
      else if (isArray(item)) {
        if (item.dtype !== "int64" && size(item) > 0) fail("IndexError", "arrays used as indices must be of integer (or boolean) type");
        const here = axis;
        picks.push({ at: shape.length, addresses: map((i) => within(i, length, here) * stride, "int64", item) });
      } else {
        const [first, count, by] = range(item, length);
        offset += first * stride;
        shape.push(count), strides.push(by * stride);
      }
      axis++;
    }
    return { base: view(a, shape, strides, offset), picks };
  }
  // 配列の添字がさす番地の表。添字が隣り合っていればその場所に、離れていれば先頭に、添字の軸が入る
  function table(base, picks) {
    const chosen = jointShape(picks.map(({ addresses }) => addresses.shape)), d = chosen.length;
    const place = picks.every(({ at }) => at === picks[0].at) ? picks[0].at : 0;
    const shape = [...base.shape.slice(0, place), ...chosen, ...base.shape.slice(place)];
    const line = (numbers, length, axis) => view(of(numbers, [length], "int64"), shape.map((_, k) => (k === axis ? length : 1)), shape.map((_, k) => (k === axis ? 1 : 0)));
    const free = base.shape.map((length, k) => line(Array.from({ length }, (_, i) => i * base.strides[k]), length, k < place ? k : k + d));
    const picked = picks.map(({ addresses }) => reshape(broadcast(addresses, chosen), [...chosen, ...base.shape.slice(place).map(() => 1)]));
    return [...free, ...picked].reduce((sum, each) => map((x, y) => x + y, "int64", sum, each), map((x) => x, "int64", broadcast(of([base.offset], [1], "int64"), shape)));
  }

  function get(a, items) {
    const { base, picks } = locate(a, items);
    if (picks.length === 0) return base;
    const places = table(base, picks), taken = make(places.shape, a.dtype);
    places.data.forEach((at, i) => (taken.data[i] = a.data[at]));
    return taken;
  }
  function set(a, items, source) {
    const { base, picks } = locate(a, items);
    if (picks.length === 0) return assign(base, source);
    const places = table(base, picks), values = assign(make(places.shape, a.dtype), source);
    places.data.forEach((at, i) => (a.data[at] = values.data[i]));
  }

  // ---- つなぐ、並べる、探す ----
  function concatenate(parts, axis, dtype) {
    const d = axisOf(axis, parts[0].shape.length), shape = [...parts[0].shape];
    parts.slice(1).forEach((part, which) => {
      if (part.shape.length !== shape.length) fail("ValueError", `all the input array dimensions except for the concatenation axis must match exactly, but along dimension 0, the array at index 0 has ${shape.length} dimension(s) and the array at index ${which + 1} has ${part.shape.length} dimension(s)`);
      part.shape.forEach((length, k) => {
        if (k !== d && length !== shape[k]) fail("ValueError", `all the input array dimensions except for the concatenation axis must match exactly, but along dimension ${k}, the array at index 0 has size ${shape[k]} and the array at index ${which + 1} has size ${length}`);
      });
    });
    shape[d] = parts.reduce((total, part) => total + part.shape[d], 0);
    const joined = make(shape, dtype);
    let from = 0;
    for (const part of parts) {
      assign(view(joined, part.shape, joined.strides, from * joined.strides[d]), part);
      from += part.shape[d];
    }
    return joined;
  }
  // axis の軸を最後に回し、1 列ずつ f(列) → 列 を当てる
  function along(f, a, axis, dtype) {
    const flattened = axis === null ? reshape(a, [-1]) : a, d = axisOf(axis ?? 0, flattened.shape.length);
    const order = [...flattened.shape.keys()].filter((k) => k !== d).concat(d), moved = copy(transpose(flattened, order), "float64");
    const length = moved.shape.at(-1), lines = [];
    for (let at = 0; at < moved.data.length; at += length) lines.push(f(moved.data.subarray(at, at + length)));
    const result = of(lines.flat(), [...moved.shape.slice(0, -1), lines[0]?.length ?? length], dtype);
    return transpose(result, order.map((_, k) => order.indexOf(k)));
  }
  function best(better, a, axis) {
    if (size(a) === 0) fail("ValueError", "attempt to get argmax of an empty sequence");
    const where = (line) => line.reduce((found, x, i) => (line[found] === line[found] && (better(x, line[found]) || x !== x) ? i : found), 0);
    const found = along((line) => [where(line)], a, axis, "int64"), d = axisOf(axis ?? 0, a.shape.length || 1);
    return view(found, found.shape.filter((_, k) => k !== d), found.strides.filter((_, k) => k !== d));
  }
  const running = (f, round) => (line) => {
    let total;
    return Array.from(line, (x, i) => (total = i === 0 ? x : round(f(total, x))));
  };
  const round = (a) => (a.dtype === "float32" ? Math.fround : (x) => x);
  const whole = (a) => (a.dtype === "bool" ? "int64" : a.dtype);
  const ascending = (x, y) => (x !== x ? 1 : y !== y ? -1 : x - y);

  Object.assign(globalThis.arrays, {
    get, set, nonzero, concatenate,
    argmax: (a, axis) => best((x, y) => x > y, a, axis),
    argmin: (a, axis) => best((x, y) => x < y, a, axis),
    cumsum: (a, axis) => along(running((x, y) => x + y, round(a)), a, axis, whole(a)),
    cumprod: (a, axis) => along(running((x, y) => x * y, round(a)), a, axis, whole(a)),
    sort: (a, axis) => along((line) => Array.from(line).sort(ascending), a, axis, a.dtype),
    argsort: (a, axis) => along((line) => [...line.keys()].sort((i, j) => ascending(line[i], line[j]) || i - j), a, axis, "int64"),
  });
})();
