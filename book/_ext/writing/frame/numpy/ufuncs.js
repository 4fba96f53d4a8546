// 名前のついた要素ごとの計算と、結果の型の規則(NumPy 2 と同じ)。
// オペランドは配列か、{ weak: "int64" か "float64", value } (Python の数。型は相手の配列に合わせる)。

"use strict";

(() => {
  const { map, fill, like, assign, fail, jointShape, show, number } = globalThis.arrays;

  const sign = (x) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x);
  function rint(x) {
    const near = Math.round(x);
    return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near; // ちょうど半分なら偶数の側へ
  }
  function mod(x, y) {
    const rest = x % y;
    return rest === 0 ? (y < 0 || Object.is(y, -0) ? -0 : 0) : rest < 0 !== y < 0 ? rest + y : rest;
  }
  function floorDivide(x, y) {
    if (y === 0) return x / y;
    const rest = x % y, quotient = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0 ? 1 : 0), floor = Math.floor(quotient);
    return quotient === 0 ? 0 * (x / y) : quotient - floor > 0.5 ? floor + 1 : floor;
  }
  // C の pow と同じ: 底が 1 なら、指数が NaN や無限大でも 1
  const power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : y === 2 ? x * x : y === 0.5 && x > 0 ? Math.sqrt(x) : x ** y);
  const Inf = Infinity;

  // 規則: number は入力の型のまま(整数の商と初等関数は float)、test は bool を返す
  const OPERATIONS = {
    number: {
      add: (x, y) => x + y, multiply: (x, y) => x * y, power, floor_divide: floorDivide, remainder: mod, square: (x) => x * x,
      maximum: (x, y) => (x >= y || x !== x ? x : y), minimum: (x, y) => (x <= y || x !== x ? x : y),
      fmax: (x, y) => (x >= y || y !== y ? x : y), fmin: (x, y) => (x <= y || y !== y ? x : y),
      absolute: Math.abs, floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, rint, positive: (x) => x, conjugate: (x) => x,
      bitwise_and: (x, y) => x & y, bitwise_or: (x, y) => x | y, bitwise_xor: (x, y) => x ^ y,
    },
    signed: { subtract: (x, y) => x - y, negative: (x) => -x, sign },
    float: {
      divide: (x, y) => x / y, reciprocal: (x) => 1 / x, sqrt: Math.sqrt, cbrt: Math.cbrt, exp: Math.exp, exp2: (x) => 2 ** x, expm1: Math.expm1,
      log: Math.log, log2: Math.log2, log10: Math.log10, log1p: Math.log1p, sin: Math.sin, cos: Math.cos, tan: Math.tan,
      arcsin: Math.asin, arccos: Math.acos, arctan: Math.atan, arctan2: Math.atan2, hypot: Math.hypot,
      sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, fabs: Math.abs, float_power: power,
      logaddexp: (x, y) => (x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)))),
    },
    test: {
      equal: (x, y) => x === y, not_equal: (x, y) => x !== y, less: (x, y) => x < y, less_equal: (x, y) => x <= y, greater: (x, y) => x > y,
      greater_equal: (x, y) => x >= y, isnan: (x) => x !== x, isinf: (x) => x === Inf || x === -Inf, isfinite: Number.isFinite, signbit: (x) => x < 0 || Object.is(x, -0),
      logical_not: (x) => x === 0, logical_and: (x, y) => x !== 0 && y !== 0, logical_or: (x, y) => x !== 0 || y !== 0, logical_xor: (x, y) => (x !== 0) !== (y !== 0),
    },
  };
  const RULES = new Map(Object.entries(OPERATIONS).flatMap(([rule, table]) => Object.entries(table).map(([name, f]) => [name, { rule, f }])));

  // ---- 型 ----
  const RANK = { bool: 0, int64: 1, float32: 2, float64: 3 };
  function higher(a, b) {
    if (a === b) return a;
    const mixed = (a === "int64" && b === "float32") || (a === "float32" && b === "int64");
    return mixed ? "float64" : RANK[a] > RANK[b] ? a : b;
  }
  // 強い型(配列と NumPy のスカラー)どうしで決め、Python の数は種類が上のときだけ効く
  function commonType(operands) {
    let strong = null, weak = null;
    for (const a of operands) {
      if (a.weak) weak = weak ? higher(weak, a.weak) : a.weak;
      else strong = strong ? higher(strong, a.dtype) : a.dtype;
    }
    return !strong ? weak : !weak || strong === "float32" ? strong : higher(strong, weak);
  }
  function resultType(name, rule, dtype) {
    if (rule === "test") return "bool";
    if (rule === "float" && (dtype === "int64" || dtype === "bool")) return "float64";
    if (dtype === "bool" && rule === "signed") fail("TypeError", `numpy boolean ${name}, the \`${name === "negative" ? "~" : "-"}\` operator, is not supported, use the bitwise_xor, the \`^\` operator, or the logical_xor function instead.`);
    if (name.startsWith("bitwise_") && dtype.startsWith("float")) fail("TypeError", `ufunc '${name}' not supported for the input types, and the inputs could not be safely coerced to any supported types according to the casting rule ''safe''`);
    return name === "power" && dtype === "bool" ? "int64" : dtype;
  }
  const KINDS = { bool: 0, int64: 1, float32: 2, float64: 2 };
  function checkCast(name, from, to) {
    if (KINDS[from] > KINDS[to]) fail("UFuncTypeError", `Cannot cast ufunc '${name}' output from dtype('${from}') to dtype('${to}') with casting rule 'same_kind'`);
  }
  const strengthen = (a, dtype) => (a.weak ? number(a.value, dtype) : a);

  // 名前 name の計算。out があれば、そこへ書く
  function operate(name, operands, out) {
    const { rule, f } = RULES.get(name), common = commonType(operands), dtype = resultType(name, rule, common);
    const ready = operands.map((a) => strengthen(a, rule === "float" ? dtype : common));
    if (name === "power" && dtype === "int64" && globalThis.arrays.any(map((y) => y < 0, "bool", ready[1])).data[0]) fail("ValueError", "Integers to negative integer powers are not allowed.");
    const g = dtype === "int64" ? whole(f) : f;
    if (!out) return fill(g, like(jointShape(ready.map((a) => a.shape)), dtype, ready), ready);
    checkCast(name, dtype, out.dtype);
    const shape = jointShape([out.shape, ...ready.map((a) => a.shape)]);
    if (shape.some((length, d) => length !== out.shape[d])) fail("ValueError", `non-broadcastable output operand with shape ${show(out.shape)} doesn't match the broadcast shape ${show(shape)}`);
    return out.dtype === dtype || out.dtype === "float32" ? fill(g, out, ready) : assign(out, map(g, dtype, ...ready));
  }
  // 整数に −0・NaN・無限大はない(0 での割り算は、NumPy では 0)
  const whole = (f) => (x, y) => {
    const value = f(x, y);
    return Number.isFinite(value) ? value + 0 : 0;
  };
  function where(condition, x, y) {
    const dtype = commonType([x, y]);
    return map((c, a, b) => (c ? a : b), dtype, condition, strengthen(x, dtype), strengthen(y, dtype));
  }

  Object.assign(globalThis.arrays, { operate, where, commonType, strengthen, ufuncs: [...RULES.keys()] });
})();
