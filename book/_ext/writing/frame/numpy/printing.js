// 配列を、NumPy の print に似せて文字にする。

"use strict";

(() => {
  const { get, flat, size } = globalThis.arrays;

  // float32 に戻したとき同じ値になる、いちばん短い数
  function short(x) {
    for (let digits = 1; digits < 9; digits++) if (Math.fround(Number(x.toPrecision(digits))) === x) return Number(x.toPrecision(digits));
    return Number(x.toPrecision(9));
  }
  const odd = (x) => (x !== x ? "nan" : x > 0 ? "inf" : "-inf");
  const signed = (x, text) => (Object.is(x, -0) ? `-${text}` : text);
  function fixed(x) {
    const text = x.toFixed(8).replace(/0+$/, "");
    return signed(x, text);
  }
  function scientific(x, places) {
    const [head, power] = x.toExponential(places).split("e");
    return signed(x, `${head.includes(".") ? head : `${head}.`}e${power[0]}${power.slice(1).padStart(2, "0")}`);
  }
  const fraction = (text) => text.split("e")[0].split(".")[1]?.length ?? 0;

  // 全体を見て決める、1 つの数の書き方
  function formatOf(numbers, dtype) {
    const plain = dtype === "bool" ? (x) => (x ? "True" : "False") : String;
    let texts = numbers.map(plain), write = plain;
    if (dtype.startsWith("float")) {
      const exact = dtype === "float32" ? numbers.map((x) => (Number.isFinite(x) ? short(x) : x)) : numbers, finite = exact.filter(Number.isFinite);
      const sizes = finite.map(Math.abs).filter((x) => x > 0), most = Math.max(...sizes), least = Math.min(...sizes);
      const wide = sizes.length > 0 && (most >= 1e8 || least < 1e-4 || most / least > 1000);
      const places = wide ? Math.min(8, Math.max(...finite.map((x) => fraction(x.toExponential())))) : Math.max(0, ...finite.map((x) => fraction(fixed(x))));
      const one = (x) => (wide ? scientific(x, places) : fixed(x).padEnd(fixed(x).indexOf(".") + 1 + places));
      write = (x) => (Number.isFinite(x) ? one(dtype === "float32" ? short(x) : x) : odd(x));
      texts = numbers.map(write);
    }
    const width = Math.max(0, ...texts.map((text) => text.length));
    return (x) => write(x).padStart(width);
  }
  // 大きな配列は、各軸の両端の 3 つだけを書く
  const shownAt = (length, all) => (all || length <= 6 ? [...Array(length).keys()] : [0, 1, 2, null, length - 3, length - 2, length - 1]);

  function text(a, comma, indent) {
    const all = size(a) <= 1000;
    const leaves = (part) => (part.shape.length === 0 ? [part.data[part.offset]] : shownAt(part.shape[0], all).flatMap((i) => (i === null ? [] : leaves(get(part, [i])))));
    const write = formatOf(all ? [...flat(a)] : leaves(a), a.dtype);
    function rows(part, margin, closing) {
      if (part.shape.length === 0) return write(part.data[part.offset]);
      const items = shownAt(part.shape[0], all).map((i) => (i === null ? "..." : rows(get(part, [i]), `${margin} `, closing + 1)));
      if (part.shape.length > 1) return `[${items.join(comma.trimEnd() + "\n".repeat(part.shape.length - 1) + margin + " ")}]`;
      const lines = [];
      let line = "";
      for (const item of items) {
        if (line && margin.length + 1 + line.length + item.length > 75 - Math.max(comma.trimEnd().length, closing)) lines.push(line.trimEnd()), (line = "");
        line += item + comma;
      }
      return `[${[...lines, line.slice(0, line.length - comma.length)].join(`\n${margin} `)}]`;
    }
    return rows(a, indent, 1);
  }

  Object.assign(globalThis.arrays, { text, short });
})();
