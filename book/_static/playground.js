// 動かせる図。読者が出発点・ハイパーパラメーター・手法を変えるたびに、ページの式から作った関数
// (globalThis.fumoto の surfaces と methods)で道を計算し直して描く。更新の規則はここには一つも書かない。
// 読み込んだときは止まったまま、道の全体を見せる。本文を読む横で勝手に動き出すと邪魔になるからで、
// prefers-reduced-motion の読者にも、そうでない読者にも同じにしてある。動かすのは「再生」を押したときだけ。

const { surfaces, methods, looks } = globalThis.fumoto;

// "Momentum/notes" のような別の版は、もとの手法と同じ色で、線と文字を変える
function lookOf(name) {
  const { family } = methods[name], { letter, dash } = looks[family];
  return name === family ? { family, letter, dash: dash.map((part) => part * 1.7) } : { family, letter: `${letter}′`, dash: [1.5, 3.5] };
}
const nameOf = (name, { family, title } = methods[name]) => (name === family ? title : `${nameOf(family)}(${title})`);

// ---- 小さな道具 ----
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const mix = (a, b, share) => a + (b - a) * share;
const join = (items) => items.filter(Boolean).join("。");
const pair = (a, b, share) => a.map((c, i) => mix(c, b[i], share));
const inside = ([x, y], [left, top, right, bottom]) => x >= left && x <= right && y >= top && y <= bottom;
const minus = (text) => text.replace("-", "−");
function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const key of Object.keys(attributes)) node.setAttribute(key, attributes[key]);
  return node.append(...children), node;
}
const listen = (node, types, act) => types.split(" ").forEach((type) => node.addEventListener(type, act));
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1], ArrowUp: [1, 1] }; // 軸と向き
const arrows = (node, act) => listen(node, "keydown", (event) => {
  if (!ARROWS[event.key]) return;
  event.preventDefault();
  act(...ARROWS[event.key], event.shiftKey);
});
// 数を読める文字にする。有限でない数は決して文字にしない
function show(x) {
  const size = Math.abs(x);
  if (!Number.isFinite(x)) return "—";
  if (x === 0) return "0";
  if (size >= 1e-3 && size < 1e5) return minus(size >= 1000 ? String(Math.round(x)) : x.toPrecision(3));
  const [head, power] = x.toExponential(1).split("e");
  return `${minus(head)}×10${String(Number(power)).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;
}
const showPoint = (w) => (w.length === 1 ? show(w[0]) : `(${w.map(show).join(", ")})`);
// 目盛に書くきりのよい数
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough), first = Math.ceil(low / step);
  return Array.from({ length: Math.max(Math.floor(high / step) - first + 1, 0) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

// 線分 a–b のうち、箱 [左, 上, 右, 下] に入る部分(なければ null)。遠くへ飛んだ道を画面のそばで切る
function clip([ax, ay], [bx, by], [left, top, right, bottom]) {
  let from = 0, to = 1;
  for (const [p, q] of [[ax - bx, ax - left], [bx - ax, right - ax], [ay - by, ay - top], [by - ay, bottom - ay]]) {
    if (p === 0 && q < 0) return null;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from > to ? null : [from, to].map((share) => pair([ax, ay], [bx, by], share));
}

// ---- 計算: 道と、その行く末 ----
// 地形に、つまみで動かす定数(κ など)の値 p を入れたもの
const surfaceAt = (name, p, { value, gradient, ...rest } = surfaces[name]) => ({ ...rest, value: (x) => value(x, p), gradient: (x) => gradient(x, p) });
// 道 1 本。点も損失も有限なところまで
function descend(surface, method, values, start, steps) {
  const points = [start], losses = [surface.value(start)];
  let w = start, states = w.map(() => Object.fromEntries(method.states.map((name) => [name, 0])));
  for (let t = 1; t <= steps; t++) {
    const g = surface.gradient(w), last = w, p = { ...values, t };
    states = states.map((s, i) => method.step(last[i], g[i], s, p));
    w = states.map((s) => s.w);
    const loss = surface.value(w);
    if (![loss, ...w].every(Number.isFinite)) return { points, losses, broken: t };
    points.push(w), losses.push(loss);
  }
  return { points, losses, broken: null };
}

// 行く末。損失が、地図の中のどこよりもずっと高いまま終われば発散、高くないのに数でなくなれば計算不能。低いまま地図を出るのは、どちらでもない
function fateOf({ points, losses, broken }, { window: range, low, high }) {
  const end = losses.length - 1, limit = Math.max(high, losses[0]) + 10 * (high - low);
  if (losses[end] > limit) return { kind: "diverged", bad: true, step: losses.findIndex((loss) => loss > limit) };
  if (broken && losses[end] >= low) return { kind: "broken", bad: true, step: broken };
  const outside = (w) => w.some((x, i) => x < range[2 * i] || x > range[2 * i + 1]);
  return outside(points[end]) ? { kind: "left", step: points.findIndex(outside) } : { kind: "inside", step: null };
}

// 二次関数の 1 つの向きでは、1 歩は (w, 状態) の線形な写像である。特性方程式の根は、その固有値 [実部, 虚部]
function rootsOf({ states: [state], step }, curvature, p) {
  const after = (w, s) => { const next = step(w, curvature * w, { [state]: s }, p); return [next.w, state ? next[state] : 0]; };
  const [[a, c], [b, d]] = [after(1, 0), after(0, 1)], half = (a + d) / 2, inner = half ** 2 - a * d + b * c, apart = Math.sqrt(Math.abs(inner));
  const both = inner < 0 ? [[half, apart], [half, -apart]] : [[half + apart, 0], [half - apart, 0]];
  return state ? both : [[a, 0]];
}
const size = ([re, im]) => Math.hypot(re, im);
const showRoots = ([[re, im], other]) => (im ? `${show(re)} ± ${show(im)}i` : [re, ...(other ? [other[0]] : [])].map(show).join(" と "));

// 地形の高さの格子。等高線の高さは、間の面積が等しくなるように選ぶ
const landscapes = new Map();
function landscape(name, p) {
  const key = [name, ...surfaces[name].symbols.map((symbol) => p[symbol])].join(" ");
  if (landscapes.has(key)) return landscapes.get(key);
  if (landscapes.size > 20) landscapes.clear();
  const { dimension, value, window: range } = surfaceAt(name, p), [x0, x1, y0, y1] = range, flat = dimension === 1;
  const [columns, rows] = flat ? [480, 0] : [132, 84], heights = [];
  const spot = (i, j) => [mix(x0, x1, i / columns), mix(y1, y0, j / rows)].slice(0, dimension);
  for (let j = 0; j <= rows; j++) for (let i = 0; i <= columns; i++) heights.push(value(spot(i, j)));
  const sorted = heights.filter(Number.isFinite).sort((a, b) => a - b), last = sorted.length - 1;
  const levels = Array.from({ length: 14 }, (_, k) => sorted[Math.floor(mix(0.02, 0.98, k / 13) * last)]);
  const low = sorted[0], high = sorted[last], room = (high - low) * 0.1;
  const box = flat ? [x0, x1, y0 ?? low - room, y1 ?? high + room] : range;
  landscapes.set(key, { flat, window: range.slice(0, 2 * dimension), box, heights, columns, rows, levels, low, high });
  return landscapes.get(key);
}

// 高さ level 以上の場所(area)と、その境(line)
function contour({ heights, columns, rows }, level, width, height) {
  const area = new Path2D(), line = new Path2D(), sx = width / columns, sy = height / rows;
  for (let j = 0; j < rows; j++) {
    let run = 0; // まるごと level 以上のマスは、横に続くかぎり 1 つの長方形にする
    for (let i = 0; i <= columns; i++) {
      const at = j * (columns + 1) + i, below = at + columns + 1;
      const v = i < columns ? [heights[at], heights[at + 1], heights[below + 1], heights[below]] : [];
      const high = v.map((h) => h >= level), whole = high.length && high.every(Boolean);
      if (!whole && run) area.rect((i - run) * sx, j * sy, run * sx, sy);
      run = whole ? run + 1 : 0;
      if (whole || !high.some(Boolean)) continue;
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], shape = [], cuts = [];
      corners.forEach((corner, k) => {
        const n = (k + 1) % 4, share = (level - v[k]) / (v[n] - v[k]);
        if (high[k]) shape.push(corner);
        if (high[k] === high[n]) return;
        const cut = pair(corner, corners[n], share);
        cuts.push(cut), shape.push(cut);
      });
      shape.forEach(([x, y], k) => area[k ? "lineTo" : "moveTo"](x * sx, y * sy));
      area.closePath();
      cuts.forEach(([x, y], k) => line[k % 2 ? "lineTo" : "moveTo"](x * sx, y * sy));
    }
  }
  return { area, line };
}

// ---- 図 1 つ ----
// 道の行く末の呼び名(短いもの、長いもの)
const ENDS = { diverged: ["発散", "発散しました"], broken: ["計算不能", "計算できなくなりました(0 での割り算など)"], left: ["地図の外", "地図の外へ出ました"] };
const SKELETON = `
  <label class="playground-surface">地形 <select class="playground-select" aria-label="地形"></select></label>
  <div class="playground-versions"></div>
  <fieldset class="playground-methods"><legend>手法と、いまの損失</legend></fieldset>
  <div class="playground-stage">
    <canvas class="playground-ground" aria-hidden="true"></canvas><canvas class="playground-paths" role="img"></canvas>
    <div class="playground-points"></div><button type="button" class="playground-start"></button>
    <div class="playground-ring" hidden></div>
    <p class="playground-sign" aria-hidden="true" hidden></p><div class="playground-tip" aria-hidden="true" hidden></div></div>
  <div class="playground-transport" role="group" aria-label="再生">
    <button type="button" class="playground-play">再生</button><button type="button" class="playground-step">1 歩進む</button>
    <button type="button" class="playground-reset">最初に戻す</button>
    <input type="range" class="playground-scrub" min="0" step="1" aria-label="見ている歩">
    <output class="playground-clock" aria-live="off"></output></div>
  <p class="playground-scale"></p>
  <div class="playground-chart"><canvas class="playground-loss" role="img"></canvas><div class="playground-veil"></div></div>
  <div class="playground-plane"><p class="playground-rates"></p><canvas class="playground-roots" role="img"></canvas></div>
  <label class="playground-best"><input type="checkbox" class="playground-tuned"> 手法ごとに、この地形でいちばん早く着く設定にする</label>
  <div class="playground-sliders"><button type="button" class="playground-restore">元の設定に戻す</button></div>
  <p class="playground-equations"></p><p class="playground-live" role="status"></p>`;

class Playground {
  constructor(figure) {
    Object.assign(this, { figure, config: JSON.parse(figure.querySelector(".playground-config").textContent) });
    const { surface, surfaces: choices = [surface], methods: all, switch: pairs = [], sliders = {}, steps } = this.config;
    for (const name of choices) if (!surfaces[name]) throw new Error(`地形がありません: ${name}`);
    for (const name of [...all, ...pairs.flat()]) if (!methods[name]) throw new Error(`手法がありません: ${name}`);
    const bases = [...new Set(pairs.map(([base]) => base))]; // versions: [手法, [別の版, …]] の並び
    this.versions = bases.map((base) => [base, pairs.filter((two) => two[0] === base).map((two) => two[1])]);
    Object.assign(this, { choices, names: all.filter((name) => !pairs.some(([, other]) => other === name)) });
    this.sliders = { ...sliders, steps: { low: 1, high: Math.max(200, steps), title: "歩数", ...sliders.steps, step: 1 } };
    this.state = this.initial();
    this.read(), this.build(), this.listen();
    figure.classList.add("playing");
    this.compute(), this.resize(); // 画面に出る前に大きさを決める。あとで決めると、下の文章が動いて見える
  }

  // 状態: 読者が変えられるもの全部。values は {eta: 0.1, …}。"Adam.eta" のように書けば、その手法だけの値になる。
  // best なら、その地形に手法ごとの設定(config.best)があれば、values より先に使う
  initial() {
    const { surface, methods: all, on = all, start = surfaces[surface].start, steps, values, best } = this.config;
    const version = Object.fromEntries(this.versions.map(([base, others]) => [base, others.find((name) => on.includes(name)) ?? base]));
    const chosen = this.names.filter((name) => on.includes(name) || on.includes(version[name]));
    const lowest = Object.fromEntries(Object.entries(this.sliders).map(([name, { low }]) => [name, low]));
    return { surface, on: chosen, version, start, values: { ...lowest, ...values, steps }, best: Boolean(best), time: steps, playing: false };
  }

  get steps() { return this.state.values.steps; }
  compute() {
    const { surface, on, version, start, values, best } = this.state;
    Object.assign(this, { surface: surfaceAt(surface, values), land: landscape(surface, values) });
    const special = { ...values, ...(best && this.config.best[surface]) };
    const { dimension, gradient } = this.surface, axes = [...Array(dimension).keys()];
    const curvatures = axes.map((axis) => gradient(axes.map((other) => Number(other === axis)))[axis]);
    this.paths = this.names.filter((base) => on.includes(base)).map((base) => {
      const name = version[base] ?? base, method = methods[name], own = { ...values };
      for (const owner of [base, name]) {
        for (const symbol of method.symbols) own[symbol] = special[`${owner}.${symbol}`] ?? own[symbol];
      }
      const path = descend(this.surface, method, own, start, this.steps);
      const fate = fateOf(path, this.land), shown = fate.kind === "diverged" ? fate.step + 1 : this.steps + 1; // 発散した先は描かない
      const roots = this.config.roots ? curvatures.map((curvature) => rootsOf(method, curvature, { ...own, t: 1 })) : [];
      return { ...path, roots, rate: Math.max(...roots.flat().map(size)), name, base, title: nameOf(name), look: lookOf(name), fate, shown };
    });
    this.inspected = null;
    this.project(), this.report(), this.draw();
  }

  // 道を画面の座標にする。1 次元の地形では、縦に損失をとる
  project() {
    if (!this.width) return;
    const { flat, box: [x0, x1, y0, y1] } = this.land, { width, height } = this;
    this.X = (x) => ((x - x0) / (x1 - x0)) * width;
    this.Y = (y) => ((y1 - y) / (y1 - y0)) * height;
    this.place = (w) => [this.X(w[0]), this.Y(flat ? this.surface.value(w) : w[1])];
    const near = (c, span, size) => (Math.abs(c) * size < 5 * span ? 0 : c); // 軸から 5 ピクセルより近ければ、軸の上にする
    this.unplace = (x, y) => [near(mix(x0, x1, x / width), x1 - x0, width), near(mix(y1, y0, y / height), y1 - y0, height)].slice(0, this.surface.dimension);
    for (const path of this.paths) {
      path.pixels = path.points.slice(0, path.shown).map((w) => this.place(w).map((c) => clamp(c, -1e9, 1e9)));
      let length = 0, last = [Infinity, Infinity];
      const far = ([x, y], [a, b]) => Math.hypot(x - a, y - b);
      path.lengths = path.pixels.map((spot, k, all) => (length += k && Math.min(far(spot, all[k - 1]), 1e4)));
      path.dots = path.pixels.map((spot) => { // 歩ごとの印。近すぎるものと、地図の外のものは省く
        const apart = far(spot, last) > 7 && inside(spot, [0, 0, width, height]);
        if (apart) last = spot;
        return apart;
      });
    }
    this.painted = null;
  }

  build() {
    const { figure, config: { title = "動かせる図" } } = this, own = (name) => `${figure.id}-playground-${name}`;
    const root = element("div", { class: "playground-figure", role: "group", "aria-label": title });
    root.innerHTML = SKELETON;
    figure.querySelector(".playground-config").before(root);
    this.parts = Object.fromEntries([...root.querySelectorAll("[class]")].map((node) => [node.className.slice(11), node]));
    const { select, versions, methods: legend, points, restore, plane } = this.parts;
    this.parts.best.hidden = !this.config.best;
    plane.hidden = !this.config.roots;
    select.append(...this.choices.map((name) => element("option", { value: name }, surfaces[name].title ?? name)));
    select.parentNode.hidden = this.choices.length < 2;

    this.chips = new Map(this.names.map((name) => { // 手法: 凡例といまの損失を兼ねる。point は地図の上の点
      const chip = { box: element("input", { type: "checkbox" }), point: element("button", { type: "button", class: "playground-point" }) };
      chip.sample = element("span", { class: "playground-sample", "aria-hidden": "true" });
      chip.loss = element("span", { class: "playground-now" });
      const words = element("span", { class: "playground-name" }, methods[name].title, chip.loss);
      legend.append(element("label", { class: "playground-method" }, chip.box, chip.sample, words));
      points.append(chip.point);
      return [name, chip];
    }));
    this.radios = this.versions.flatMap(([base, others]) => {
      const set = element("fieldset", {}, element("legend", {}, `${methods[base].title} を動かす式`));
      versions.append(set);
      return [base, ...others].map((version) => {
        const radio = element("input", { type: "radio", name: own(base), value: version });
        set.append(element("label", {}, radio, version === base ? "印刷された式" : methods[version].title));
        return { radio, base, version };
      });
    });
    this.controls = Object.entries(this.sliders).map(([name, { low, high, log, title: text = name, step }]) => {
      const grain = step ?? Number(((high - low) / 100).toPrecision(1));
      const range = log ? { min: 0, max: 200, step: 1 } : { min: low, max: high, step: grain }; // 対数目盛は 200 に刻む
      const input = element("input", { type: "range", id: own(name), ...range });
      const output = element("output", { for: own(name), "aria-live": "off" }), label = element("label", { for: own(name) }, text);
      restore.before(element("div", { class: "playground-slider", "data-name": name }, label, output, input));
      const position = (value) => (log ? Math.round((200 * Math.log(value / low)) / Math.log(high / low)) : value);
      const value = (at) => (log ? Number((low * (high / low) ** (at / 200)).toPrecision(3)) : at);
      return { name, input, output, position, value };
    });
  }

  listen() {
    const { parts } = this;
    for (const [name, { box, point }] of this.chips) {
      listen(box, "change", () => this.change({ on: this.names.filter((other) => this.chips.get(other).box.checked) }));
      listen(point, "focus", () => this.inspect({ base: name }));
      listen(point, "blur", () => this.inspect(null));
      arrows(point, (axis, sign) => this.seek(Math.round(this.state.time) + sign));
    }
    const use = ({ base, version }) => this.change({ version: { ...this.state.version, [base]: version } });
    for (const choice of this.radios) listen(choice.radio, "change", () => use(choice));
    for (const { name, input, value } of this.controls) {
      listen(input, "input", () => {
        const { time } = this.state, before = this.steps, next = { ...this.state.values, [name]: value(Number(input.value)) };
        const best = this.state.best && name === "steps"; // 引数のつまみを動かしたら、そのつまみの値を、どの手法にも使う
        this.change({ values: next, best, time: time >= before ? next.steps : Math.min(time, next.steps) });
      });
    }
    listen(parts.select, "change", () => this.change({ surface: parts.select.value, start: surfaces[parts.select.value].start }));
    listen(parts.tuned, "change", () => this.change({ best: parts.tuned.checked }));
    listen(parts.restore, "click", () => this.change(this.initial()));
    listen(parts.play, "click", () => (this.state.playing ? this.seek(this.state.time) : this.start()));
    listen(parts.step, "click", () => this.seek(this.state.time >= this.steps ? 1 : Math.floor(this.state.time) + 1));
    listen(parts.reset, "click", () => this.seek(0));
    listen(parts.scrub, "input", () => this.seek(Number(parts.scrub.value)));

    // 出発点: 引く(マウス・指)、矢印キー、地図の何もないところを押す
    const corner = () => parts.stage.getBoundingClientRect();
    const pointer = (event) => [event.clientX - corner().left, event.clientY - corner().top];
    let grip; // つまんだところと、出発点のずれ
    listen(parts.start, "pointerdown", (event) => {
      grip = this.place(this.state.start).map((c, axis) => c - pointer(event)[axis]);
      parts.start.setPointerCapture(event.pointerId);
    });
    listen(parts.start, "pointermove", (event) => {
      if (!parts.start.hasPointerCapture(event.pointerId)) return;
      this.moveStart(this.unplace(...pointer(event).map((c, axis) => c + grip[axis])));
    });
    arrows(parts.start, (axis, sign, fine) => {
      this.moveStart(this.state.start.map((x, i) => (i === axis ? x + sign * this.grain(i) * (fine ? 1 : 10) : x)));
    });
    listen(parts.paths, "click", (event) => { if (!this.nearest(...pointer(event))) this.moveStart(this.unplace(...pointer(event))); });
    listen(parts.paths, "pointermove", (event) => this.inspect(this.nearest(...pointer(event))));
    listen(parts.paths, "pointerleave", (event) => { if (event.pointerType === "mouse") this.inspect(null); });
    listen(parts.loss, "pointerdown pointermove", (event) => { // 損失の図: 押したところの歩を見る
      if (event.buttons) this.seek(Math.round((this.steps * (pointer(event)[0] - this.axis[0])) / (this.axis[1] - this.axis[0])));
    });
    new ResizeObserver(() => this.resize()).observe(parts.stage);
    const near = new IntersectionObserver((entries) => { // 画面に近づくまでは描かない。ページを速く開くため
      if (entries.at(-1).isIntersecting) this.near = true, near.disconnect(), this.draw();
    }, { rootMargin: "100%" });
    near.observe(this.figure);
    listen(window, "hashchange", () => { if (this.read()) this.compute(); });
  }
  change(part) {
    Object.assign(this.state, part);
    this.compute(), this.remember();
  }
  // 出発点を置く目の細かさ。地図の幅の 300 分の 1 くらいの、きりのよい数
  grain(i) { return 10 ** Math.floor(Math.log10((this.land.window[2 * i + 1] - this.land.window[2 * i]) / 300)); }
  moveStart(w) {
    const { window: range } = this.land, snap = (x, grain) => Number((Math.round(x / grain) * grain).toPrecision(9));
    this.change({ start: w.map((x, i) => snap(clamp(x, range[2 * i], range[2 * i + 1]), this.grain(i))) });
  }
  nearest(px, py) {
    const far = ([x, y]) => Math.hypot(x - px, y - py);
    const all = this.paths.flatMap(({ base, pixels }) => pixels.map((spot, step) => ({ base, step, far: far(spot) })));
    return all.filter((spot) => spot.far < 18).sort((a, b) => a.far - b.far)[0] ?? null;
  }
  inspect(what) {
    if (what || this.inspected) this.draw();
    this.inspected = what;
  }
  start() {
    Object.assign(this.state, { playing: true, time: this.state.time >= this.steps ? 0 : this.state.time });
    this.last = null;
    this.draw();
  }
  seek(time) {
    Object.assign(this.state, { playing: false, time: clamp(time, 0, this.steps) });
    this.draw(), this.remember();
  }
  // 次の画面の書き換えで描く。再生中は、描くたびに時間を進める
  draw() {
    this.request ??= requestAnimationFrame((now) => {
      const { state, steps } = this;
      this.request = null;
      if (state.playing) {
        const elapsed = Math.min((now - (this.last ?? now)) / 1000, 0.1), time = state.time + elapsed * clamp(steps / 6, 5, 100);
        Object.assign(state, { time: Math.min(time, steps), playing: time < steps });
        this.last = now;
        this.draw();
      }
      if (this.width && this.near) this.paint();
    });
  }
  // 大きさを決める。縦横比は地形による
  resize() {
    const { stage, ground, paths, loss, roots } = this.parts, { flat, box } = this.land, ratio = devicePixelRatio || 1;
    this.width = stage.clientWidth;
    if (!this.width) return;
    const shape = flat ? 0.5 : clamp((box[3] - box[2]) / (box[1] - box[0]), 0.5, 0.75);
    this.height = Math.round(clamp(this.width * shape, 240, 430));
    stage.style.height = `${this.height}px`;
    for (const [canvas, height] of [[ground, this.height], [paths, this.height], [loss, 132], [roots, 220]]) {
      Object.assign(canvas, { width: Math.round(this.width * ratio), height: Math.round(height * ratio) });
      canvas.style.height = `${height}px`;
      canvas.getContext("2d").scale(ratio, ratio);
    }
    this.axis = [46, this.width - 14]; // 損失の図の横軸の両端
    this.shape = null;
    this.project(), this.arrange(), this.draw();
  }
  color(name) { return (this.style ??= getComputedStyle(this.figure)).getPropertyValue(`--playground-${name}`).trim(); }
  // 目盛の文字
  write(ink, text, x, y, textAlign) {
    Object.assign(ink, { font: "11px system-ui, sans-serif", fillStyle: this.color("muted"), textAlign });
    ink.fillText(minus(String(text)), x, y);
  }

  // 地形。地形・大きさ・明暗が変わったときだけ描く
  paintGround() {
    const { width, height, land, X, Y } = this, { flat, box, levels } = land, ink = this.parts.ground.getContext("2d");
    const [low, high] = ["low", "high"].map((name) => this.color(name).match(/\w\w/g).map((c) => parseInt(c, 16)));
    const shade = (share) => `rgb(${low.map((c, i) => Math.round(mix(c, high[i], share))).join(" ")})`;
    Object.assign(ink, { fillStyle: shade(0), strokeStyle: this.color("contour"), lineWidth: flat ? 2 : 0.75 });
    ink.fillRect(0, 0, width, height);
    const layers = flat ? [this.hillside()] : levels.map((level) => contour(land, level, width, height));
    layers.forEach(({ area, line }, k) => {
      ink.fillStyle = shade((k + 1) / layers.length);
      ink.fill(area), ink.stroke(line);
    });
    const across = ticks(box[0], box[1], width < 480 ? 4 : 7).filter((x) => X(x) > 34 && X(x) < width - 14);
    const up = ticks(box[2], box[3], 5).filter((y) => Y(y) > 12 && Y(y) < height - 22);
    for (const x of across) this.write(ink, x, X(x), height - 6, "center");
    for (const y of up) this.write(ink, y, 6, Y(y) + 4, "left");
    if (!this.surface.minimum) return;
    const [x, y] = this.place(this.surface.minimum);
    Object.assign(ink, { strokeStyle: this.color("ink"), lineWidth: 1.5 });
    ink.stroke(new Path2D(`M${x - 6} ${y}h12M${x} ${y - 6}v12`));
  }
  // 1 次元の地形の断面
  hillside() {
    const line = new Path2D(), { heights, columns } = this.land;
    heights.forEach((h, i) => line.lineTo((i / columns) * this.width, this.Y(h)));
    const area = new Path2D(line);
    area.lineTo(this.width, this.height), area.lineTo(0, this.height);
    return { line, area };
  }

  // 道の歩 from から to まで。続きだけを描き足せるように、線の模様は道の始めからの長さに合わせる
  stroke(ink, { pixels, lengths, dots, look }, from, to, box) {
    const last = pixels.length - 1, [begin, end] = [from, to].map((time) => Math.min(time, last)), line = new Path2D();
    const at = (time) => pixels[time] ?? pair(pixels[Math.floor(time)], pixels[Math.floor(time) + 1], time % 1);
    const length = begin === last ? 0 : mix(lengths[Math.floor(begin)] ?? 0, lengths[Math.floor(begin) + 1] ?? 0, begin % 1);
    let joined = false;
    for (let k = Math.floor(begin); k < end; k++) {
      const b = at(Math.min(k + 1, end)), cut = clip(at(Math.max(k, begin)), b, box);
      if (cut && !joined) line.moveTo(...cut[0]);
      if (cut) line.lineTo(...cut[1]);
      joined = cut && inside(b, box);
    }
    const color = this.color(look.family), lineCap = look.dash.length ? "butt" : "round";
    Object.assign(ink, { strokeStyle: color, fillStyle: color, lineWidth: 2.25, lineJoin: "round", lineCap, lineDashOffset: length });
    ink.setLineDash(look.dash);
    ink.stroke(line);
    for (let k = Math.ceil(begin); k <= end; k++) {
      if (dots[k]) ink.beginPath(), ink.arc(...pixels[k], 2.6, 0, 2 * Math.PI), ink.fill();
    }
  }

  // 動くところだけを描き足す。状態・大きさ・明暗が変わったときと、時間が戻ったときは、はじめから描く
  paint() {
    const { state: { time }, steps, land } = this, ink = this.parts.paths.getContext("2d");
    if (this.shape && this.shape !== land) this.resize();
    const { width, height } = this, box = [-width, -height, 2 * width, 2 * height], restart = this.painted === null || time < this.painted;
    if (!this.shape) this.paintGround();
    this.shape = land;
    if (restart) {
      ink.clearRect(0, 0, width, height);
      ink.globalAlpha = 0.28; // まだ通っていない先は薄く
      if (time < steps) for (const path of this.paths) this.stroke(ink, path, time, steps, box);
      ink.globalAlpha = 1;
    }
    for (const path of this.paths) this.stroke(ink, path, restart ? 0 : this.painted, time, box);
    if (this.painted === null) this.paintLoss();
    if (this.painted === null && this.config.roots) this.paintRoots();
    this.painted = time;
    this.arrange();
  }

  // 損失の図。まだ通っていない先は、上に重ねた幕(veil)で薄く見せる。谷底のある地形で損失が負にならなければ、対数目盛にする
  paintLoss() {
    const { width, steps, paths, land: { low, high }, parts } = this, ink = parts.loss.getContext("2d");
    const [left, right] = this.axis, [top, bottom] = [8, 112], all = paths.flatMap((path) => path.losses);
    const log = Boolean(this.surface.minimum) && all.every((loss) => loss >= 0), scale = log ? Math.log10 : Number;
    const [floor, ceiling] = log ? [high * 1e-9, high * 100] : [2 * low - high, 2 * high - low]; // これより外は描かない
    const [least, most] = log ? [floor / 10, ceiling * 10] : [2 * floor - ceiling, 2 * ceiling - floor];
    const sizes = all.map((loss) => scale(clamp(loss, floor, ceiling)));
    let from = Math.min(...sizes), to = Math.max(...sizes);
    if (!(to - from > 1e-9)) [from, to] = [scale(floor), scale(ceiling)];
    const X = (k) => mix(left, right, k / steps);
    const Y = (size) => clamp(mix(bottom - 4, top + 4, (size - from) / (to - from)), top - 9, bottom + 9);
    ink.clearRect(0, 0, width, 132);
    ink.setLineDash([]);
    Object.assign(ink, { strokeStyle: this.color("grid"), lineWidth: 1 });
    const label = (size) => (!log ? size : Math.abs(size) > 3 ? show(10 ** size).replace("1.0×", "") : 10 ** size);
    for (const size of ticks(from, to, 3).filter((tick) => !log || Number.isInteger(tick))) {
      const y = Math.round(Y(size)) + 0.5;
      ink.stroke(new Path2D(`M${left} ${y}H${right}`));
      this.write(ink, label(size), left - 6, y + 4, "right");
    }
    for (const k of ticks(0, steps, width < 480 ? 4 : 8).filter(Number.isInteger)) this.write(ink, k, X(k), 127, "center");
    for (const { losses, look, shown } of paths) {
      const pixels = losses.slice(0, shown).map((loss, k) => [X(k), Y(scale(clamp(loss, least, most)))]);
      this.stroke(ink, { pixels, look, lengths: [0], dots: [] }, 0, steps, [left, top, right, bottom]);
    }
    parts.scale.textContent = `損失(${log ? "対数目盛、" : ""}横軸は歩)`;
  }

  // 複素平面。円は、大きさ 1 と、根が複素数のときの大きさ。x の向きの根は白い丸、ほかの向きは塗った丸。遠い根は端に描く
  paintRoots() {
    const ink = this.parts.roots.getContext("2d"), { width } = this, [cx, cy, unit] = [width / 2, 110, 70];
    const circle = (x, y, radius) => { ink.beginPath(), ink.arc(x, y, radius, 0, 2 * Math.PI), ink.stroke(); };
    ink.clearRect(0, 0, width, 220);
    ink.setLineDash([]);
    Object.assign(ink, { strokeStyle: this.color("grid"), lineWidth: 1 });
    ink.stroke(new Path2D(`M${cx - 1.5 * unit} ${cy}h${3 * unit}M${cx} ${cy - 1.5 * unit}v${3 * unit}`));
    ink.strokeStyle = this.color("edge");
    circle(cx, cy, unit);
    for (const x of [-1, 1]) this.write(ink, x, cx + 1.12 * x * unit, cy - 5, "center");
    for (const { roots, look } of this.paths) {
      const color = this.color(look.family);
      Object.assign(ink, { strokeStyle: color, lineWidth: 1.5 });
      ink.setLineDash(look.dash);
      const [[one, other]] = roots;
      if (other) circle(cx, cy, unit * Math.min(Math.sqrt(size(one) * size(other)), 1.5));
      ink.setLineDash([]);
      ink.lineWidth = 2.5;
      roots.forEach((both, axis) => both.forEach(([re, im]) => {
        ink.fillStyle = axis ? color : this.color("low");
        circle(cx + unit * clamp(re, -1.5, 1.5), cy - unit * clamp(im, -1.5, 1.5), 5);
        ink.fill();
      }));
    }
  }

  // 図の上に重ねた部品を、いまの位置と値に合わせる
  arrange() {
    const { parts, steps, width, height, state: { time, start, playing } } = this, step = Math.floor(time);
    const put = (node, x, y) => { node.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`; };
    for (const [name, { point, loss }] of this.chips) {
      const path = this.paths.find(({ base }) => base === name), there = path && time < path.pixels.length;
      const next = there && path.points[Math.min(step + 1, path.points.length - 1)];
      const [x, y] = there ? this.place(pair(path.points[step], next, time - step)) : [-1, -1];
      point.hidden = !inside([x, y], [0, 0, width, height]);
      if (!point.hidden) put(point, x, y - (this.land.flat ? 11 : 0)); // 1 次元では線の上に載せる
      if (!point.hidden && !playing) point.setAttribute("aria-label", this.describe(path, step));
      const { kind, step: when } = path?.fate ?? {}, gone = kind === "left" ? point.hidden : kind in ENDS && step >= when;
      loss.textContent = gone ? ENDS[kind][0] : path ? show(path.losses[step]) : "";
    }
    put(parts.start, ...this.place(start));
    parts.play.textContent = playing ? "一時停止" : "再生";
    parts.clock.textContent = `${step} / ${steps} 歩`;
    Object.assign(parts.scrub, { max: steps, value: step });
    parts.scrub.setAttribute("aria-valuetext", `${steps} 歩のうち ${step} 歩目`);
    parts.veil.style.left = `${mix(...this.axis, time / steps)}px`;
    const { tip, ring } = parts, seen = this.inspected && this.paths.find(({ base }) => base === this.inspected.base);
    tip.hidden = ring.hidden = !seen;
    if (!seen) return;
    const k = Math.min(this.inspected.step ?? step, seen.pixels.length - 1), [x, y] = seen.pixels[k];
    tip.replaceChildren(...this.describe(seen, k).split("、").map((line) => element("span", {}, line)));
    const { offsetWidth: w, offsetHeight: h } = tip, above = y - h - 16;
    put(tip, clamp(x - w / 2, 4, width - w - 4), above > 4 ? above : clamp(y + 18, 4, height - h - 4));
    put(ring, x, y);
  }
  describe(path, step) {
    const k = Math.min(step, path.points.length - 1);
    return `${path.title}、${k} 歩目、w = ${showPoint(path.points[k])}、損失 ${show(path.losses[k])}`;
  }
  // 部品の値と、文字による知らせ(発散、図の要約)
  report() {
    const { state, parts, steps } = this, { version, values } = state;
    const those = (kind) => this.paths.filter(({ fate }) => fate.kind === kind).map(({ title, fate }) => `${title}(${fate.step} 歩目)`.replace(")(", "、"));
    const [lost, broken, left] = Object.keys(ENDS).map((kind) => those(kind).length && `${ENDS[kind][1]}: ${those(kind).join("、")}`);
    const sign = join([lost, broken]), message = join([sign, left]);
    Object.assign(parts.sign, { textContent: sign, hidden: !sign });
    clearTimeout(this.saying); // 読み上げは、手が止まってから一度だけ
    this.saying = setTimeout(() => {
      if (message !== (this.said ?? "")) parts.live.textContent = (this.said = message) || "収まりました";
    }, 500);
    for (const { name, input, output, position } of this.controls) {
      [input.value, output.textContent] = [position(values[name]), minus(String(values[name]))];
      input.setAttribute("aria-valuetext", output.textContent);
    }
    parts.select.value = state.surface;
    const tuned = Boolean(this.config.best?.[state.surface]);
    Object.assign(parts.tuned, { checked: tuned && state.best, disabled: !tuned });
    const { equations = {} } = this.config, cite = (title, labels, changed = []) => element("span", {}, title, ...labels.flatMap((label) => {
      const [text, href] = equations[label] ?? [];
      return href ? [" ", element("a", { href }, text), changed.includes(label) ? " の書き間違い" : ""] : [];
    }));
    const used = this.paths.map(({ name, title }) => cite(title, methods[name].labels, methods[name].changed));
    parts.equations.hidden = !Object.keys(equations).length;
    parts.equations.replaceChildren("動かしている式: ", cite("地形", [this.surface.label]), ...used);
    for (const { radio, base, version: own } of this.radios) radio.checked = version[base] === own;
    for (const [name, { box, point, sample }] of this.chips) {
      const { letter, dash, family } = lookOf(version[name] ?? name);
      box.checked = state.on.includes(name);
      point.textContent = letter;
      const style = `--color: var(--playground-${family}); --letter: var(--playground-on-${family})`;
      for (const node of [point, sample]) node.setAttribute("style", style);
      sample.innerHTML = `<svg viewBox="4 0 38 20" width="38" height="20"><path d="M5 10H41" stroke-dasharray="${dash.join(" ") || "none"}"/>
        <circle cx="23" cy="10" r="8.5"/><text x="23" y="10">${letter}</text></svg>`;
    }
    parts.start.setAttribute("aria-label", `出発点 ${showPoint(state.start)}。矢印キーで動かせます`);
    const ends = this.paths.map((path) => (path.fate.bad ? `${path.title} は${ENDS[path.fate.kind][0]}` : this.describe(path, steps)));
    parts.paths.setAttribute("aria-label", join(["地形の図と、手法ごとの道", ...ends]));
    parts.loss.setAttribute("aria-label", join(["歩ごとの損失の図", ...ends]));
    const each = (say) => this.paths.map(say).join("、"), axis = (k) => `${"xy"[k]} の向き`;
    parts.rates.textContent = `特性方程式の根(○ ${axis(0)}、● ${axis(1)})。1 歩ごとの倍率(いちばん大きい根の大きさ): ${each(({ title, rate }) => `${title}\u00a0${show(rate)}`)}`;
    const spoken = ({ title, roots, rate }) => `${title}、${roots.map((both, k) => `${axis(k)} ${showRoots(both)}`).join("、")}、倍率 ${show(rate)}`;
    parts.roots.setAttribute("aria-label", join(["特性方程式の根を複素平面に描いた図", ...this.paths.map(spoken)]));
  }

  // ---- アドレス: #名前:surface=bowl;eta=0.1;on=SGD,Adam;start=-7,2 ----
  remember() {
    clearTimeout(this.writing);
    const { hash } = location;
    this.writing = setTimeout(() => {
      if (location.hash !== hash) return; // その間にリンクで移った先を、上書きしない
      const { surface, on, version, start, values, best, time } = this.state;
      const entries = [["surface", surface], ["on", on], ["start", start], ...Object.keys(this.sliders).map((name) => [name, values[name]])];
      if (this.versions.length) entries.push(["use", Object.values(version)]);
      if (this.config.best) entries.push(["best", Number(best)]);
      if (time < this.steps) entries.push(["step", Math.floor(time)]);
      const fragment = entries.map(([key, value]) => `${key}=${[value].flat().join(",")}`).join(";");
      try {
        history.replaceState(history.state, "", `#${this.figure.id}:${fragment}`);
      } catch { /* アドレスを書き換えられない環境でも、図は動く */ }
    }, 250);
  }

  // アドレスから状態を読む。読めないものは捨て、つまみの範囲に収める
  read() {
    const prefix = `#${this.figure.id}:`, text = location.hash.replace(/%2C/gi, ",").replace(/%2F/gi, "/");
    if (!text.startsWith(prefix)) return false;
    const given = Object.fromEntries(text.slice(prefix.length).split(";").map((entry) => entry.split("=")));
    const number = (word, low, high, otherwise) => (word && Number.isFinite(Number(word)) ? clamp(Number(word), low, high) : otherwise);
    const words = (name) => given[name]?.split(",");
    const state = this.initial(), { values } = state;
    const moved = this.choices.includes(given.surface) && given.surface !== state.surface;
    if (moved) Object.assign(state, { surface: given.surface, start: surfaces[given.surface].start });
    if (words("on")) state.on = this.names.filter((name) => words("on").includes(name));
    const use = (base, others) => others.find((name) => words("use").includes(name)) ?? base;
    if (words("use")) for (const [base, others] of this.versions) state.version[base] = use(base, others);
    const { window: range } = landscape(state.surface, values);
    state.start = state.start.map((x, i) => number(words("start")?.[i], range[2 * i], range[2 * i + 1], x));
    for (const [name, { low, high }] of Object.entries(this.sliders)) values[name] = number(given[name], low, high, values[name]);
    values.steps = Math.round(values.steps);
    state.best &&= given.best !== "0";
    state.time = Math.round(number(given.step, 0, values.steps, values.steps));
    this.state = state;
    requestAnimationFrame(() => this.figure.scrollIntoView()); // 図の大きさが決まってから
    return true;
  }
}

// 手法の色。canvas も figure のスタイルから読む
const colors = (theme) => Object.entries(looks).map(([family, { [theme]: { color, ink } }]) =>
  `--playground-${family}: ${color}; --playground-on-${family}: ${ink};`).join(" ");
document.head.append(element("style", {}, `.playground { ${colors("light")} } html[data-theme="dark"] .playground { ${colors("dark")} }`));

// ---- 始める。1 つの図が動かせなくても、ほかの図は動かす(その図には静止画が残る) ----
const playgrounds = [];
for (const figure of document.querySelectorAll("figure.playground")) {
  try {
    const playground = new Playground(figure);
    const each = (key) => () => Object.fromEntries(playground.paths.map((path) => [path.name, path[key]]));
    playgrounds.push(playground);
    const state = () => structuredClone(playground.state), paint = () => playground.paint(); // テストのための窓
    figure.fumotoPlayground = { trajectories: each("points"), losses: each("losses"), fates: each("fate"), roots: each("roots"), rates: each("rate"), state, paint };
  } catch (error) { console.error(error); }
}
const restyle = () => playgrounds.forEach((playground) => Object.assign(playground, { style: null, shape: null, painted: null }).draw());
new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-theme"] });
