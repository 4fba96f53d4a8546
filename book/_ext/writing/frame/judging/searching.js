// 読者の足どりを再現する、ほかの書き方か間違いを探す。探す順は fumoto.checking.candidates.optimizer と同じである。
// 見つかったものは {ok, words, label, variant, findings, published, form} で言う。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const { sameState } = fumoto;
  const AS_PRINTED = { id: "printed" };

  const plain = (reader) => reader.table.mistakes.filter((candidate) => !candidate.method);

  // --- ほかの書き方 ---------------------------------------------------------------------------------------

  function forms(reader) {
    const dampened = fumoto.dampened(reader);
    return dampened ? [...reader.table.conventions, dampened] : reader.table.conventions;
  }

  // 読者の足どりと同じ、ほかの書き方の説明。なければ null
  function convention(reader) {
    if (reader.follows(AS_PRINTED)) return onlyHere(reader); // 違うのは、少し違う引数で走らせたときだけ
    const others = forms(reader);
    const elsewhere = reader.elsewhere;
    const found = others.find((other) => reader.follows(other) && (!elsewhere || elsewhere.follows(other)));
    if (found) return found.words;
    for (const other of [AS_PRINTED, ...others]) {
      if (!reader.follows(other, "float32")) continue;
      if (exactMistake(reader) || fumoto.steps(reader)) return null;
      return other === AS_PRINTED ? fumoto.said.single : `${other.words}(計算のどこかが float32 の精度です)`;
    }
    return null;
  }

  // 渡された引数でだけ式と同じ動きをする、という説明。名前のある間違いのせいなら null
  function onlyHere(reader) {
    const elsewhere = reader.elsewhere;
    if (!elsewhere || elsewhere.follows(AS_PRINTED)) return null;
    const form = forms(reader).find((other) => elsewhere.follows(other));
    if (form) return form.words;
    const written = Object.keys(reader.hyperparameters).filter((name) => ![0, 1].includes(reader.hyperparameters[name]));
    for (const names of subsets(written)) {
      const values = names.map((name) => [reader.method.hyperparameters[name], reader.hyperparameters[name]]);
      if (elsewhere.follows({ ...AS_PRINTED, handling: { values } })) {
        return fumoto.fill(fumoto.said.writtenIn, { names: names.join("、") });
      }
    }
    if (exactMistake(reader) || fumoto.steps(reader)) return null;
    return elsewhere.follows(AS_PRINTED, "float32") ? fumoto.said.single : fumoto.said.onlyHere;
  }

  function subsets(names) {
    const every = names.reduce((found, name) => [...found, ...found.map((each) => [...each, name])], [[]]);
    return every.filter((each) => each.length).sort((a, b) => a.length - b.length);
  }

  // --- 1 つの間違い ---------------------------------------------------------------------------------------

  // 式 1 本の書き間違いを、候補にしたもの
  const asCandidate = (variant) => ({
    ...{ id: variant.id, words: variant.kind, label: variant.label, formulas: [[variant.label, variant.rule]] },
    findings: [{ label: variant.label, yours: variant.yours, kind: variant.kind }],
    derived: true,
  });

  function* candidates(reader) {
    yield* reader.table.mistakes;
    yield* fumoto.timed(reader);
    yield* fumoto.exchanged(reader);
    yield* fumoto.otherValues(reader);
  }

  // 少し違う引数でも読者の足どりを再現する間違い。表にあるものを先に、機械で作ったものを後に
  function exactMistake(reader) {
    const sure = [...candidates(reader)].filter((candidate) => reader.followsEverywhere(candidate));
    if (sure.length) return named(reader, [withItsState(reader, sure)]);
    return derived(reader, true);
  }

  // 重みの動きの同じ候補のうち、読者の持つ状態まで同じもの。なければ、はじめのもの
  function withItsState(reader, found) {
    const [path] = reader.trajectories;
    const same = found.length > 1 && found.find((each) => sameState(path, reader.walk(each, path).optimizer.state));
    return same || found[0];
  }

  const derived = (reader, everywhere = false) =>
    reproducing(reader, reader.table.derived.map((variant) => [asCandidate(variant)]), reader.table.bases, everywhere);

  // 読者の足どりを再現する、機械で作った書き間違いの組。少し違う引数でも、状態まで再現するものを先に
  function reproducing(reader, groups, bases, everywhere = false) {
    const elsewhere = reader.tellingElsewhere;
    const found = [];
    for (const group of groups) {
      const candidate = group.reduce(fumoto.together);
      for (const base of bases) {
        if (!group.every(({ label }) => base.labels.includes(label))) continue;
        const own = reader.with({ method: base });
        if (!own.follows(candidate)) continue;
        const unsure = elsewhere !== null && !elsewhere.with({ method: base }).follows(candidate);
        if (unsure && everywhere) continue;
        found.push({ unsure, stateless: !hasStateOf(own, candidate), group });
        break;
      }
    }
    found.sort((a, b) => Number(a.unsure) - Number(b.unsure) || Number(a.stateless) - Number(b.stateless));
    return found.length ? named(reader, inOrder(reader, found[0].group)) : null;
  }

  // 計算する順に
  function inOrder(reader, found) {
    const place = ({ label }) => reader.method.labels.indexOf(label);
    return [...found].sort((a, b) => place(a) - place(b));
  }

  function hasStateOf(reader, candidate) {
    const [path] = reader.trajectories;
    return sameState(path, reader.walk(candidate, path).optimizer.state);
  }

  // ほかの書き方の上での間違い: [間違い, ほかの書き方, その上での間違い] の並び
  function* onForms(reader) {
    for (const form of forms(reader)) {
      const changed = new Map(form.formulas ?? []);
      const rewrites = reader.table.rewrites[form.id] ?? {};
      for (const candidate of plain(reader)) {
        const slipped = new Map((candidate.formulas ?? []).map(([label, rule]) => [label, rewrites[rule] ?? rule]));
        const same = [...slipped.keys()].some((label) => changed.has(label));
        const [own, its] = [form.handling ?? {}, candidate.handling ?? {}];
        if (same && own.start) continue;
        const handling = { ...its, start: its.start ?? own.start, first: own.first, values: own.values, spared: own.spared };
        const slip = candidate.formulas ? candidate : { ...candidate, label: undefined };
        const left = [...changed.keys()].some((label) => !slipped.has(label));
        yield [slip, left || !same ? form : null, { ...candidate, formulas: [...new Map([...changed, ...slipped])], handling }];
      }
    }
  }

  function inAnotherForm(reader) {
    for (const [slip, form, both] of onForms(reader)) {
      if (reader.followsEverywhere(both)) return named(reader, [slip], form);
    }
    return null;
  }

  // 間違いのせいで負になった値を、平方根の中の絶対値で隠したもの
  function hidden(reader) {
    for (const candidate of plain(reader)) {
      const patched = { ...candidate, handling: { ...candidate.handling, patched: true } };
      if (reader.follows(patched) && !reader.follows(candidate)) {
        return named(reader, [{ ...candidate, words: fumoto.fill(fumoto.said.hidden, { words: candidate.words }) }]);
      }
    }
    return null;
  }

  function single(reader) {
    const beside = reader.trajectories.flatMap((path) => path.faults).find(({ id }) => fumoto.besides.includes(id));
    if (beside) {
      const without = reader.with({ trajectories: reader.trajectories.map((path) => withoutFaults(path)) });
      const right = without.follows(AS_PRINTED) || convention(without) !== null;
      const found = right ? null : single(without);
      if (found) return { ...found, notes: [...(found.notes ?? []), `ほかにも、${fumoto.faults[beside.id]}。`] };
    }
    const everyKey = (each) => fumoto.singleKeys(each, exactMistake);
    const searches = [fumoto.atSight, exactMistake, everyKey, inAnotherForm, fumoto.exploding, hidden, fumoto.steps, fumoto.measured];
    return first(reader, searches);
  }

  function withoutFaults(path) {
    return Object.assign(Object.create(Object.getPrototypeOf(path)), path, { faults: [] });
  }

  // --- ほかに何も見つからないとき -------------------------------------------------------------------------

  const lessSure = (reader) => first(reader, [hereOnly, rough]);

  // 渡された引数でだけ読者の足どりを再現する間違い
  function hereOnly(reader) {
    for (const candidate of candidates(reader)) if (reader.follows(candidate)) return named(reader, [candidate]);
    return derived(reader);
  }

  // 丸め誤差の育つ計算や、float32 で計算したところのあるもの
  function rough(reader) {
    for (const candidate of candidates(reader)) if (reader.followsEverywhere(candidate, "float32")) return named(reader, [candidate]);
    for (const [slip, form, both] of onForms(reader)) {
      if (reader.followsEverywhere(both, "float32")) return named(reader, [slip], form);
    }
    return null;
  }

  function first(reader, searches) {
    for (const search of searches) {
      const found = search(reader);
      if (found) return here(reader, found);
    }
    return null;
  }

  // 渡された引数では間違いが見えないなら、そう言い添える
  function here(reader, found) {
    const seen = reader.trajectories.some((path) => path.faults.length) || !reader.follows(AS_PRINTED);
    return seen ? found : { ...found, verdict: `${found.verdict.replace(/。$/, "")}(${fumoto.said.unseen})。` };
  }

  // --- 言い方 ---------------------------------------------------------------------------------------------

  // candidates が間違いの原因だという結論。form: そのほかのところの書き方
  function named(reader, found, form = null) {
    const label = found.find((candidate) => candidate.label)?.label ?? null;
    const where = label ? `(${fumoto.where(reader, label)})` : "";
    const words = found.map((candidate) => candidate.words).join("。さらに、");
    const kind = found.every((candidate) => candidate.published) ? "別の手法" : "既知の間違い";
    const findings = found.flatMap((candidate) => (candidate.findings ?? []).map((each) => ({ kind: candidate.words, ...each })));
    return {
      ok: false,
      verdict: `${kind}: ${words}${where}。${form ? `ほかは、${form.words}。` : ""}`,
      equation: label,
      variant: found.map((candidate) => candidate.id).join(" + "),
      findings,
    };
  }

  Object.assign(fumoto, { AS_PRINTED, asCandidate, convention, single, lessSure, exactMistake, inAnotherForm, named, plain, reproducing });
})();
