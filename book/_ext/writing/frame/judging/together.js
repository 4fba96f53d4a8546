// 2 つの間違いの組。fumoto.checking.candidates の together と derived.pairs と同じである。
"use strict";

(() => {
  const { fumoto } = globalThis;
  const kind = (candidate) => candidate.id.split("/")[1];

  // 1 つでは見つからないときに探す、2 つの間違い。なければ null。状態が負なら、足どりがほとんど nan なので、2 つの間違いは決められない
  function two(reader) {
    const negative = fumoto.rootOfNegative(reader);
    if (negative) return negative;
    const often = fumoto.reproducing(reader, derivedPairs(reader), [reader.method]);
    if (often) return often;
    for (const [first, second] of combined(reader)) {
      if (!reader.follows(together(first, second))) continue;
      const alone = [first, second].find((each) => reader.follows(each));
      return fumoto.named(reader, alone ? [alone] : [first, second]);
    }
    return null;
  }

  // よく一緒に起きる、機械で作った書き間違いの組。同じ種類のものを先に
  function derivedPairs(reader) {
    const own = reader.table.derived.filter(({ label, often }) => often && reader.method.labels.includes(label));
    const pairs = combinations(own).filter(([a, b]) => a.label !== b.label);
    const sorted = pairs.sort(([a, b], [c, d]) => Number(a.kind !== b.kind) - Number(c.kind !== d.kind));
    return sorted.map((pair) => pair.map(fumoto.asCandidate));
  }

  // [1 つ目, 2 つ目] の並び。符号や歩幅の間違いとの組を先に
  function* combined(reader) {
    const { conventions, mistakes } = reader.table;
    const listed = fumoto.plain(reader);
    const formulas = listed.filter((candidate) => candidate.formulas);
    for (const first of [...conventions, ...formulas]) for (const scale of fumoto.scaling(reader, first)) yield [first, scale];
    for (const other of mistakes.filter(({ method }) => method)) for (const scale of fumoto.scaling(reader, other)) yield [other, scale];
    const written = formulas.filter((candidate) => !fumoto.rare.includes(kind(candidate)));
    const overlap = (a, b) => a.formulas.some(([label]) => b.formulas.some(([other]) => other === label));
    for (const [first, second] of combinations(written)) if (!overlap(first, second)) yield [first, second];
    const handled = listed.filter((candidate) => !candidate.formulas && /^(loop|clock|state)\//.test(candidate.id));
    handled.push(...listed.filter(({ id }) => fumoto.slippedIn.includes(id)));
    for (const first of written) for (const second of handled) yield [first, second];
    yield* combinations(handled);
  }

  const combinations = (list) => list.flatMap((first, i) => list.slice(i + 1).map((second) => [first, second]));

  // 2 つの候補を一緒に動かすもの。同じところを変えるなら、2 つ目の方を使う
  const together = (first, second) => ({
    ...first,
    formulas: [...(first.formulas ?? []), ...(second.formulas ?? [])],
    handling: { ...first.handling, ...second.handling },
  });

  Object.assign(fumoto, { together, two });
})();
