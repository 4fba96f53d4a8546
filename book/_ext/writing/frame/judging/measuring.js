// 数を測って作る候補と、測って分かること。fumoto.checking.candidates.measured と同じである。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const FRACTIONS = ["momentum", "decay_rate", "beta1", "beta2"];
  const SINGLE = 1e-6; // 倍率の 1 からのずれがこれより小さければ、学習率を float32 にしただけ
  const near = (x, y, rtol) => Math.abs(x - y) <= 1e-8 + rtol * Math.abs(y);
  const close = (x, y, rtol) => Math.abs(x - y) <= rtol * Math.abs(y);
  const digits = (x, count) => Number(x.toPrecision(count));

  // Python の %g と同じ書き方
  function general(x, count = 6) {
    if (x === 0 || !Number.isFinite(x)) return String(x);
    const exponent = Math.floor(Math.log10(Math.abs(digits(x, count))));
    if (exponent >= -4 && exponent < count) return String(digits(x, count));
    const [base, power] = digits(x, count).toExponential().split("e");
    return `${base}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }

  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // どの重みも、これより後では動かないステップ。動き続けるなら 0、はじめから動かないなら -1
  function lastMove(trajectories) {
    let last = 0;
    for (const path of trajectories) {
      let before = path.keys.map(({ start }) => start);
      path.params.forEach((step, at) => {
        const moved = step.some((w, key) => w.some((x, i) => !(x === before[key][i] || (Number.isNaN(x) && Number.isNaN(before[key][i])))));
        if (moved) last = Math.max(last, at + 1);
        before = step;
      });
    }
    const longest = Math.max(...trajectories.map((path) => path.params.length));
    if (last === 0) return -1;
    return last >= longest - 2 ? 0 : last;
  }

  // あるステップから先だけがおかしいもの
  function* timed(reader) {
    const atStep = (id, at, handling) => ({ id, words: fill(fumoto.timedWords[id], { at }), handling });
    const last = lastMove(reader.trajectories);
    if (last > 0) yield atStep("clock/ends", last, { ends_at: last });
    const difference = reader.departsFrom(fumoto.AS_PRINTED);
    if (!difference || difference.step <= 2) return;
    const at = difference.step - 1;
    yield atStep("clock/stops", at, { stops_at: at });
    yield atStep("state/restarts", at, { forgets: at });
    yield atStep("clock/restarts", at, { restarts: at });
    yield atStep("loop/restarts", at, { forgets: at, restarts: at });
  }

  function* otherValues(reader) {
    for (const [name, given] of Object.entries(reader.hyperparameters)) {
      const symbol = reader.method.hyperparameters[name];
      for (const value of fumoto.oftenWritten[name] ?? []) {
        if (value === given) continue;
        const words = fill(fumoto.said.otherValue, { name, given: general(given), value: general(value) });
        yield { id: `value/${name}`, words, handling: { values: [[symbol, value]] } };
      }
    }
  }

  function* exchanged(reader) {
    const pairs = Object.entries(reader.hyperparameters);
    const { hyperparameters: symbols, labels, equations } = reader.method;
    for (const [i, [one, first]] of pairs.entries()) {
      for (const [other, second] of pairs.slice(i + 1)) {
        const both = [symbols[one], symbols[other]];
        const label = labels.find((each) => equations[each].symbols.some((symbol) => both.includes(symbol)));
        const words = fill(fumoto.said.exchanged, { one, other });
        if (first !== second) yield { id: `value/${one}-${other}-exchanged`, words, label, handling: { exchanged: both } };
      }
    }
  }

  // はじめの歩みが、candidate の歩みの何倍か。要素ごとに違うか、測れなければ null
  function ratio(reader, candidate) {
    const [path] = reader.trajectories;
    const start = path.keys.flatMap(({ start: w }) => w);
    const walked = fumoto.possible(() => reader.walk(candidate, path, 1).params[0]);
    if (!walked) return null;
    const moves = (step) => step.flatMap((w) => [...w]).map((x, i) => x - start[i]);
    const [mine, theirs] = [moves(path.params[0]), moves(walked)];
    const used = mine.map((x, i) => ({ ratio: x / theirs[i], size: Math.abs(theirs[i]) })).filter((each) => Number.isFinite(each.ratio) && each.size > 1e-7);
    if (used.length < 3 || !used[0].ratio) return null;
    if (used.some((each) => Math.abs(each.ratio - used[0].ratio) > 1e-5 * Math.abs(used[0].ratio))) return null;
    return digits(used.reduce((a, b) => (b.size > a.size ? b : a)).ratio, 12);
  }

  const EXPRESSIONS = {
    "{}": (x) => x,
    "1/{}": (x) => (x ? 1 / x : Infinity),
    "(1 - {})": (x) => 1 - x,
    "1/(1 - {})": (x) => (x === 1 ? Infinity : 1 / (1 - x)),
    "√(1 - {})": (x) => Math.sqrt(1 - x),
  };
  const RATE = { "{}": "学習率を 2 度掛けています", "1/{}": "学習率が掛かっていません" };

  function* scaling(reader, candidate) {
    const times = ratio(reader, candidate);
    if (times === null || Math.abs(times - 1) <= SINGLE) return;
    yield { id: "weight/times", words: timesWords(reader, candidate, times), handling: { weight: ["times", times] } };
  }

  // 歩幅の倍率の説明。引数の値で言えるなら、そう言う
  function timesWords(reader, candidate, times) {
    if (near(times, -1, 1e-9)) return "符号が逆です(上る向きに動いています)";
    const sign = times < 0 ? "符号が逆で、" : "";
    const measured = [[reader.hyperparameters, times]];
    const elsewhere = reader.elsewhere && ratio(reader.elsewhere, candidate);
    if (elsewhere !== null) measured.push([reader.elsewhere.hyperparameters, elsewhere]);
    for (const name of Object.keys(reader.hyperparameters)) {
      for (const [said, expected] of Object.entries(EXPRESSIONS)) {
        if (said.includes("1 - ") && !FRACTIONS.includes(name)) continue;
        if (!measured.every(([values, c]) => near(Math.abs(c), expected(values[name]), 1e-7))) continue;
        if (name === "lr" && said in RATE) return sign + RATE[said];
        if (name === "decay_rate" && said.includes("√") && reader.method.name === "RMSProp") {
          return `${sign}h の式で、新しい値に掛ける 1 - ρ が抜けています(歩幅がどれも、式の √(1 - ρ) 倍です)`;
        }
        return `${sign}歩幅がどれも、式の ${said.replace("{}", name)} 倍です`;
      }
    }
    return `${sign}歩幅がどれも、式の ${general(Math.abs(times))} 倍です`;
  }

  // 重みを 1 つ更新するたびに、学習率が同じ割合で変わるもの
  function* fading(reader) {
    const [path] = reader.trajectories;
    const key = Math.min(1, path.keys.length - 1);
    const { start } = path.keys[key];
    const walked = fumoto.possible(() => reader.walk(fumoto.AS_PRINTED, path, 1).params[0]);
    if (!walked) return;
    const [mine, theirs] = [path.params[0][key], walked[key]].map((w) => [...w].map((x, i) => x - start[i]));
    const place = theirs.reduce((best, x, i) => (Math.abs(x) > Math.abs(theirs[best]) ? i : best), 0);
    const c = theirs.some(Boolean) ? digits(mine[place] / theirs[place], 9) : 1;
    const words = `重みを 1 つ更新するたびに、学習率が ${general(c)} 倍になっています`;
    if (c > 0 && c < 1) yield { id: "weight/fades", words, handling: { weight: ["fades", c] } };
  }

  // 歩幅が、式の何倍かであるか、ステップとともに変わるもの
  function steps(reader) {
    for (const candidate of [...scaling(reader, fumoto.AS_PRINTED), ...fading(reader)]) {
      if (reader.followsEverywhere(candidate)) return fumoto.named(reader, [candidate]);
    }
    const words = schedule(reader);
    return words === null ? null : { ok: false, verdict: `既知の間違い: ${words}。`, variant: "rate/schedule", findings: [] };
  }

  function schedule(reader) {
    const [path] = reader.trajectories;
    const printed = fumoto.possible(() => reader.walk(fumoto.AS_PRINTED, path).params);
    const factors = printed && factorsOf(path, printed);
    return factors ? scheduleWords(factors) : null;
  }

  // ステップごとの、歩幅の倍率。どれかのステップで、重みによって違えば null
  function factorsOf(path, printed) {
    const factors = [];
    let [before, printedBefore] = Array(2).fill(path.keys.map(({ start }) => start));
    for (const [at, step] of path.params.entries()) {
      const moves = (now, then) => now.flatMap((w, key) => [...w].map((x, i) => x - then[key][i]));
      const [moved, expected] = [moves(step, before), moves(printed[at], printedBefore)];
      const slack = path.running[at].largest.flatMap((w) => [...w].map((x) => 1e-14 * (at + 2) ** 2 * x));
      const largest = expected.reduce((best, x, i) => (Math.abs(x) > Math.abs(expected[best]) ? i : best), 0);
      if (![...moved, ...expected].every(Number.isFinite) || !expected[largest]) return null;
      const factor = moved[largest] / expected[largest];
      if (factors.length >= 5 && Math.abs(factor) < 1e-9 * Math.abs(factors[0])) return factors; // もう見えない
      if (moved.some((x, i) => Math.abs(x - factor * expected[i]) > 1e-6 * Math.abs(factor * expected[i]) + 10 * slack[i])) return null;
      factors.push(factor);
      [before, printedBefore] = [step, printed[at]];
    }
    return factors;
  }

  function scheduleWords(factors) {
    const still = factors.map((x, at) => [Math.abs(x), at + 1]).filter(([x]) => x < 1e-6);
    if (factors.every((x) => Math.min(Math.abs(x), Math.abs(x - 1)) < 1e-6)) {
      if ([0, factors.length].includes(still.length)) return null;
      return `動かないステップがあります(はじめは ${still[0][1]} ステップ目、${factors.length} ステップのうち ${still.length} 回)`;
    }
    const every = (list, to, rtol) => list.every((x) => near(x, to, rtol));
    if (factors.some((x) => x <= 0) || every(factors, factors[0], 1e-6)) return null;
    const rates = factors.slice(1).map((x, i) => x / factors[i]);
    const inverse = factors.slice(1).map((x, i) => 1 / x - 1 / factors[i]);
    let shape = "変わります";
    if (every(rates, rates[0], 1e-5)) shape = ` ${general(rates[0])} 倍ずつ変わります`;
    else if (every(factors.map((x, i) => x * Math.sqrt(i + 1)), factors[0], 1e-5)) shape = " 1/√t で小さくなります";
    else if (every(inverse, inverse[0], 1e-4)) shape = " 1/(1 + kt) の形で小さくなります";
    const said = factors.slice(0, 3).map((x) => general(x, 4)).join("、");
    return `学習率が、ステップとともに${shape}(はじめの 3 ステップは、式の ${said} 倍)`;
  }

  Object.assign(fumoto, { general, fill, close, lastMove, timed, otherValues, exchanged, scaling, steps });
})();
