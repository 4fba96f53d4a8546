// 足どりを見れば分かる間違いと、一部の重みだけがおかしい間違い。fumoto.checking.candidates の sight と keys と同じである。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const said = (reader, id, label) => ({ ok: false, verdict: `既知の間違い: ${fumoto.sights[id]}。`, equation: label, variant: id, findings: [] });

  // 足どりから直に分かるもの
  function atSight(reader) {
    const fault = reader.trajectories.flatMap((path) => path.faults)[0];
    if (fault) return { ok: false, verdict: `既知の間違い: ${fumoto.faults[fault.id]}。`, variant: fault.id, findings: [] };
    const { labels, equations } = reader.method;
    const counted = labels.find((label) => equations[label].symbols.includes("t"));
    const atOnce = reader.trajectories.every((path) => path.params[0].every((w) => w.every(Number.isNaN)));
    if (counted && atOnce && !rootOfNegative(reader)) return said(reader, "clock/early", counted);
    if (oneNumberAStep(reader)) return said(reader, "loop/one-number", labels.at(-1));
    if (fumoto.lastMove(reader.trajectories) !== -1) return null;
    // 歩みの式を間違えて、歩みがいつも 0 になるもの。重みを書き換え忘れたのかどうかは、状態を見れば分かる
    const slips = reader.table.mistakes.slice(0, reader.table.slips);
    const alike = slips.filter((candidate) => reader.follows(candidate));
    const isHidden = reader.trajectories.every(({ showsStates }) => !showsStates);
    if (isHidden && alike.length) {
      const found = fumoto.named(reader, alike.slice(0, 1));
      return { ...found, verdict: found.verdict + fumoto.said.rebound };
    }
    const slip = alike.find((candidate) => statesStayAlike(reader, candidate));
    return slip ? fumoto.named(reader, [slip]) : said(reader, "loop/nothing-moves", labels.at(-1));
  }

  // 見えている状態のうち、動いたものと 0 のままのものの数が、どちらもあって、candidate と同じか
  function statesStayAlike(reader, candidate) {
    const [path] = reader.trajectories;
    const own = Object.values(path.state).map((each) => Object.values(each).map(({ values }) => values));
    const states = Object.values(reader.walk(candidate, path).optimizer.state).map((each) => [...each.values()].map(fumoto.flat));
    const [[moved, still], expected] = [own, states].map(movedOf);
    return still > 0 && moved === expected[0] && still === expected[1];
  }

  // [動いた状態の数, 0 のままの状態の数]
  function movedOf(states) {
    const moved = states.filter((each) => each.length).map((each) => each.some((values) => values.some((x) => x !== 0)));
    return [moved.filter(Boolean).length, moved.filter((each) => !each).length];
  }

  // 1 歩目に、有限でなくなった重みのある Muon
  function exploding(reader) {
    const finite = reader.trajectories.every((path) => path.params[0].every((w) => w.every(Number.isFinite)));
    return reader.method.name !== "Muon" || finite ? null : said(reader, "loop/explodes", "eq-muon-x");
  }

  // 2 乗の平均か和であるはずの状態が負で、nan になった重みのあるもの。いつも正の状態が別に見えていれば、負のものは、わざとそうしたのかもしれない
  function rootOfNegative(reader) {
    const { labels, equations, hyperparameters } = reader.method;
    const square = labels.find((label) => ["h_next", "v_next"].includes(equations[label].name));
    const nan = reader.trajectories.some((path) => path.params.at(-1).some((w) => w.some(Number.isNaN)));
    if (!("eps" in hyperparameters) || !square || !nan) return null;
    const names = new Set(reader.trajectories.flatMap(({ state }) => Object.keys(state)));
    const signs = [...names].map((name) => signOf(reader, name));
    return signs.includes(-1) && !signs.includes(1) ? said(reader, "state/negative", square) : null;
  }

  // 読者の持つ状態 name の符号。どれも 0 か、正と負がどちらもあるか、nan があれば 0
  function signOf(reader, name) {
    const values = reader.trajectories.flatMap(({ state }) => Object.values(state[name] ?? {}).flatMap((each) => [...each.values]));
    return Number(values.every((x) => x >= 0)) - Number(values.every((x) => x <= 0));
  }

  // どのステップでも、要素が 1 つずつ順に動くか
  function oneNumberAStep(reader) {
    const seen = new Set();
    for (const path of reader.trajectories) {
      let before = path.keys.map(({ start }) => start);
      for (const step of path.params.slice(0, 6)) {
        for (const [key, { shape }] of path.keys.entries()) {
          if (shape.length !== 1 || shape[0] < 2) continue;
          const moved = [...step[key].keys()].filter((i) => step[key][i] !== before[key][i]);
          if (moved.length > 1) return false;
          moved.forEach((place) => seen.add(place));
        }
        before = step;
      }
    }
    return seen.size > 1;
  }

  // --- 一部の重みだけがおかしいもの -----------------------------------------------------------------------

  const union = (sets) => new Set(sets.flatMap((set) => [...set]));
  const without = (set, other) => new Set([...set].filter((each) => !other.has(each)));
  const overlaps = (path, names) => path.keys.some(({ key }) => names.has(key));
  const alone = (reader, names) =>
    reader.with({ trajectories: reader.trajectories.filter((path) => overlaps(path, names)).map((path) => path.only(names)) });

  // 正しく動く重みと、おかしな重みがあるなら、おかしな重みだけで原因を探す(search)
  function singleKeys(reader, search) {
    const [right, wrong] = [new Set(), new Set()];
    for (const path of reader.trajectories) {
      const printed = fumoto.possible(() => reader.walk(fumoto.AS_PRINTED, path));
      if (!printed) return null;
      for (const [at, { key, start }] of path.keys.entries()) {
        if (!printed.params.some((step) => step[at].some((x, i) => x !== start[i]))) continue; // 勾配がいつも 0 か、要素がない
        (reader.agreesOn(path, printed, at) ? right : wrong).add(key);
      }
    }
    const still = new Set([...wrong].filter((key) => reader.trajectories.every((path) => stays(path, key))));
    const moving = without(wrong, still);
    if (!right.size && still.size && moving.size) return movingOnly(reader, still, moving, search);
    if (!right.size || !wrong.size) return null;
    const which = described(reader.trajectories, right, wrong);
    const only = alone(reader, wrong);
    if (fumoto.lastMove(only.trajectories) === -1) {
      const verdict = `既知の間違い: ${which}が、まったく動きません。ほかの重みは式のとおりです。`;
      return { ok: false, verdict, variant: "keys/still", findings: [] };
    }
    const found = search(only);
    if (!found) return null;
    const verdict = `既知の間違い: ${which}だけがおかしく、${found.verdict.replace("既知の間違い: ", "")}`;
    return { ...found, verdict, variant: `keys/${found.variant}` };
  }

  // 重み key が、path で少しも動かないか(なければ、動かないとみなす)
  function stays(path, key) {
    const at = path.keys.findIndex((each) => each.key === key);
    return at < 0 || path.params.every((step) => step[at].every((x, i) => x === path.keys[at].start[i]));
  }

  // 動かない重みのほかに、動く重みもおかしいもの
  function movingOnly(reader, still, moving, search) {
    const only = alone(reader, moving);
    const which = described(reader.trajectories, moving, still);
    const form = reader.table.conventions.find((candidate) => only.follows(candidate));
    if (form) {
      const verdict = `既知の間違い: ${which}が、まったく動きません。ほかの重みは、${form.words}。`;
      return fumoto.inAnotherForm(reader) ?? { ok: false, verdict, variant: "keys/still", findings: [] };
    }
    const found = search(only);
    if (!found) return null;
    const verdict = `既知の間違い: ${which}が、まったく動きません。さらに、${found.verdict.replace("既知の間違い: ", "")}`;
    return { ...found, verdict, variant: `keys/still + ${found.variant}` };
  }

  const NAMES = ["0 次元の重み", "1 次元の重み", "2 次元の重み(行列)", "3 次元の重み"];

  // おかしな重みの、共通の性質
  function described(paths, right, wrong) {
    const arrays = new Map(paths.flatMap((path) => path.keys.map((each) => [each.key, each])));
    const every = union([right, wrong]);
    const same = (names) => names.size === wrong.size && [...names].every((name) => wrong.has(name));
    const having = (test) => same(new Set([...every].filter((name) => test(arrays.get(name)))));
    const among = (names) => same(new Set([...names].filter((name) => every.has(name))));
    const listed = [...wrong].sort().join("、");
    const ndim = NAMES.findIndex((_, count) => having(({ shape }) => shape.length === count));
    if (ndim >= 0) return NAMES[ndim];
    if (having(({ shape }) => shape.length < 2)) return "行列でない重み(0 次元と 1 次元)";
    if (same(new Set(["turned"]))) return "メモリーに続けて並んでいない重み(転置した行列など。ravel や reshape が写しを返します)";
    const isSingle = (name) => arrays.get(name).dtype === "float32";
    if ([...wrong].every(isSingle) && ![...right].some(isSingle)) return "float32 の重み";
    const names = (path) => path.keys.map(({ key }) => key);
    for (const [end, what] of [[0, "はじめの重み"], [-1, "おわりの重み"]]) {
      if (among(new Set(paths.map((path) => names(path).at(end))))) return `${what}(${listed})`;
    }
    for (const [part, what] of [[[0, 2], "はじめの層"], [[-2], "おわりの層"]]) {
      if (among(new Set(paths.flatMap((path) => layers(names(path)).slice(...part))))) return `${what}の重み(${listed})`;
    }
    for (const letter of new Set([...wrong].sort().join(""))) {
      if (same(new Set([...every].filter((name) => name.includes(letter))))) return `名前に ${letter} の入る重み(${listed})`;
    }
    return `重み ${listed} `;
  }

  // 重みとバイアスが 1 組ずつ並んでいるとみなしたキー。層が 1 つなら、空
  const layers = (keys) => (keys.length <= 2 ? [] : [...keys, ...Array(keys.length % 2).fill("")]);

  Object.assign(fumoto, { atSight, exploding, rootOfNegative, singleKeys });
})();
