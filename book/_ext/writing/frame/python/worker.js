// 読者の Python を動かすところ。ページから切り離された Worker の中で、1 つの質問に 1 度だけ使われる。
// 前の質問で書き換えられたものが残らないように、答えたら捨てられる(frame.js)。
"use strict";

const $B = globalThis.__BRYTHON__;
const { arrays, modules, walks } = globalThis;
for (const name of Object.keys(console)) console[name] = () => {}; // Brython は、断りなく書き出す

// モジュールは、ここに添えたものだけ。探しに出ない
$B.make_import_paths = (file) => ($B.import_info[file] = { meta_path: [$B.finders.VFS], path_hooks: [], path: [] });
$B.use_VFS = true;
$B.VFS = {};
$B.update_VFS(modules);
$B.brython({ debug: 0, indexeddb: false });

// 引数の名前を、書き方の違いのない形にそろえる(code/fumoto/checking/calling/values.py の normal と同じ)
const GREEK = { α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "eps", ϵ: "eps", η: "eta", λ: "lambda", μ: "mu", ρ: "rho" };
globalThis.plainName = (name) => name.normalize("NFKC").toLowerCase().replaceAll("_", "").replace(/./gu, (c) => GREEK[c] ?? c);

$B.runPythonSource("import learner, initializers, layers", { id: "loading", debug: 0 });
// name: learner.py の関数か、"モジュール.関数"
function call(name, ...values) {
  const [own, module = "learner"] = name.split(".").reverse();
  return $B.$call($B.module_getattr($B.imported[module], own), ...values);
}
const ndarray = $B.module_getattr($B.imported.numpy, "ndarray"), None = $B.builtins.None;

// 確かめる相手
let asked = { code: "", exercise: {}, names: $B.empty_dict() };

const fail = (sentence, variant, line = null) => { throw { sentence, line, variant }; };
// Python の中で起きたエラーを、読者に見せる文にする。文にできなければ、読者の間違いとは言わない
function told(error) {
  if (error.sentence !== undefined) return error;
  try {
    const [sentence, line, variant] = [...call("describe", $B.exception(error), asked.code, asked.names)].map((value) => (value === None ? null : value));
    return { sentence, line, variant };
  } catch {
    return { sentence: call("cannot", "途中で止まりました"), line: null, variant: "page/cannot" };
  }
}

// ---- 1 つの問題の上での足どり ----
const list = (values) => $B.$list([...values]);
const dictionary = (entries, convert) => {
  const found = $B.empty_dict();
  for (const [key, value] of entries) $B.builtins.dict.$setitem(found, key, convert(value));
  return found;
};
const named = (keys, kernels) => dictionary(keys.map(({ key }, k) => [key, kernels[k]]), (array) => ({ ob_type: ndarray, array }));
const negated = (g) => arrays.map((x) => -x, g.dtype, g);

function walk(problem, hyperparameters, way) {
  try {
    return walked(problem, hyperparameters, way);
  } catch (error) {
    throw told(error);
  }
}
// 重みも勾配も、読者に渡すたびに新しく作る。"reusing" のときの勾配だけは、はじめの配列に書き続ける
function walked({ keys, gradients }, hyperparameters, way) {
  const order = list(keys.map(({ key }) => key)), { title, names = {} } = asked.exercise;
  const weights = () => named(keys, keys.map((one) => arrays.of(one.start, one.shape, one.dtype, one.order)));
  const slopes = (step) => keys.map((one, k) => arrays.of(gradients[step][k], one.shape, one.dtype, one.order));
  const begin = () => [...call("start", asked.names, title, dictionary(Object.entries(hyperparameters), $B.fast_float), dictionary(Object.entries(names), list))];

  asked.names = call("run", asked.code);
  const [optimizer, unplaced] = begin();
  const [twin] = way === "twins" ? begin() : [null];
  const history = { params: [], state: {}, notes: [], unplaced: [...unplaced] };
  history.numbers = [...call("numbers", optimizer)].map(([name, value]) => [plainName(name), python.number(value)]);
  let params = weights(), others = weights(), reused = null, replaced = false, returned = false; // replaced: 辞書の中身が差し替わったか。returned: 新しい辞書が返されたか
  for (let step = 0; step < gradients.length; step++) {
    if (twin) others = call("step", twin, others, named(keys, slopes(step).map(negated)));
    const given = slopes(step);
    if (way === "reusing") reused = reused ? reused.map((g, k) => arrays.assign(g, given[k])) : given;
    const grads = named(keys, reused ?? given);
    const before = call("listed", params, order);
    const after = call("step", optimizer, params, grads);
    const kept = call("listed", after, order);
    replaced ||= after === params && kept !== None && kept.some((w, k) => w !== before[k]);
    returned ||= after !== params;
    params = after;
    history.params.push(inspected(step + 1, kept, call("listed", grads, order), slopes(step), keys));
  }
  history.keptByShape = call("kept_by_shape", optimizer, params);
  history.showsStates = call("shows_states", optimizer, params);
  for (const [attribute, key, { array }] of call("states", optimizer, params)) {
    (history.state[attribute] ??= {})[key] = { shape: [...array.shape], values: arrays.flat(array) };
  }
  const broken = history.params.findIndex((each) => each.some(({ values }) => !values.every(Number.isFinite)));
  if (broken >= 0) history.notes.push(`${broken + 1} ステップ目に nan か inf が現れました。勾配が 0 の重みもあります。`);
  history.replaced = replaced;
  if (returned) history.notes.push("update が返した辞書を、新しい重みとみなしました。");
  return history;
}

// 1 ステップの後の重みを写し取る。重みでなくなったもの、書き換えられた勾配があれば、そう言う
const same = (a, b) => a.length === b.length && a.every((x, i) => Object.is(x, b[i]) || x === b[i]);
function inspected(step, weights, grads, given, keys) {
  if (weights === None) fail(`${step} ステップ目に params のキーが変わりました。`);
  const kept = (g, k) => g.array && same(arrays.flat(g.array), arrays.flat(given[k]));
  if (grads === None || !grads.every(kept)) fail(`${step} ステップ目に grads を書き換えました。grads は読むだけにしてください。`, "loop/gradient-mutated");
  return keys.map(({ key, shape }, k) => {
    const { array } = weights[k], what = array ? `dtype=${array.dtype}` : weights[k];
    if (!array?.dtype.startsWith("float")) fail(`${step} ステップ目に params['${key}'] が実数の配列でなくなりました(${what})。`);
    if (!same(array.shape, shape)) fail(`${step} ステップ目に params['${key}'] の形が変わりました。`);
    return { dtype: array.dtype, values: arrays.flat(array) };
  });
}

// ---- 質問と答え ----
// 読者のコードに書かれた小数。何かの値が引数になければ、ここから当たりをつける
const decimals = (code) => [...code.replace(/#.*/g, "").matchAll(/(?<![\w.])(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[-+]?\d+)?/gi)].map(Number).filter((x) => !Number.isInteger(x));

// 種類ごとの歩かせ方(initializers.js、layers.js)に渡す、Python との間の道具
const python = {
  list,
  dictionary,
  float: $B.fast_float,
  tuple: (values) => $B.fast_tuple(values),
  array: (array) => ({ ob_type: ndarray, array }),
  isNone: (value) => value === None,
  get: (owner, name) => $B.$getattr(owner, name),
  number: (value) => (value === None ? null : Number(value.value ?? value)),
  object: (dict, convert) => Object.fromEntries([...$B.builtins.dict.$iter_items(dict)].map(({ key, value }) => [key, convert(value)])),
};
function names() {
  asked.names = call("run", asked.code);
  return asked.names;
}
function walkOf({ kind, title }) {
  if (!walks[kind]) return walk;
  const own = walks[kind]({ call, names, title, python, told, code: asked.code });
  return (...values) => {
    try {
      return own(...values);
    } catch (error) {
      throw told(error);
    }
  };
}

// table: 相手の表(式、候補、問題)を作るスクリプト
function answer({ id, code, exercise, table = "" }) {
  new Function(table)();
  asked = { code: code.replaceAll("\r\n", "\n"), exercise: { names: fumoto.names, ...exercise }, names: $B.empty_dict() };
  try {
    const walk = walkOf(exercise);
    const walkAndTell = (...values) => {
      const found = walk(...values);
      postMessage({ id, started: true, walked: true });
      return found;
    };
    return { id, report: judge({ ...exercise, written: decimals(code) }, walkAndTell) };
  } catch (error) {
    return { id, error: told(error) };
  }
}
globalThis.onmessage = ({ data }) => {
  postMessage({ id: data.id, started: true });
  postMessage({ ...answer(data), printed: call("printed") });
};
postMessage({ loaded: true });
