// 読者の重みの初期値を、印刷された式の標準偏差と突き合わせる。fumoto.checking.check_initializer と同じ順に調べる。
"use strict";

(() => {
  const { fumoto } = globalThis;
  // 表の文。穴に values を入れる
  const say = (name, values = {}) => fumoto.fill(fumoto.initializers.said[name], values);

  // walk(n_in, n_out): 読者の作った重みの値(n_in 行 n_out 列)と、伝えること。種は、作るたびに同じ
  function judgeInitializer(exercise, walk) {
    const table = fumoto.initializers;
    fumoto.where = (_, label) => exercise.equations?.[label]?.number ?? `${table.equations[label].page} の ${label}`;
    const layers = table.sizes.map(([nIn, nOut]) => measured(nIn, nOut, walk(nIn, nOut)));
    const told = [...new Set(layers.flatMap(({ notes }) => notes))];
    const sizes = layers.map(called).join("、");
    const tried = `${say("tried", { sizes, sigmas: table.sigmas })}。`;
    const form = formOf(table, exercise.method, layers);
    if (form !== exercise.method) told.unshift(both());
    const found = compared(table, form, layers);
    const findings = (found.findings ?? []).map((each) => ({ ...each, ...exercise.equations?.[each.label], printed: table.equations[each.label].latex }));
    return { equation: null, variant: null, step: null, ...found, notes: [...told, ...(found.notes ?? [])], findings, tried, name: form };
  }

  // 比べる式。Xavier のつもりで n_in と n_out の両方を使っているなら、Glorot の式
  function formOf(table, name, layers) {
    if (name !== "xavier" || agrees(table, table.equations[table.labels.xavier], layers)) return name;
    const label = table.labels.glorot, printed = { ...table.equations[label], label };
    const usesBoth = ({ symbols }) => ["n", "m"].every((symbol) => symbols.includes(symbol));
    const slip = table.derived[label].some((mistake) => usesBoth(mistake) && agrees(table, mistake, layers));
    return slip || agrees(table, printed, layers) || scaled(table, printed, layers, distribution(table, layers)) ? "glorot" : name;
  }

  const both = () => {
    const { glorot, xavier } = fumoto.initializers.labels;
    return say("both", { glorot: fumoto.where(null, glorot), xavier: fumoto.where(null, xavier) });
  };

  function measured(nIn, nOut, { values, notes }) {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const moment = (power) => values.reduce((sum, x) => sum + (x - mean) ** power, 0) / values.length;
    const [std, largest] = [Math.sqrt(moment(2)), values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)];
    return { nIn, nOut, values, notes, mean, std, largest, kurtosis: moment(4) / moment(2) ** 2 };
  }

  const called = ({ nIn, nOut }) => `${nIn}×${nOut}`;
  const shapeOf = ({ nIn, nOut }) => `(${nIn}, ${nOut})`;

  function compared(table, name, layers) {
    const label = table.labels[name];
    const printed = { ...table.equations[label], label };
    const wrong = (what, variant) => ({ ok: false, verdict: say("differs", { what }), equation: label, variant });
    for (const layer of layers) {
      const odd = degenerate(layer);
      if (odd) return wrong(...odd);
      if (Math.abs(layer.mean) > (table.sigmas * layer.std) / Math.sqrt(layer.values.length)) return wrong(offCenter(layer), "mean");
    }
    const drawn = distribution(table, layers);
    if (agrees(table, printed, layers)) return agreeing(drawn);
    if (drawn === "truncated" && agrees(table, printed, layers, undefined, table.truncated)) {
      return agreed(say("cut", { times: table.truncated.toFixed(2) }), "truncated-uncorrected");
    }
    return diagnosed(table, name, printed, layers, drawn);
  }

  const agreed = (what, variant = null, notes = []) => ({ ok: true, verdict: say("agreed", { what }), variant, notes });

  function agreeing(drawn) {
    if (["uniform", "truncated"].includes(drawn)) return agreed(say(drawn), drawn);
    return agreed(say("normal"), null, drawn ? [] : [say("other")]);
  }

  // 乱数で作った行列にはない形なら [説明, 名前]
  function degenerate({ nIn, nOut, values }) {
    if (values.every((x) => x === 0)) return [say("zeros"), "zeros"];
    const rows = Array.from({ length: nIn }, (_, i) => String(values.slice(i * nOut, (i + 1) * nOut)));
    const columns = Array.from({ length: nOut }, (_, j) => String(values.filter((_, at) => at % nOut === j)));
    const shape = shapeOf({ nIn, nOut });
    if (columns.some((column) => /^[-0,]*$/.test(column))) return [say("zero-column", { shape }), "zero-column"];
    for (const [all, variant, lines] of [[columns, "repeated-column", "列"], [rows, "repeated-row", "行"]]) {
      if (new Set(all).size < all.length) return [say("repeated", { shape, lines }), variant];
    }
    return null;
  }

  function offCenter(layer) {
    const { values, mean, std } = layer;
    const sameSign = values.every((x) => x >= 0) || values.every((x) => x <= 0);
    const measured = { shape: shapeOf(layer), mean: fumoto.general(mean, 3), std: fumoto.general(std, 3) };
    return say("mean", { name: "", why: sameSign ? say("same sign") : "", ...measured });
  }

  function distribution(table, layers) {
    const slack = ({ values }) => 1 + table.sigmas / Math.sqrt(2 * values.length); // 標準偏差の推定の誤差
    const cut = layers.every((layer) => layer.largest < ((slack(layer) * 2) / table.truncated) * layer.std);
    const fits = (name) => layers.every(({ kurtosis }) => Math.abs(kurtosis - table.kurtoses[name]) < table.kurtosisError) && (cut || name !== "truncated");
    return Object.keys(table.kurtoses).find(fits) ?? null;
  }

  // どの層の重みの標準偏差も、式の値の scale 倍と、誤差の範囲で同じか。n: 式の n に入れる数
  const agrees = (table, equation, layers, n = ({ nIn }) => nIn, scale = 1) =>
    layers.every((layer) => {
      const expected = scale * table.rules[equation.rule]({ n: n(layer), m: layer.nOut }, fumoto.operations);
      return Number.isFinite(expected) && Math.abs(layer.std - expected) <= (table.sigmas * expected) / Math.sqrt(2 * layer.values.length);
    });

  const WRONG_N = {
    "n-out": ({ nOut }) => nOut,
    "n-sum": ({ nIn, nOut }) => nIn + nOut,
    "n-mean": ({ nIn, nOut }) => Math.floor((nIn + nOut) / 2),
    "n-plus-1": ({ nIn }) => nIn + 1,
    "n-elements": ({ nIn, nOut }) => nIn * nOut,
  };

  function diagnosed(table, name, printed, layers, drawn) {
    const { label } = printed;
    const known = (what, variant, more) => ({ ok: false, verdict: say("known", { what }), equation: label, variant, ...more });
    const mistakes = table.derived[label];
    const other = Object.keys(table.labels).find((each) => each !== name && agrees(table, table.equations[table.labels[each]], layers));
    const another = other && say("another", { name, other, where: fumoto.where(null, table.labels[other]) });
    const slip = mistakes.find((mistake) => agrees(table, mistake, layers));
    if (slip) {
      const findings = [{ kind: slip.kind, label, yours: slip.yours }];
      return known(`${slip.kind}(${fumoto.where(null, label)})`, slip.id, { findings, notes: another ? [`${another}。`] : [] });
    }
    if (another) return known(another, `${label}/another`);
    for (const mistake of [{ ...printed, id: label, kind: "" }, ...mistakes]) {
      for (const [slug, n] of Object.entries(WRONG_N)) {
        if (!agrees(table, mistake, layers, n)) continue;
        const also = mistake.kind ? say("also", mistake) : "";
        return known(say("wrong n", { n: table.wrongN[slug], also }), `${mistake.id}/${slug}`);
      }
    }
    const scale = scaled(table, printed, layers, drawn);
    if (scale) return known(...scale);
    const value = layers.reduce((sum, { std }) => sum + std, 0) / layers.length;
    if (layers.every(({ std, values }) => Math.abs(std - value) <= (table.sigmas * value) / Math.sqrt(values.length))) {
      return known(say("constant", { value: fumoto.general(value, 2) }), `${label}/constant`);
    }
    const std = ({ nIn, nOut }) => table.rules[printed.rule]({ n: nIn, m: nOut }, fumoto.operations);
    const beside = (layer) => ({ layer: called(layer), yours: fumoto.general(layer.std, 4), printed: fumoto.general(std(layer), 4) });
    return { ok: false, verdict: say("differs", { what: say("unknown") }), equation: label, notes: layers.map((layer) => say("values", beside(layer))) };
  }

  // 標準偏差の、式に対する倍率で説明できるなら [説明, 名前]。一様乱数では、端の式の書き間違いも調べる
  function scaled(table, printed, layers, drawn) {
    const { label } = printed, mistakes = table.derived[label];
    for (const { id, drawn: shape, scale, words } of table.scales) {
      if (["", drawn].includes(shape) && agrees(table, printed, layers, undefined, scale)) return [words, `${label}/${id}`];
    }
    for (const mistake of drawn === "uniform" ? mistakes : []) {
      if (mistake.id.includes("/root-") && agrees(table, mistake, layers, undefined, Math.sqrt(3))) {
        return [say("limit", mistake), `${mistake.id}/limit`];
      }
      if (mistake.symbols.some((symbol) => ["n", "m"].includes(symbol)) && agrees(table, mistake, layers, undefined, 1 / Math.sqrt(3))) {
        const { words } = table.scales.find(({ id }) => id === "uniform-width");
        return [words + say("also", mistake), `${mistake.id}/uniform-width`];
      }
    }
    return null;
  }

  Object.assign(fumoto, { judgeInitializer });
})();
