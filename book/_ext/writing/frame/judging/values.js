// 読者のコードに書き込まれていて、引数では分からない値。fumoto.checking.computing.constants と、candidates.measured と同じである。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const FRACTIONS = ["momentum", "decay_rate", "beta1", "beta2"];
  const LATE = 10; // 測る問題で、途中の勾配が 1 度だけ来るステップ(0 から)
  const rounded = (x, digits) => Number(x.toPrecision(digits));

  const missing = (reader) => Object.keys(reader.method.hyperparameters).filter((name) => !(name in reader.hyperparameters));

  // 分からない値を、よく使われる値で補ったもの。ありそうなものから順に。学習率は測る
  function* completed(reader) {
    const guess = guessed(reader);
    if (Object.keys(guess).length) yield* completed(reader.with({ hyperparameters: { ...reader.hyperparameters, ...guess }, written: [] }));
    const unknown = missing(reader).filter((name) => name !== "lr");
    const choices = unknown.map((name) => usual(name, reader.method.name).map((value, rank) => ({ name, value, rank })));
    const every = choices.reduce((found, list) => found.flatMap((each) => list.map((one) => [...each, one])), [[]]);
    const total = (each) => each.reduce((sum, { rank }) => sum + rank, 0);
    for (const each of every.sort((a, b) => total(a) - total(b))) {
      const values = Object.fromEntries(each.map(({ name, value }) => [name, value]));
      yield* withRate(reader.with({ hyperparameters: { ...reader.hyperparameters, ...values } }));
    }
  }

  // 減衰のない Muon や Lion はあっても、減衰のない AdamW は、AdamW ではない
  const usual = (name, method) => [...(name === "weight_decay" && method !== "AdamW" ? [0] : []), ...fumoto.usual[name]];

  const SIZES = { eps: [0, 1e-4], lr: [1e-4, 0.5], weight_decay: [1e-4, 0.5] }; // コードに書かれた数の、ありそうな大きさ

  function guessed(reader) {
    const [left, found] = [[...reader.written], {}];
    for (const name of missing(reader)) {
      if (name === "weight_decay" && reader.method.name !== "AdamW") continue;
      const [low, high] = SIZES[name] ?? [0.5, 1];
      const at = left.findIndex((x) => low <= x && x < high);
      if (at >= 0) found[name] = left.splice(at, 1)[0];
    }
    return found;
  }

  function* withRate(reader) {
    if (String(missing(reader)) !== "lr") {
      yield reader;
      return;
    }
    const measured = Math.abs(learningRate(reader)); // 負の学習率は、符号の間違い
    if (!Number.isFinite(measured) || measured === 0) return;
    const near = [1, 2, 3, 4, 5, 6, 7, 8].map((count) => rounded(measured, count)).filter((x) => Math.abs(x - measured) <= 1e-6 * measured);
    const rates = [...(reader.method.name === "AdaDelta" ? [1] : []), ...near, measured];
    for (const lr of new Set(rates)) yield reader.with({ hyperparameters: { ...reader.hyperparameters, lr } });
  }

  const small = (reader) => {
    const exact = reader.trajectories.filter((path) => path.keys.every(({ dtype }) => dtype === "float64"));
    const paths = exact.length ? exact : reader.trajectories;
    return reader.with({ trajectories: [paths.reduce((a, b) => (b.elements < a.elements ? b : a))] });
  };

  // 1 歩目の大きさの、学習率を 1 としたときの大きさに対する比
  function learningRate(reader) {
    const own = small(reader).with({ hyperparameters: { ...reader.hyperparameters, lr: 1 } });
    const [path] = own.trajectories;
    const walked = fumoto.possible(() => own.walk(fumoto.AS_PRINTED, path, 1).params[0]);
    if (!walked) return NaN;
    const moves = (step) => step.flatMap((w, key) => [...w].map((x, i) => x - path.keys[key].start[i]));
    const [mine, unit] = [moves(path.params[0]), moves(walked)];
    const place = unit.reduce((best, x, i) => (Number.isFinite(x) && Math.abs(x) > Math.abs(unit[best] || 0) ? i : best), 0);
    return mine[place] / unit[place];
  }

  // test が真になるように、分からない値を補った [reader, test の値]。なければ null。most: 試す組み合わせの数
  function foundOut(reader, test, most = Infinity) {
    let tried = 0;
    for (const complete of completed(reader)) {
      if ((tried += 1) > most) return null;
      if (missing(reader).length && !test(small(complete))) continue;
      const found = test(complete);
      if (found) return [complete, found];
    }
    return null;
  }

  // --- 測って作る候補 -------------------------------------------------------------------------------------

  // 途中の勾配が、はじめの勾配より小さく足される書き方(PyTorch の dampening)
  function dampened(reader) {
    const { conventions, name } = reader.table;
    const form = conventions.find(({ id }) => id === "convention/dampening-momentum");
    const path = reader.trajectories.find((each) => String(each.keys.map(({ key }) => key)) === "first,late,same,tenfold");
    if (name !== "Momentum" || !form || !path) return null;
    const at = (key, step) => (step < 0 ? path.keys[key].start[0] : path.params[step][key][0]);
    const move = (key, step) => at(key, step) - at(key, step - 1);
    const found = rounded(1 - (move(1, LATE) - move(1, LATE - 1)) / move(0, 0), 9);
    if (!(Math.abs(found) > 1e-6 && Math.abs(found) < 1)) return null;
    const words = fumoto.fill(fumoto.said.dampened, { dampening: fumoto.general(found, 4), rest: fumoto.general(1 - found, 4) });
    return { ...form, id: "convention/dampening", words, formulas: [["eq-momentum-v", reader.table.dampened]], handling: { ...form.handling, values: [["d", found]] } };
  }

  function* withMeasuredValues(reader) {
    for (const [name, given] of Object.entries(reader.hyperparameters)) {
      const symbol = reader.method.hyperparameters[name];
      const make = (value) => ({ ...fumoto.AS_PRINTED, handling: { values: [[symbol, value]] } });
      const value = searched(reader, make, FRACTIONS.includes(name));
      if (value === null || fumoto.close(value, given, 1e-4)) continue;
      const words = fumoto.fill(fumoto.said.otherValue, { name, given: fumoto.general(given), value: fumoto.general(value) });
      yield { ...make(value), id: `value/${name}`, words };
    }
    for (const [what, sign, words] of fumoto.decays) {
      const make = (value) => ({ id: `${what}/decay`, handling: { [what]: ["decay", sign * value] } });
      const value = searched(reader, make);
      if (value !== null) yield { ...make(value), id: `${what}/decay-${fumoto.general(sign * value)}`, words: fumoto.fill(words, { c: fumoto.general(value) }) };
    }
    const clip = (value) => ({ id: `gradient/clip-${fumoto.general(value)}`, words: fumoto.fill(fumoto.said.clipped, { c: fumoto.general(value) }), handling: { gradient: ["clip", value] } });
    const value = searched(reader, clip);
    if (value !== null) yield clip(value);
  }

  function measured(reader) {
    for (const candidate of withMeasuredValues(reader)) if (reader.followsEverywhere(candidate)) return fumoto.named(reader, [candidate]);
    return null;
  }

  // make(value) の動きが、はじめの数ステップで読者の足どりにいちばん近い value。近くなければ null
  function searched(reader, make, fraction = false) {
    const value = (exponent) => (fraction ? 1 - 10 ** exponent : 10 ** exponent);
    const error = (exponent) => apart(reader, make(value(exponent)));
    const [low, high] = fraction ? [-4.5, 0] : [-12, 0.5];
    const grid = Array.from({ length: 26 }, (_, i) => low + ((high - low) * i) / 25);
    const errors = grid.map(error);
    const best = errors.indexOf(Math.min(...errors));
    let exponent = grid[best];
    if (errors[best] > 1e-9) {
      const bounds = [grid[Math.max(best - 1, 0)], grid[Math.min(best + 1, 25)]];
      if (lowest(error, bounds, 12)[1] > errors[best] / 4) return null; // 値が合っていれば、区間とともに 0 に近づく
      [exponent] = lowest(error, bounds, 60);
    }
    const found = value(exponent);
    for (const digits of [2, 3, 4, 6, 9]) {
      const short = fraction ? Number(found.toFixed(digits)) : rounded(found, digits);
      if (Math.abs(short - found) <= 1e-5 * Math.abs(found) && apart(reader, make(short)) < 1e-6) return short;
    }
    return null;
  }

  // 黄金分割で探した、bounds の中で error が最も小さいところと、その値
  function lowest(error, [low, high], most) {
    const golden = (Math.sqrt(5) - 1) / 2;
    const inside = () => [high - golden * (high - low), low + golden * (high - low)];
    for (let count = 0; count < most && high - low > 1e-11; count += 1) {
      const [a, b] = inside();
      if (error(a) < error(b)) high = b;
      else low = a;
    }
    return [(low + high) / 2, error((low + high) / 2)];
  }

  // はじめの数ステップでの、歩みの違いの割合(要素の平均)
  function apart(reader, candidate, steps = 4) {
    const [path] = reader.smallestFirst.trajectories;
    const walked = fumoto.possible(() => reader.walk(candidate, path, steps).params);
    if (!walked) return 1;
    let [total, count] = [0, 0];
    walked.forEach((step, at) =>
      step.forEach((w, key) =>
        w.forEach((x, i) => {
          const yours = path.params[at][key][i];
          const share = Math.abs(yours - x) / (Math.abs(yours - path.keys[key].start[i]) + 1e-300);
          total += Number.isFinite(share) ? Math.min(share, 1) : Number(yours !== x);
          count += 1;
        })
      )
    );
    return total / Math.max(count, 1);
  }

  Object.assign(fumoto, { missing, completed, foundOut, small, dampened, measured });
})();
