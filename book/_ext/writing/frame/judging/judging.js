// 読者の最適化手法を走らせ、印刷された式と突き合わせて、結論を言う。fumoto.checking.check と同じ順に調べる。
// walk(problem, hyperparameters, way) は、読者のものを 1 つの問題の上で歩かせた足どり(learner.py)。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const { AS_PRINTED, Comparison, Trajectory } = fumoto;
  const STEPS = 60;
  const CONTAINED = { AdamW: ["SGD", "Adam"] }; // 手法 → 書き忘れがあるとなってしまう手法。書き忘れの方を言う
  const MOST = 24; // 別の書き方を試す、値の組み合わせの数

  function judgeOptimizer(exercise, walk) {
    const table = fumoto.tables[exercise.method];
    const method = table.methods[exercise.method];
    fumoto.where = (reader, label) => exercise.equations?.[label]?.number ?? `${pageOf(table, label)} の ${label}`;
    const seen = observed(exercise, walk);
    const readerOf = (each) => {
      const known = Object.entries(exercise.hyperparameters).filter(([name]) => name in each.hyperparameters && !seen.unplaced.includes(name));
      const values = { ...(each === method ? {} : valuesOf(each, seen.numbers)), ...Object.fromEntries(known) };
      return new Comparison(table, each, values, seen.trajectories, seen.written);
    };
    const found = seen.error ? alike(readerOf(method), seen) : verdict(readerOf, method, table);
    return told(exercise, table, seen, found);
  }

  // 手法の引数のうち、読者のクラスや属性に書かれた数(名前、値)で言えるもの。1 つの数は、1 つの引数にだけあてる
  function valuesOf({ hyperparameters }, numbers) {
    const found = {}, left = new Map(numbers);
    for (const name of Object.keys(hyperparameters)) {
      const own = fumoto.names[name].find((each) => left.has(each));
      if (own === undefined) continue;
      found[name] = left.get(own);
      left.delete(own);
    }
    return found;
  }

  // 式か、別の書き方か、別の手法と同じか。どれでもなければ、間違いの名前
  function verdict(readerOf, method, table) {
    const reader = readerOf(method);
    const exact = fumoto.foundOut(reader, follows);
    if (exact) return { ok: true, verdict: `一致: ${method.name} の式と同じ動きをします。`, reader: exact[0] };
    const conventional = fumoto.foundOut(reader, fumoto.convention, MOST);
    if (conventional) return { ok: true, verdict: `一致: ${conventional[1]}。`, variant: conventional[1], reader: conventional[0] };
    const skipped = CONTAINED[method.name] ?? ["SGD"];
    const others = Object.values(table.methods).filter((each) => each !== method);
    const atAGlance = others.filter(({ name }) => !skipped.includes(name)).map(readerOf).filter((each) => fumoto.missing(each).every((name) => name === "eps"));
    const another = same(atAGlance, method);
    if (another) return another;
    const readers = fumoto.missing(reader).length ? [...firstFew(fumoto.completed(reader), 2)] : [reader];
    for (const search of [fumoto.single, fumoto.two, fumoto.lessSure]) {
      for (const each of readers) {
        const mistake = search(each);
        if (mistake) return withStep({ ...mistake, reader: each });
      }
    }
    const late = same(others.map(readerOf), method);
    return late ?? withStep({ ok: false, verdict: "不一致: 原因は分かりませんでした。", reader: readers[0] ?? reader, unknown: true });
  }

  function* firstFew(every, most) {
    for (const each of every) {
      if ((most -= 1) < 0) return;
      yield each;
    }
  }

  // 渡された引数でも、少し違う引数でも、式のとおりか
  function follows(reader) {
    const elsewhere = reader.elsewhere;
    return reader.follows(AS_PRINTED) && (!elsewhere || elsewhere.follows(AS_PRINTED));
  }

  function same(readers, method) {
    for (const reader of readers) {
      const found = fumoto.foundOut(reader, follows, MOST);
      const { name } = reader.method;
      if (found) return { ok: false, verdict: `別の手法: ${method.name} ではなく、${name} の式と同じ動きをします。`, variant: `method/${name}`, reader: found[0] };
    }
    return null;
  }

  // 形の違う重みでは走らなかったもの。形がどれも同じなら走って、間違いが分かるかもしれない
  function alike(reader, seen) {
    if (!seen.trajectories.length) throw seen.error;
    const found = follows(reader) || fumoto.convention(reader) !== null ? null : fumoto.single(reader);
    if (!found) throw seen.error;
    return withStep({ ...found, notes: [...(found.notes ?? []), seen.error.sentence], reader });
  }

  function withStep(found) {
    const difference = fumoto.possible(() => found.reader.departsFrom(AS_PRINTED) ?? found.reader.elsewhere?.departsFrom(AS_PRINTED));
    return { ...found, step: difference ? difference.step : null, difference };
  }

  // --- 読者のものを走らせる -------------------------------------------------------------------------------

  function observed(exercise, walk) {
    const written = exercise.written ?? [];
    try {
      const trajectories = fumoto.problems.map((problem) => follow(exercise, walk, problem));
      return { trajectories, written, ...visible(trajectories[0]) };
    } catch (error) {
      if (!retried(error)) throw error;
      try {
        const trajectories = [follow(exercise, walk, fumoto.sameShapes)];
        return { trajectories, written, ...visible(trajectories[0]), error };
      } catch {
        throw error;
      }
    }
  }

  const visible = ({ unplaced, numbers }) => ({ unplaced, numbers });

  // 配列の形のせいで起きたのかもしれない誤り
  const retried = ({ sentence, variant }) => sentence && (!variant || variant.startsWith("error/"));

  // 1 つの問題の上での足どり。あまり使わない形でだけ走らないなら、それを除いて走らせ、そう伝える
  function follow(exercise, walk, problem) {
    try {
      return followed(exercise, walk, problem);
    } catch (error) {
      if (!retried(error)) throw error;
      for (const [what, only] of withoutUnusual(problem)) {
        try {
          const found = followed(exercise, walk, only);
          found.notes = [...found.notes, `${what}では走らなかったので、それを除いて確かめました(${error.sentence})`];
          return found;
        } catch (again) {
          if (!again.sentence) throw again;
        }
      }
      throw error;
    }
  }

  // [除いたもの, 残りの問題]。1 種類だけ除いたものを先に
  function* withoutUnusual(problem) {
    const kinds = { 空: (shape) => shape.includes(0), "3 次元": (shape) => shape.length === 3, "0 次元": (shape) => shape.length === 0 };
    const found = Object.entries(kinds).filter(([, test]) => problem.keys.some(({ shape }) => test(shape)));
    for (const [what, test] of found) yield [`${what}の配列`, keeping(problem, ({ shape }) => !test(shape))];
    if (found.length > 1) {
      yield [`${found.map(([what]) => what).join("、")}の配列`, keeping(problem, ({ shape }) => !found.some(([, test]) => test(shape)))];
    }
    const moving = (at) => problem.gradients.every((every) => every[at].some((x) => x !== 0));
    const rest = keeping(problem, (_, at) => moving(at));
    if (rest.keys.length && rest.keys.length < problem.keys.length) yield ["勾配が 0 になることのある配列", rest];
  }

  function keeping(problem, test) {
    const places = problem.keys.map((_, at) => at).filter((at) => test(problem.keys[at], at));
    const pick = (list) => places.map((at) => list[at]);
    return { ...problem, keys: pick(problem.keys), gradients: problem.gradients.map(pick), made: undefined };
  }

  function followed(exercise, walk, problem) {
    const given = exercise.hyperparameters;
    const history = walk(problem, given, "plain");
    const faults = [widened(problem, history) ?? keptByShape(problem, history)].filter(Boolean);
    let elsewhere = null;
    if (problem.disturbed) {
      for (const [way, id] of [["twins", "loop/shared-between-instances"], ["reusing", "loop/gradient-kept"]]) {
        if (!faults.length) faults.push(...disturbed(problem, history, walk(problem, given, way), id));
      }
      elsewhere = followedElsewhere(walk, problem, given, history.unplaced ?? []);
    }
    const path = new Trajectory(problem, history, faults, elsewhere);
    if (history.replaced) path.notes = [fumoto.said.replaced, ...path.notes];
    path.unplaced = history.unplaced ?? [];
    path.numbers = history.numbers ?? [];
    return path;
  }

  // 少し違う引数での足どり。その引数で走らなければ null
  function followedElsewhere(walk, problem, given, unplaced) {
    const change = ([name, value]) => [name, value ? value * (fumoto.changed[name] ?? 1) : (fumoto.insteadOf0[name] ?? 0)];
    const values = Object.fromEntries(Object.entries(given).map(change));
    try {
      const own = Object.fromEntries(Object.entries(values).filter(([name]) => !unplaced.includes(name)));
      return new Trajectory(problem, walk(problem, values, "plain"), [], null, own);
    } catch (error) {
      if (!error.sentence) throw error;
      return null;
    }
  }

  const isSame = (x, y) => x === y || (Number.isNaN(x) && Number.isNaN(y));

  function disturbed(problem, history, other, id) {
    for (const [at, step] of history.params.entries()) {
      for (const [key, { values }] of step.entries()) {
        const yours = other.params[at][key].values;
        if (!values.every((x, i) => isSame(x, yours[i]))) return [{ id, step: at + 1, key: problem.keys[key].key, yours, expected: values }];
      }
    }
    return [];
  }

  // float32 の重みが float64 になったか。更新の量まで float64 で計算しているなら、書き方の違いとみなす
  function widened(problem, history) {
    for (const [key, { key: name, dtype, start }] of problem.keys.entries()) {
      if (dtype !== "float32" || history.params[0][key].dtype !== "float64") continue;
      const walked = [start, ...history.params.slice(0, 5).map((step) => step[key].values)];
      const steps = walked.slice(1).map((w, at) => [...w].map((x, i) => x - walked[at][i]));
      const isRounded = (x, i) => Math.abs(x - Math.fround(x)) <= 1e-15 * Math.abs(start[i]);
      if (steps.every((step) => step.every(isRounded))) {
        const yours = history.params[0][key].values;
        return { id: "loop/float64", step: 1, key: name, yours, expected: yours.map(Math.fround) };
      }
      history.notes = [...(history.notes ?? []), "float32 の重みが、float64 になりました(更新を float64 で計算しています)。"];
      return null;
    }
    return null;
  }

  // 足どりには現れない間違い: 状態の辞書を、配列の形で引いている
  function keptByShape({ keys: [{ key }] }, { keptByShape: found, params }) {
    const { values } = params[0][0];
    return found ? { id: "loop/kept-by-shape", step: 1, key, yours: values, expected: values } : null;
  }

  // --- 言い方 ---------------------------------------------------------------------------------------------

  const pageOf = (table, label) => Object.values(table.methods).flatMap(({ equations }) => (equations[label] ? [equations[label].page] : []))[0] ?? "";

  function told(exercise, table, seen, found) {
    const { reader, difference, unknown, ...report } = found;
    const label = report.variant?.startsWith("method/") ? reader.method.labels[0] : report.equation;
    if (label && !report.findings?.length) report.see = exercise.equations?.[label]; // 式を並べて見せないなら、式のあるところ
    const latex = Object.assign({}, ...[...table.bases, ...Object.values(table.methods)].map(({ equations }) => equations));
    const findings = (report.findings ?? []).map((each) => ({ ...each, ...exercise.equations?.[each.label], printed: latex[each.label].latex }));
    const notes = [];
    if (unknown && difference) {
      const { step, key, yours, expected } = difference;
      notes.push(`${step} ステップ目の params["${key}"] は、あなたの値が ${shown(yours)}、式の値が ${shown(expected)} です。`);
    }
    notes.push(...(report.notes ?? []), ...new Set(seen.trajectories.flatMap((path) => path.notes)));
    const known = exercise.hyperparameters;
    for (const [name, value] of Object.entries(reader.hyperparameters)) {
      if (!unknown && (!(name in known) || seen.unplaced.includes(name))) notes.push(constant(name, value));
    }
    for (const name of seen.unplaced) notes.push(`${name}=${fumoto.general(known[name])} は渡せませんでした(受け取る引数がありません)。`);
    const values = Object.entries(reader.hyperparameters).map(([name, value]) => `${name}=${fumoto.general(value)}`).join(", ");
    const ran = `重みの組 ${seen.trajectories.length} 通り、それぞれ ${STEPS} ステップ、${values} で確かめました。`;
    return { equation: null, variant: null, step: null, ...report, findings, notes, tried: ran, name: reader.method.name };
  }

  const shown = (values) => [...values].slice(0, 4).map((x) => fumoto.general(x)).join(", ") + (values.length > 4 ? ", …" : "");

  function constant(name, value) {
    if (name === "lr" && value === 1) return "学習率は掛けられていません(η = 1 と同じです)。";
    if (name === "weight_decay" && value === 0) return "重み減衰はかかっていません(λ = 0 と同じです)。";
    return `${fumoto.words[name] ?? name} は ${fumoto.general(value)} と書き込まれています。`;
  }

  const JUDGES = { optimizer: judgeOptimizer, initializer: (...all) => fumoto.judgeInitializer(...all), batchnorm: (...all) => fumoto.judgeNormalization(...all) };

  // exercise.kind: 何を確かめるか。walk: その種類の、読者のものの動かし方
  globalThis.judge = (exercise, walk) => JUDGES[exercise.kind](exercise, walk);
})();
