// 読者の足どりを、候補の動きと比べる。許すずれの決め方は fumoto.checking.computing.comparison と同じである。
"use strict";

(() => {
  const { arrays, fumoto } = globalThis;
  const { Impossible, Machine } = fumoto;
  const FRACTIONS = ["momentum", "decay_rate", "beta1", "beta2"];
  const EPSILON = { float64: 2 ** -52, float32: 2 ** -23 };
  const LARGEST = { float64: Number.MAX_VALUE, float32: (2 - 2 ** -23) * 2 ** 127 };
  const TINY = 2 ** -1022;
  const TOO_LARGE = 1e12; // float32 では、これより大きな重みの途中の計算が、いつあふれるか分からない
  const ENOUGH = 12; // これだけの要素が有限の値のまま動いて一致しなければ、一致とは言わない
  const OVERFLOWING = 1e-10; // いちばん大きな数のこれだけ倍より大きければ、あふれる手前である

  // 1 つの問題の上での読者の足どり。params: [ステップ][キーの番号] → {dtype, values}
  class Trajectory {
    constructor(problem, history, faults = [], elsewhere = null, values = {}) {
      Object.assign(this, { problem, faults, elsewhere, values, state: history.state, showsStates: history.showsStates, notes: history.notes ?? [] });
      this.dtypes = history.params.map((step) => step.map(({ dtype }) => dtype));
      this.params = history.params.map((step) => step.map((w) => w.values));
      this.tolerances = new Map();
    }

    get keys() {
      return this.problem.keys;
    }

    get elements() {
      return this.keys.reduce((sum, { start }) => sum + start.length, 0);
    }

    get endsFinite() {
      return (this.finite ??= this.params.at(-1).every((w) => w.every(Number.isFinite)));
    }

    // どの要素も有限でなくなったステップ。なければ 0
    get lostAt() {
      this.lost ??= 1 + this.params.findIndex((step) => !step.some((w) => w.some(Number.isFinite)));
      return this.lost;
    }

    // どの重みも、float32 で表せる値か
    get inFloat32() {
      const isSingle = (x) => Object.is(Math.fround(x), x) || Math.fround(x) === x;
      return (this.single ??= this.params.every((step) => step.every((w) => w.every(isSingle))));
    }

    // ステップごとの、それまでのいちばん大きな絶対値と、動いた道のり。丸め誤差は、これに比例する
    get running() {
      if (this.ran) return this.ran;
      let before = this.keys.map(({ start }) => start);
      let largest = before.map((w) => Float64Array.from(w, extent));
      let walked = before.map((w) => new Float64Array(w.length));
      this.ran = this.params.map((step) => {
        largest = step.map((w, key) => largest[key].map((x, i) => Math.max(x, extent(w[i]))));
        walked = step.map((w, key) => walked[key].map((x, i) => x + extent(w[i] - before[key][i])));
        before = step;
        return { largest, walked };
      });
      return this.ran;
    }

    // keys の重みだけの足どり
    only(names) {
      const kept = this.keys.map(({ key }, at) => [key, at]).filter(([key]) => names.has(key)).map(([, at]) => at);
      const pick = (list) => kept.map((at) => list[at]);
      const problem = { ...this.problem, keys: pick(this.keys), gradients: this.problem.gradients.map(pick) };
      const params = this.params.map((step, at) => pick(step.map((values, key) => ({ values, dtype: this.dtypes[at][key] }))));
      return new Trajectory(problem, { params, state: {} }, this.faults, this.elsewhere?.only(names) ?? null, this.values);
    }
  }

  const extent = (x) => (Number.isFinite(x) ? Math.abs(x) : 0);
  const greatest = (list) => list.reduce((x, y) => Math.max(x, y), 0);

  // 読者の足どりと、比べる相手の手法、引数。table: 手法の表。method: 式の並び
  class Comparison {
    constructor(table, method, hyperparameters, trajectories, written = []) {
      Object.assign(this, { table, method, hyperparameters, trajectories, written });
    }

    with(changes) {
      const all = { ...this, ...changes };
      return new Comparison(all.table, all.method, all.hyperparameters, all.trajectories, all.written);
    }

    // 少し違う引数で走らせた足どりとの比較。走らせていなければ null
    get elsewhere() {
      const paths = this.trajectories.filter((path) => path.elsewhere).map((path) => path.elsewhere);
      if (!paths.length) return null;
      const values = { ...this.hyperparameters, ...paths[0].values };
      const own = Object.fromEntries(Object.entries(values).filter(([name]) => name in this.method.hyperparameters));
      return this.with({ hyperparameters: own, trajectories: paths });
    }

    // 少し違う引数での比較。走らせていないか、判断できなければ null
    get tellingElsewhere() {
      const { elsewhere } = this;
      return elsewhere?.tells ? elsewhere : null;
    }

    get smallestFirst() {
      const order = (path) => [Number(!path.endsFinite), path.elements];
      const ordered = [...this.trajectories].sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
      return this.with({ trajectories: ordered });
    }

    // 判断できるだけ動いた足どりがあるか
    get tells() {
      return this.trajectories.some(tells);
    }

    // 1 - β の引き算が失う有効数字: 誤差が何倍になるか
    get lost() {
      const lost = FRACTIONS.filter((name) => name in this.hyperparameters).map((name) => 1 / (1 - this.hyperparameters[name]));
      return Math.max(1, ...lost);
    }

    machine(candidate) {
      return new Machine(this.table, candidate, this.method, this.hyperparameters);
    }

    // candidate の動きと違った最初の場所 {step, key, yours, expected}。最後まで同じなら null
    departsFrom(candidate, precision = "float64") {
      for (const path of this.trajectories) if (path.faults.length) return path.faults[0];
      for (const path of this.trajectories) {
        const found = compare(this.machine(candidate), path, precision, this.lost);
        if (found) return found;
      }
      return this.tells ? null : firstMove(this.trajectories[0]);
    }

    follows(candidate, precision = "float64") {
      return possible(() => this.smallestFirst.departsFrom(candidate, precision) === null);
    }

    // 渡された引数でも、少し違う引数でも、同じか(少し違う引数で判断できなければ、渡された引数でだけ)
    followsEverywhere(candidate, precision = "float64") {
      if (!this.follows(candidate, precision)) return false;
      const elsewhere = this.tellingElsewhere;
      return !elsewhere || elsewhere.follows(candidate, precision);
    }

    // candidate を、path の問題の上で歩かせた足どり(params だけ)。optimizer も
    walk(candidate, path, steps = path.params.length) {
      const optimizer = this.machine(candidate);
      const [params, history] = [starts(path.problem), []];
      for (let step = 0; step < steps; step += 1) {
        optimizer.update(params, gradientsAt(path.problem, step));
        history.push(Object.values(params).map(arrays.flat));
      }
      return { params: history, optimizer };
    }

    // path の key の重みだけが、expected のものと最後まで同じか
    agreesOn(path, expected, key) {
      return path.params.every((_, at) => !off(path, at + 1, key, expected.params[at][key], "float64", this.lost));
    }
  }

  // この手法の中では手に入らない値を使うか、形の合わない候補は、できない
  function possible(attempt) {
    try {
      return attempt();
    } catch (error) {
      if (error instanceof Impossible || ["ValueError", "AxisError"].includes(error.name)) return false;
      throw error;
    }
  }

  function starts(problem) {
    return Object.fromEntries(problem.keys.map(({ key, shape, dtype, start }) => [key, arrays.of(start, shape, dtype)]));
  }

  // どの候補にも同じ配列を渡す。候補は、勾配を書き換えない
  function gradientsAt(problem, step) {
    problem.made ??= problem.gradients.map((every) =>
      Object.fromEntries(problem.keys.map(({ key, shape, dtype }, at) => [key, arrays.of(every[at], shape, dtype)]))
    );
    return problem.made[step];
  }

  function compare(optimizer, path, precision, lost) {
    const params = starts(path.problem);
    for (let step = 1; step <= path.params.length; step += 1) {
      optimizer.update(params, gradientsAt(path.problem, step - 1));
      const every = Object.values(params);
      for (let key = 0; key < every.length; key += 1) {
        const expected = arrays.flat(every[key]);
        if (off(path, step, key, expected, precision, lost)) {
          return { step, key: path.keys[key].key, yours: path.params[step - 1][key], expected };
        }
      }
      if (step === path.lostAt) return null;
    }
    return null;
  }

  function tolerance(path, step, key, precision, lost) {
    const asked = `${step} ${key} ${precision} ${lost}`;
    if (!path.tolerances.has(asked)) path.tolerances.set(asked, allowed(path, step, key, precision, lost));
    return path.tolerances.get(asked);
  }

  function allowed(path, step, key, precision, lost) {
    const own = EPSILON[path.keys[key].dtype];
    const coarser = Math.max(EPSILON[precision] - own, 0);
    let [largest, walked] = [path.running[step - 1].largest[key], path.running[step - 1].walked[key]];
    if (path.keys.every(({ shape }) => shape.length === 2)) {
      // 行列の積では、どの要素の丸め誤差も、いちばん大きな要素に比例する
      [largest, walked] = [largest, walked].map((list) => list.map(() => greatest(list)));
    }
    return largest.map((size, i) => {
      const fine = own * (2 * (step + 1) ** 2 * size + 2 * lost * walked[i]);
      const rounded = path.inFloat32 ? 2 * (step + 1) * size : 0;
      return fine + coarser * (rounded + 2 * lost * walked[i]) + TINY;
    });
  }

  // どれかの要素で、読者の重みが expected と、丸め誤差より大きく違うか
  function off(path, step, key, expected, precision, lost) {
    const [yours, slack, dtype] = [path.params[step - 1][key], tolerance(path, step, key, precision, lost), path.keys[key].dtype];
    for (let i = 0; i < expected.length; i += 1) {
      const [mine, theirs] = [yours[i], expected[i]];
      let apart = Math.abs(mine - theirs) > slack[i];
      if (Number.isFinite(mine) !== Number.isFinite(theirs)) {
        const finite = Number.isFinite(mine) ? mine : theirs; // あふれる手前では、掛ける順で、あふれるかどうかが変わる
        apart = !(Math.abs(finite) > LARGEST[dtype] * OVERFLOWING);
      }
      const huge = Math.abs(theirs) > TOO_LARGE; // ここまで大きくなるあいだに、丸め誤差も何倍にもなる
      if (apart && !(huge && (dtype === "float32" || Math.abs(mine / theirs - 1) < 1e-3))) return true;
    }
    return false;
  }

  // どの値も有限か、有限の値のまま動いた要素が、判断に足りるだけあるか
  function tells(path) {
    if (path.endsFinite) return true;
    let [before, moved] = [path.keys.map(({ start }) => start), 0];
    for (const [step, params] of path.params.entries()) {
      const grads = path.problem.gradients[step]; // 勾配のない要素は、重みの減衰でも動くので、数えない
      params.forEach((w, key) => w.forEach((x, i) => (moved += Number(Number.isFinite(x) && x !== before[key][i] && grads[key][i] !== 0))));
      before = params;
    }
    return moved >= ENOUGH;
  }

  function firstMove(path) {
    const [{ key, start }] = path.keys;
    return { step: 1, key, yours: path.params[0][0], expected: start };
  }

  // 読者の持つ状態が、手法の状態と同じか。同じ名前のものがなければ false
  function sameState(path, state) {
    const shared = Object.keys(state).filter((name) => name in path.state);
    const close = (mine, theirs) =>
      mine !== undefined &&
      mine.values.length === theirs.length &&
      theirs.every((x, i) => Object.is(x, mine.values[i]) || Math.abs(mine.values[i] - x) <= 1e-9 + 1e-6 * Math.abs(x));
    return (
      shared.length > 0 &&
      shared.every((name) => [...state[name]].every(([key, saved]) => close(path.state[name][key], fumoto.flat(saved))))
    );
  }

  Object.assign(fumoto, { Trajectory, Comparison, possible, sameState });
})();
