// 読者の Batch Normalization を、印刷された式と突き合わせる。fumoto.checking.check_batchnorm と同じ順に調べる。
"use strict";

(() => {
  const { arrays, fumoto } = globalThis;
  const { operations: f } = fumoto;
  const [TRAINING, GAMMA, BETA, INPUT, INFERENCE] = ["学習中の出力", "γ の勾配", "β の勾配", "入力の勾配", "推論の出力"];
  // 表の文。穴に values を入れる
  const say = (name, values = {}) => fumoto.fill(fumoto.batchnorm.said[name], values);
  const STAGES = [TRAINING, GAMMA, BETA, INPUT, INFERENCE];

  // --- 式のとおりに動かす ---------------------------------------------------------------------------------

  // rules: ラベル → {name, rule}。もどるのは、段階 → 値の並び
  function run(table, rules, h, problem, { batch = [], startVar = 1, atInference = {} } = {}) {
    const { forward, running, gradients } = table;
    const columns = arrays.size(problem.gamma);
    const k = { gamma: problem.gamma, beta: problem.beta, rho: h.decay_rate, varepsilon: h.eps };
    k.mu_t = arrays.of(Array(columns).fill(0), [columns]);
    k.s_t = arrays.of(Array(columns).fill(startVar), [columns]);
    const compute = (labels, own = rules) => {
      for (const label of labels) {
        const { name } = table.equations[label];
        k[name] = table.rules[own[label]](k, f);
        if (name === "sigma_B_squared") k.sigma_B = f.sqrt(k.sigma_B_squared);
      }
      return k[table.equations[labels.at(-1)].name];
    };
    const found = Object.fromEntries(STAGES.map((stage) => [stage, []]));
    for (const { x, dout } of problem.batches) {
      Object.assign(k, { x, d: dout, N: x.shape[0] });
      found[TRAINING].push(compute(forward));
      [GAMMA, BETA, INPUT].forEach((stage, at) => found[stage].push(compute([gradients[at]])));
      compute(running);
      Object.assign(k, { mu_t: k.mu_next, s_t: k.s_next });
    }
    Object.assign(k, { x: problem.test, N: problem.test.shape[0], mu_B: k.mu_t, sigma_B: f.sqrt(k.s_t) });
    const averages = { mu_B: k.mu_B, sigma_B: k.sigma_B };
    if (batch.length) {
      compute(forward.slice(0, 2));
      Object.keys(averages).forEach((name, at) => batch.includes(forward[at]) || (k[name] = averages[name]));
    }
    found[INFERENCE].push(compute(forward.slice(2), { ...rules, ...atInference }));
    return found;
  }

  // structure のとおりに間違えて動かしたときの値
  function following(table, structure, rules, h, problem, options) {
    if (structure.byHand) return byHand[structure.byHand](problem, h, () => run(table, rules, h, problem, {}));
    const rate = structure.reversed ? 1 - h.decay_rate : h.decay_rate;
    const own = { ...rules, ...Object.fromEntries(structure.formulas ?? []) };
    const values = { ...h, decay_rate: structure.noAverage ? 0 : rate };
    const atInference = Object.fromEntries(structure.atInference ?? []);
    return run(table, own, values, problem, { ...options, batch: structure.batch, atInference });
  }

  // どの問題でも、stage の値が同じか。make: 問題 → 値
  const same = (stage, yours, make) =>
    yours.every(({ problem, found }) => fumoto.possible(() => {
      const expected = make(problem)[stage];
      return expected !== undefined && found[stage].every((mine, at) => alike(mine, expected[at], found.single));
    }));

  function alike(mine, theirs, single) {
    if (String(mine.shape) !== String(fumoto.shape(theirs))) return false;
    const [rtol, atol] = single ? [1e-3, 1e-3] : [1e-6, 1e-8];
    const expected = fumoto.flat(theirs);
    return mine.values.every((x, i) => Object.is(x, expected[i]) || x === expected[i] || Math.abs(x - expected[i]) <= atol + rtol * Math.abs(expected[i]));
  }

  // --- 式で書けない間違い ---------------------------------------------------------------------------------

  const mean = (a, axis = 0) => f.div(arrays.sum(a, axis, true), a.shape[axis]);
  const sum = (a) => arrays.reshape(arrays.sum(a, 0), a.shape.slice(1));
  const variance = (a, axis = 0) => mean(f.square(f.sub(a, mean(a, axis))), axis);
  const overall = (a) => f.total(a) / arrays.size(a);

  // 平均と分散のとり方を変えて正規化したもの
  const normalized = (center, spread) => (p, h) => ({
    [TRAINING]: p.batches.map(({ x }) => f.add(f.mul(p.gamma, f.div(f.sub(x, center(x)), f.sqrt(f.add(spread(x), h.eps)))), p.beta)),
  });

  // 勾配 1 つを、ミニバッチと γ と x̂ と標準偏差から求め直したもの
  const gradient = (stage, change) => (p, h) => ({
    [stage]: p.batches.map((b) => {
      const std = f.sqrt(f.add(variance(b.x), h.eps));
      return change(p, b, f.div(f.sub(b.x, mean(b.x)), std), std);
    }),
  });
  const whole = (p, value) => arrays.of(Array(arrays.size(p.gamma)).fill(value), p.gamma.shape);
  // 入力の勾配の括弧の中を、届いた勾配 d、x̂、x - μ から求め直したもの
  const slope = (change) => gradient(INPUT, (p, b, xHat, std) => f.mul(f.div(p.gamma, std), change(b.dout, xHat, f.mul(xHat, std))));
  const parts = (d, second, first = mean(d)) => f.sub(f.sub(d, first), second);
  const through = (d, xHat) => parts(d, f.mul(xHat, mean(f.mul(d, xHat))));

  const byHand = {
    rows: normalized((x) => mean(x, 1), (x) => variance(x, 1)),
    "whole variance": normalized(mean, (x) => overall(f.square(f.sub(x, mean(x))))),
    "variance of all": normalized(mean, (x) => overall(f.square(f.sub(x, overall(x))))),
    "whole mean": normalized(overall, variance),
    "around whole mean": normalized(overall, (x) => mean(f.square(f.sub(x, overall(x))))),
    all: normalized(overall, (x) => overall(f.square(f.sub(x, overall(x))))),
    exchanged: (p, h, printed) => ({ [GAMMA]: printed()[BETA], [BETA]: printed()[GAMMA] }),
    "raw input": gradient(GAMMA, (p, b) => sum(f.mul(b.dout, b.x))),
    "centred input": gradient(GAMMA, (p, b, xHat, std) => sum(f.mul(b.dout, f.mul(xHat, std)))),
    output: gradient(GAMMA, (p, b, xHat) => sum(f.mul(b.dout, f.add(f.mul(p.gamma, xHat), p.beta)))),
    scaled: gradient(GAMMA, (p, b, xHat) => f.mul(p.gamma, sum(f.mul(b.dout, xHat)))),
    "scaled beta": gradient(BETA, (p, b) => f.mul(p.gamma, sum(b.dout))),
    whole: gradient(GAMMA, (p, b, xHat) => whole(p, f.total(f.mul(b.dout, xHat)))),
    "whole beta": gradient(BETA, (p, b) => whole(p, f.total(b.dout))),
    "passed on": gradient(INPUT, (p, b) => b.dout),
    "only gamma": gradient(INPUT, (p, b) => f.mul(p.gamma, b.dout)),
    centred: slope((d, xHat, centered) => parts(d, f.mul(centered, mean(f.mul(d, xHat))))),
    "centred twice": slope((d, xHat, centered) => parts(d, f.mul(centered, mean(f.mul(d, centered))))),
    sums: slope((d, xHat) => parts(d, f.mul(xHat, sum(f.mul(d, xHat))), sum(d))),
    "first not times N": slope((d, xHat) => f.sub(through(d, xHat), f.mul(1 - 1 / d.shape[0], d))),
    "half variance": slope((d, xHat) => parts(d, f.mul(0.5, f.mul(xHat, mean(f.mul(d, xHat)))))),
    "double variance": slope((d, xHat) => parts(d, f.mul(2, f.mul(xHat, mean(f.mul(d, xHat)))))),
    "times N": slope((d, xHat) => f.mul(d.shape[0], through(d, xHat))),
  };

  // --- 突き合わせる ---------------------------------------------------------------------------------------

  // walk(problem, h): 読者の層の、段階 → [{shape, values, dtype}]。動かせなかった段階は、ない。moved: 推論を続けると変わるか、
  // single: float32 か、failed: 推論が走らなかったわけ、values: 渡したか属性に見える値(なければ null)、rate と rateName: 減衰率の意味と名前
  function judgeNormalization(exercise, walk) {
    const table = fumoto.batchnorm;
    fumoto.where = (_, label) => exercise.equations?.[label]?.number ?? `${table.equations[label].page} の ${label}`;
    const given = { ...table.usual, ...exercise.hyperparameters };
    const yours = table.problems.map((plain) => ({ problem: made(plain), found: walk(plain, given) }));
    const stages = STAGES.filter((stage) => yours.every(({ found }) => found[stage]));
    const printed = Object.fromEntries(Object.entries(table.equations).map(([label, { rule }]) => [label, rule]));
    const { values, rate, rateName } = yours[0].found;
    const unplaced = Object.keys(given).filter((name) => values[name] === null);
    const known = Object.fromEntries(Object.keys(given).map((name) => [name, values[name] ?? given[name]]));
    const reversed = { ...known, decay_rate: 1 - known.decay_rate };
    const agrees = (h) => stages.includes(INFERENCE) && formOf(table, yours, printed, h);
    const isReversed = rate === "either" && !agrees(known) && Boolean(agrees(reversed));
    const found = compared(table, yours, stages, printed, isReversed ? reversed : known);
    const failed = yours.map((each) => each.found.failed).find(Boolean);
    if (failed && !found.variant) throw failed;
    const isNew = stages.includes(INFERENCE) && (rate === "new" || isReversed);
    const notes = [...(found.notes ?? [])];
    if (isNew && found.ok) notes.push(say("new", { rate: rateName }));
    for (const name of unplaced) notes.push(`${name}=${fumoto.general(given[name])} は渡せませんでした(受け取る引数がありません)。`);
    if (![GAMMA, BETA, INPUT].every((stage) => stages.includes(stage))) notes.push(say("no backward"));
    if (!stages.includes(INFERENCE)) notes.push(say("no inference"));
    const sizes = yours.map(({ problem }) => problem.batches[0].x.shape.join("×")).join("、");
    const inferred = stages.includes(INFERENCE) ? say("inferred") : "";
    const tried = `${say("tried", { sizes, inferred })}。`;
    const findings = (found.findings ?? []).map((each) => ({ ...each, ...exercise.equations?.[each.label], printed: table.equations[each.label].latex }));
    const variant = found.variant ?? (isNew && found.ok ? "pytorch-momentum" : null);
    return { equation: null, step: null, ...found, variant, findings, notes, tried, name: "BatchNorm" };
  }

  // 推論の出力が、式か、ほかの書き方のとおりなら、それ
  const formsOf = (table, printed) => [{ rules: printed, options: {} }, ...table.conventions.map((each) => ({ ...each, rules: { ...printed, ...each.rules } }))];
  const formOf = (table, yours, printed, h) =>
    formsOf(table, printed).find(({ rules, options }) => same(INFERENCE, yours, (problem) => run(table, rules, h, problem, options)));

  function made({ gamma, beta, batches, test }) {
    const array = ({ shape, values }) => arrays.of(values, shape);
    return { gamma: array(gamma), beta: array(beta), test: array(test), batches: batches.map(({ x, dout }) => ({ x: array(x), dout: array(dout) })) };
  }

  function compared(table, yours, stages, printed, h) {
    const agreed = { ok: true, verdict: say("agreed", { what: say("agrees", { stages: stages.join("、") }) }) };
    const forms = formsOf(table, printed);
    const wrong = stages.find((stage) => stage !== INFERENCE && !same(stage, yours, (problem) => run(table, printed, h, problem)));
    if (wrong) return diagnosed(table, wrong, yours, forms.slice(0, 1), forms, h);
    if (!stages.includes(INFERENCE)) return agreed;
    const form = formOf(table, yours, printed, h);
    const found = form ? (form.words ? { ok: true, verdict: say("agreed", { what: form.words }), variant: form.id } : agreed) : diagnosed(table, INFERENCE, yours, forms, forms, h);
    if (!yours.some(({ found: { moved } }) => moved) || found.variant === "inference/batch-statistics") return found;
    return { ok: false, verdict: say("known", { what: say("updates") }), variant: "inference/updates" };
  }

  function diagnosed(table, stage, yours, forms, every, h) {
    for (const structure of table.structures.filter((each) => each.stage === stage && (!each.byHand || each.byHand in byHand))) {
      const fits = ({ rules, options }) =>
        [stage, ...(structure.also ?? [])].every((where) => same(where, yours, (problem) => following(table, structure, rules, h, problem, options)));
      if (every.some(fits)) return { ok: false, verdict: say("known", { what: structure.words }), variant: structure.id };
    }
    for (const mistake of table.derived.filter((each) => each.stage === stage)) {
      const fits = ({ rules, options }) => same(stage, yours, (problem) => run(table, { ...rules, [mistake.label]: mistake.rule }, h, problem, options));
      if (!forms.some(fits)) continue;
      const still = mistake.id.startsWith("eq-batchnorm-running-mean/dropped");
      const notes = still ? [say("still 0")] : [];
      const { id: variant, label: equation, kind, yours: own } = mistake;
      const verdict = say("known", { what: `${kind}(${fumoto.where(null, equation)})` });
      return { ok: false, verdict, variant, equation, notes, findings: [{ kind, label: equation, yours: own }] };
    }
    return { ok: false, verdict: say("differs", { what: say("unknown", { stage }) }) };
  }

  Object.assign(fumoto, { judgeNormalization });
})();
