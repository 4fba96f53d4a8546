// 候補を動かす: 印刷された式の並びを、候補の言うところだけ変えて計算する最適化手法。
// fumoto.checking.candidates.machine を、ブラウザーの中で動かすもの。
"use strict";

(() => {
  const { arrays, fumoto } = globalThis;
  const { Impossible, operations, patched, vocabulary, where, flat } = fumoto;

  // 手法の、式と式の間で、同じものを別の記号で書くところ
  const GIVEN = {
    "eq-muon-x": (k) => ({ u: k.u_next, G: operations.norm(k.u_next), varepsilon: 1e-7, n: k.w_t.shape[0], m: k.w_t.shape[1] }),
    "eq-muon-gram": (k) => ({ Z: k.Z_hat ?? k.Z }), // 2 回目からは、前の回の結果
    "eq-muon-w": (k) => ({ O_next: k.Z_hat }),
  };

  class Machine {
    // table: 候補の表。candidate: その 1 つ。hyperparameters: この本の名前 → 値
    constructor(table, candidate, method, hyperparameters) {
      const own = candidate.method ? table.methods[candidate.method] : method;
      this.handling = candidate.handling ?? {};
      this.constants = { ...values(own, hyperparameters), ...Object.fromEntries(this.handling.values ?? []) };
      const [one, other] = this.handling.exchanged ?? [];
      if (one) [this.constants[one], this.constants[other]] = [this.constants[other], this.constants[one]];
      [this.prepare, this.by] = this.handling.gradient ?? ["", 0];
      if (this.prepare === "coupled") {
        // 減衰を、重みの式から勾配に移す
        [this.prepare, this.by] = ["decay", this.constants.lambda];
        this.constants.lambda = 0;
      }
      if ("lambda" in this.constants) this.constants.lam = this.constants.lambda; // 式に書ける名前
      const formulas = new Map(candidate.formulas ?? []);
      const labels = iterated(own.labels, this.handling.rounds);
      this.rules = labels.map((label) => {
        const { name, rule } = own.equations[label];
        return { label, name, rule: table.rules[formulas.get(label) ?? rule] };
      });
      const added = [...formulas.keys()].filter((name) => name.endsWith("_next"));
      const extra = added.map((name) => ({ label: name, name, rule: table.rules[formulas.get(name)] }));
      this.rules.splice(-1, 0, ...extra);
      this.first = new Map((this.handling.first ?? []).map(([label, rule]) => [label, table.rules[rule]]));
      this.operations = this.handling.patched ? patched : operations;
      const names = [...own.states, ...added.map((name) => name.replace(/_next$/, ""))];
      this.state = Object.fromEntries(names.map((name) => [name, new Map()]));
      const stored = Object.fromEntries(this.handling.stored ?? []);
      this.stored = Object.fromEntries(names.map((name) => [name, stored[name] ?? `${name}_next`]));
      this.updates = 0;
    }

    // params, grads: キー → 配列。params を書き換える
    update(params, grads) {
      const { skips_first: skips, ends_at: ends, slot, repeats = 1, order = "by key" } = this.handling;
      this.updates += 1;
      if (skips && this.updates === 1) return;
      if (ends && this.updates > ends) return;
      if (slot === "number") [params, grads] = [inNumbers(params), inNumbers(grads)];
      for (let repeat = 0; repeat < repeats; repeat += 1) this.once(params, ordered(order, params, grads), repeat);
    }

    once(params, grads, repeat) {
      const { forgets = 0, slot = "key", spared = [], kept, moves = "all", weight: [treat, c] = ["", 0] } = this.handling;
      const forgotten = forgets > 0 && (this.updates - 1) % forgets === 0;
      const entries = Object.entries(params);
      let k = {};
      entries.forEach(([key, w], number) => {
        const at = vocabulary.slots[slot](key, w);
        const g = this.prepare ? vocabulary.gradients[this.prepare](grads[key], w, this.by, Object.values(grads)) : grads[key];
        k = { ...this.constants, t: this.t(number, entries.length, repeat), g_t: g, w_t: arrays.copy(w) };
        k.k = (this.updates - 1) * entries.length + number; // それまでに更新した重みの数
        if (w.shape.length < 2) for (const name of spared) k[name] = 0;
        const states = Object.entries(this.state);
        const fresh = new Set(states.filter(([, saved]) => !saved.has(at) || forgotten).map(([name]) => name));
        for (const [name, saved] of states) {
          const old = fresh.has(name) ? this.start(name, g, w) : saved.get(at);
          k[`${name}_t`] = slot === "size" || slot === "head" ? shaped(old, w) : old;
        }
        for (const { label, name, rule } of this.rules) {
          if (label in GIVEN) Object.assign(k, GIVEN[label](k));
          k[name] = ((fresh.size && this.first.get(label)) || rule)(k, this.operations);
          const of = name.replace(/_next$/, "");
          if (kept && of in this.state) k[name] = vocabulary.kept[kept](k[name]);
        }
        const after = treat ? vocabulary.weights[treat](k.w_next, k.w_t, c, k) : k.w_next;
        if (moves === "all" || number === { first: 0, last: entries.length - 1 }[moves]) arrays.assign(w, after);
        for (const [name, saved] of states) {
          let value = k[this.stored[name]];
          if (value === undefined) throw new Impossible("残す値がありません");
          if (treat === "sparse") value = where(g, value, k[`${name}_t`]);
          saved.set(at, slot === "head" ? intoHead(saved.get(at), value) : value);
        }
      });
      for (const [symbol, value] of this.handling.carried ?? []) this.constants[symbol] = k[value];
    }

    start(name, g, w) {
      const start = new Map(this.handling.start ?? []).get(name) ?? 0;
      if (typeof start === "string") {
        const { mul, neg, square } = operations;
        const eta = this.constants.eta ?? 1;
        return { g: () => g, "g^2": () => square(g), w: () => arrays.copy(w), "-w": () => neg(w), "-eta g": () => mul(-eta, g) }[start]();
      }
      return this.handling.slot === "nothing" ? start : arrays.of(Array(arrays.size(w)).fill(start), w.shape);
    }

    // 式の t(はじめは 0)
    t(number, keys, repeat) {
      const { repeats = 1, skips_first: skips = false, clock = "each update", restarts = 0, stops_at: stops = 0 } = this.handling;
      const done = (this.updates - 1) * repeats + repeat - Number(skips);
      const t = {
        "each update": done,
        never: 0,
        "per key": done * keys + number,
        index: number,
        "minus one": done - 1,
        "plus one": done + 1,
        "each epoch": Math.floor(done / fumoto.inner),
      }[clock];
      const counted = restarts ? t % restarts : t;
      return stops ? Math.min(counted, stops - 1) : counted;
    }
  }

  // 手法の引数の記号 → 値
  function values(method, hyperparameters) {
    const known = Object.entries(method.hyperparameters).filter(([name]) => name in hyperparameters);
    return Object.fromEntries(known.map(([name, symbol]) => [symbol, hyperparameters[name]]));
  }

  // labels のうち、繰り返し現れるものを rounds 回にした並び
  function iterated(labels, rounds) {
    const repeated = [...new Set(labels)].filter((label) => labels.indexOf(label) !== labels.lastIndexOf(label));
    if (!rounds || !repeated.length) return labels;
    const again = Array.from({ length: rounds }, () => repeated).flat();
    return [...labels.slice(0, labels.indexOf(repeated[0])), ...again, ...labels.slice(labels.lastIndexOf(repeated.at(-1)) + 1)];
  }

  // キーに、間違った順で勾配を割り当てたもの
  function ordered(order, params, grads) {
    if (order === "by key") return grads;
    const keys = Object.keys(params);
    const sorted = [...keys].sort();
    if (order.startsWith("flat")) return ofFlat(...(order === "flat sorted gradients" ? [sorted, keys] : [keys, sorted]), params, grads);
    const own = { "sorted keys": sorted, "sorted gradients": keys, reversed: [...keys].reverse() }[order];
    const names = order === "sorted gradients" ? sorted : keys;
    return Object.fromEntries(own.map((key, at) => [key, grads[names[at]]]));
  }

  // 1 本につなげてから、重みの大きさで切り分ける
  function ofFlat(first, second, params, grads) {
    const joined = first.flatMap((key) => [...arrays.flat(grads[key])]);
    let end = 0;
    return Object.fromEntries(
      second.map((key) => {
        const part = joined.slice(end, (end += arrays.size(params[key])));
        return [key, arrays.of(part, params[key].shape)];
      })
    );
  }

  // 1 本の配列のはじめから、w の分を切り出したもの。足りないところは、まだ使っていないので 0
  function shaped(state, w) {
    const count = arrays.size(w);
    const values = [...flat(state)].slice(0, count);
    return arrays.of([...values, ...Array(count - values.length).fill(0)], w.shape);
  }

  // 1 本の配列のはじめに、value を書き込んだもの。長さが足りなければ、0 を足して伸ばす
  function intoHead(state, value) {
    const written = flat(value);
    const old = state === undefined ? [0] : flat(state);
    const all = [...written, ...[...old].slice(written.length)];
    return arrays.of(all, [all.length]);
  }

  // はじめの軸に沿って 1 つずつに分けたもの。もとの配列の一部である
  function inNumbers(every) {
    const parts = Object.entries(every).flatMap(([key, a]) => {
      if (a.shape.length === 0) return [[`${key}#0`, arrays.reshape(a, [])]];
      return Array.from({ length: a.shape[0] }, (_, i) => [`${key}#${i}`, part(a, i)]);
    });
    return Object.fromEntries(parts);
  }

  const part = (a, i) => ({ ...a, shape: a.shape.slice(1), strides: a.strides.slice(1), offset: a.offset + i * a.strides[0] });

  fumoto.Machine = Machine;
})();
