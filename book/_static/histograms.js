// 層を通る値の分布。読者が重みの標準偏差・活性化関数・BatchNorm の置き場所を変えるたびに、ページの式から作った関数
// (globalThis.fumotoLayers)でデータを 5 つの層に通し直し、分布を描く。式はここには一つも書かない。

const { nodes, layers, samples, together, seed, normals, affine, mean, std, activations, scales, batchnorm, labels } = globalThis.fumotoLayers;
const PLACES = { none: "なし", before: "活性化関数の前", after: "活性化関数の後" };
const FLAT = 1 / 10; // 微分が、x = 0 での値(最大)のこの割合に満たない出力を、飽和していると数える
const STEPS = 200; // 対数目盛のつまみの刻みの数
// 横軸。BatchNorm の後と、シグモイドと tanh は等間隔、ほかは 0 を除いた大きさの対数目盛
const AXES = {
  normalized: { low: -4, high: 4, bins: 80, ticks: [-4, -2, 0, 2, 4] },
  sigmoid: { low: 0, high: 1, bins: 60, ticks: [0, 0.5, 1] },
  tanh: { low: -1, high: 1, bins: 60, ticks: [-1, 0, 1] },
  log: { low: -12, high: 8, bins: 120, ticks: [-12, -8, -4, 0, 4, 8], log: true },
};

// ---- 小さな道具 ----
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const minus = (text) => String(text).replace("-", "−");
const listen = (node, types, act) => types.split(" ").forEach((type) => node.addEventListener(type, act));
function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const key of Object.keys(attributes)) node.setAttribute(key, attributes[key]);
  return node.append(...children), node;
}
const power = (exponent) => `10${String(exponent).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;
// 数を読める文字にする。有限でない数は決して文字にしない
function show(x) {
  const size = Math.abs(x);
  if (!Number.isFinite(x)) return "—";
  if (x === 0) return "0";
  if (size >= 0.01 && size < 1e4) return minus(Number(x.toPrecision(2)));
  const [head, exponent] = x.toExponential(1).split("e");
  return `${minus(head)}×${power(Number(exponent))}`;
}
// 割合。ちょうど 0 % か 100 % のときだけ、そう書く
function percent(share) {
  if (share > 0 && share < 0.01) return "1 % 未満";
  return share > 0.99 && share < 1 ? "99 % 超" : `${Math.round(100 * share)} %`;
}

// ---- 計算 ----
let numbers; // 標準正規乱数。はじめの samples × nodes 個がデータ、残りが層ごとの重みのもと
function through({ activation, sigma, bias, place }) {
  const { value, slope } = activations[activation], size = samples * nodes, steepest = slope && slope(value(0));
  numbers ??= normals(size + layers * nodes * nodes, seed);
  const b = new Float64Array(nodes).fill(bias), w = new Float64Array(nodes * nodes), found = [];
  let h = numbers.subarray(0, size);
  for (let layer = 0; layer < layers; layer++) {
    const from = size + layer * w.length, alive = new Uint8Array(nodes);
    for (let j = 0; j < w.length; j++) w[j] = sigma * numbers[from + j];
    const x = weighted(h, w, b);
    if (place === "before") normalize(x);
    let counted = 0;
    for (let j = 0; j < size; j++) {
      const y = (x[j] = value(x[j]));
      if (slope ? slope(y) < FLAT * steepest : y <= 0) counted++;
      if (y > 0) alive[j % nodes] = 1;
    }
    if (place === "after") normalize(x);
    const middle = mean(x, 0, 1, size), spread = std(x, 0, 1, size, middle);
    const sound = Number.isFinite(spread); // 値が 1 つでも有限でなければ、標準偏差も有限でない
    found.push({ outputs: x, spread, sound, share: counted / size, dead: alive.filter((any) => !any).length, countsDead: !slope });
    h = x;
  }
  return found;
}
// 重みつきの和。標本を together 個ずつ
function weighted(h, w, b) {
  const x = new Float64Array(h.length);
  for (let row = 0; row < h.length; row += together * nodes) {
    for (let k = 0; k < nodes; k++) {
      const found = affine(h, w, b, row, k * nodes, k, nodes);
      for (let sample = 0; sample < together; sample++) x[row + sample * nodes + k] = found[sample];
    }
  }
  return x;
}
// 列(ノード)ごとに、標本についてそろえる
function normalize(x) {
  for (let k = 0; k < nodes; k++) {
    const mu = batchnorm.mean(x, k, nodes, samples), variance = batchnorm.variance(x, k, nodes, samples, mu);
    for (let j = k; j < x.length; j += nodes) x[j] = batchnorm.scale(batchnorm.normalize(x[j], mu, variance));
  }
}

// 棒の高さ(正の値か等間隔の軸の全部、対数目盛の負の値)と、枠の外の割合
function histogram(outputs, { low, high, bins, log }) {
  const counts = new Float64Array(bins), negative = new Float64Array(bins), grain = bins / (high - low);
  let outside = 0;
  for (const y of outputs) {
    if (log && y === 0) continue;
    const at = (log ? Math.log10(Math.abs(y)) : y) - low, bin = at === high - low ? bins - 1 : Math.floor(at * grain);
    if (bin >= 0 && bin < bins) (log && y < 0 ? negative : counts)[bin]++;
    else outside++;
  }
  return { counts, negative, outside: outside / outputs.length, most: Math.max(1, ...counts, ...negative) };
}
const outline = (counts, most) => counts.reduce((d, count, bin) => `${d}V${(40 - (38 * count) / most).toFixed(2)}H${bin + 1}`, "M0 40") + "V40Z";

// ---- 図 1 つ ----
const ROW = `
  <span class="histograms-layer"></span>
  <svg role="img" preserveAspectRatio="none"><path class="histograms-grid"/><path class="histograms-negative"/><path class="histograms-bars"/></svg>
  <span class="histograms-numbers" aria-hidden="true"></span>`;

class Histograms {
  constructor(figure) {
    this.figure = figure;
    this.config = JSON.parse(figure.querySelector(".histograms-config").textContent);
    for (const name of this.config.activations) if (!activations[name]) throw new Error(`活性化関数がありません: ${name}`);
    this.state = this.initial();
    this.read(), this.build();
    figure.classList.add("playing");
    this.settle(); // 画面に出る前に大きさを決める。あとで決めると、下の文章が動いて見える
    this.near = new IntersectionObserver((entries) => { if (entries.at(-1).isIntersecting) this.paint(); }, { rootMargin: "100%" });
    this.near.observe(figure);
    listen(window, "hashchange", () => { if (this.read()) this.paint(); });
  }
  // 状態: 読者が変えられるもの全部。scale は数か、"xavier" のような初期値の名前
  initial() {
    const { activations: [activation], places: [place], scale, bias } = this.config;
    return { activation, scale, place, bias: bias ? bias.value : 0 };
  }
  sigma(scale = this.state.scale) { return typeof scale === "number" ? scale : scales[scale].value(nodes); }
  nameOf(sigma) { return this.config.marks.find((mark) => typeof mark !== "number" && Math.abs(this.sigma(mark) - sigma) < 1e-9 * sigma); }

  build() {
    const { figure, config: { title = "層を通る値の分布", activations: names, places, marks, bias } } = this;
    const root = element("div", { class: "histograms-figure", role: "group", "aria-label": title });
    const own = (name) => `${figure.id}-histograms-${name}`;
    const choices = (key, legend, options) => {
      const set = element("fieldset", {}, element("legend", {}, legend));
      const radios = options.map(([value, text]) => {
        const radio = element("input", { type: "radio", name: own(key), value });
        listen(radio, "change", () => this.change({ [key]: value }));
        set.append(element("label", {}, radio, text));
        return radio;
      });
      if (options.length > 1) root.append(set);
      return radios;
    };
    const slider = (name, text, range, act) => {
      const input = element("input", { type: "range", id: own(name), ...range });
      const output = element("output", { for: own(name), "aria-live": "off" });
      root.append(element("div", { class: "histograms-slider", "data-name": name }, element("label", { for: own(name) }, text), output, input));
      listen(input, "input", () => this.change(act(Number(input.value))));
      return { input, output };
    };
    const radios = [
      ...choices("activation", "活性化関数", names.map((name) => [name, activations[name].title])),
      ...choices("place", "BatchNorm", places.map((place) => [place, PLACES[place]])),
    ];
    const { low, high } = this.config, value = (at) => Number((low * (high / low) ** (at / STEPS)).toPrecision(3));
    const scale = slider("scale", "重みの標準偏差 σ(対数目盛)", { min: 0, max: STEPS, step: 1 }, (at) => ({ scale: value(at) }));
    const buttons = marks.map((mark) => {
      const text = typeof mark === "number" ? minus(mark) : `${scales[mark].title}(${show(this.sigma(mark))})`;
      const button = element("button", { type: "button", "data-mark": mark }, text);
      listen(button, "click", () => this.change({ scale: mark }));
      return button;
    });
    const restore = element("button", { type: "button", class: "histograms-restore" }, "元の設定に戻す");
    listen(restore, "click", () => this.change(this.initial()));
    const biasSlider = bias && slider("bias", "バイアス b", { min: bias.low, max: bias.high, step: 0.01 }, (at) => ({ bias: at }));
    (biasSlider ? scale.input.parentNode : root.lastChild).after(element("div", { class: "histograms-marks", role: "group", "aria-label": "σ をこの値にする" }, ...buttons, restore));
    const rows = Array.from({ length: layers }, (_, layer) => {
      const row = element("li", {});
      row.innerHTML = ROW;
      const [name, picture, text] = row.children, [grid, negative, bars] = picture.children;
      name.textContent = `${layer + 1} 層`;
      return { row, picture, text, grid, negative, bars };
    });
    const axis = element("div", { class: "histograms-axis", "aria-hidden": "true" }), unit = element("p", { class: "histograms-unit" });
    const links = element("p", { class: "histograms-unit" });
    const live = element("p", { class: "histograms-live", role: "status" });
    root.append(element("ol", { class: "histograms-rows" }, ...rows.map(({ row }) => row)), axis, unit, links, live);
    figure.querySelector(".histograms-config").before(root);
    this.parts = { radios, scale, biasSlider, buttons, rows, axis, unit, links, live };
  }

  change(part) {
    Object.assign(this.state, part);
    this.request ??= requestAnimationFrame(() => this.paint());
    this.remember();
  }

  // 計算し直して、全部を描く。図が画面に近づいてから
  paint() {
    this.near.disconnect();
    cancelAnimationFrame(this.request);
    this.request = null;
    const { activation, place, bias } = this.state, sigma = this.sigma(), { share } = activations[activation];
    this.found = through({ activation, sigma, bias, place });
    const axis = this.settle(), { bins } = axis;
    this.parts.rows.forEach(({ row, negative, bars }, layer) => {
      const { outputs, spread, sound, share: counted, dead, countsDead } = this.found[layer];
      const drawn = histogram(sound ? outputs : [], axis);
      const facts = sound ? [["標準偏差", show(spread)], [share, percent(counted)]] : [["", "値が大きくなりすぎました"]];
      if (sound && countsDead) facts.push(["死んだノード", `${dead} / ${nodes}`]);
      if (sound && drawn.outside > 0.0005) facts.push(["枠の外", percent(drawn.outside)]);
      bars.setAttribute("d", outline(drawn.counts, drawn.most));
      negative.setAttribute("d", outline(drawn.negative, drawn.most));
      row.classList.toggle("histograms-lost", !sound);
      this.write(layer, facts);
    });
    this.say(sigma);
  }
  // 層の図の横の数。図の名前にも入れる
  write(layer, facts) {
    const { picture, text } = this.parts.rows[layer];
    picture.setAttribute("aria-label", `${layer + 1} 層の出力の分布。${facts.map((pair) => pair.join(" ").trim()).join("、")}`);
    text.replaceChildren(...facts.map(([name, value]) => element("span", {}, name && `${name} `, element("b", {}, value))));
  }

  // 値を計算しないで決まるもの: 横軸と説明、式へのリンク、部品の値
  settle() {
    const { state: { activation, place }, parts } = this, { share } = activations[activation];
    const axis = AXES[place === "after" ? "normalized" : activation] ?? AXES.log, across = (tick) => (tick - axis.low) / (axis.high - axis.low);
    for (const [layer, { picture, grid }] of parts.rows.entries()) {
      picture.setAttribute("viewBox", `0 0 ${axis.bins} 40`);
      grid.setAttribute("d", axis.ticks.map((tick) => `M${across(tick) * axis.bins} 0V40`).join(""));
      if (!this.found) this.write(layer, [["標準偏差", "—"], [share, "—"]]);
    }
    parts.axis.replaceChildren(...axis.ticks.map((tick) => element("span", { style: `left: ${100 * across(tick)}%` }, axis.log && tick ? power(tick) : minus(axis.log ? 1 : tick))));
    const scaled = `出力の大きさ(0 を除く対数目盛${activation === "relu" ? "" : "。青が正、黄が負の値"})`;
    const horizontal = place === "after" ? "出力(BatchNorm の後)" : axis.log ? scaled : "出力";
    const counted = activations[activation].slope ? "飽和は、活性化関数の微分が最大値の 1/10 に満たない出力の割合" : "死んだノードは、どのデータにも正の値を出さないノード";
    parts.unit.textContent = `横軸は${horizontal}、縦軸は個数(層ごとに最大をそろえました)。${counted}です。`;
    this.link(this.sigma()), this.report(this.sigma());
    return axis;
  }
  // いまの値を計算した式へのリンク
  link(sigma) {
    const { activation, place } = this.state, { equations = {} } = this.config, name = this.nameOf(sigma);
    const used = [...labels.always, ...activations[activation].labels, ...(place === "none" ? [] : labels.batchnorm), ...(name ? scales[name].labels : [])];
    const links = used.filter((label) => equations[label]).map((label) => element("a", { href: equations[label][1] }, equations[label][0]));
    this.parts.links.replaceChildren(...(links.length ? ["計算する式: ", ...links.flatMap((link, k) => (k ? ["、", link] : [link]))] : []));
  }

  // 部品の値
  report(sigma) {
    const { state, parts: { radios, scale, biasSlider, buttons }, config: { low, high } } = this, name = this.nameOf(sigma);
    for (const radio of radios) radio.checked = Object.values(state).includes(radio.value);
    for (const [index, button] of buttons.entries()) {
      const there = Math.abs(this.sigma(this.config.marks[index]) - sigma) < 1e-9 * sigma;
      button.setAttribute("aria-pressed", there);
    }
    scale.input.value = Math.round((STEPS * Math.log(sigma / low)) / Math.log(high / low));
    scale.output.textContent = minus(Number(sigma.toPrecision(3))) + (name ? `(${scales[name].title})` : "");
    scale.input.setAttribute("aria-valuetext", scale.output.textContent);
    if (biasSlider) {
      biasSlider.input.value = state.bias;
      biasSlider.output.textContent = minus(state.bias);
      biasSlider.input.setAttribute("aria-valuetext", minus(state.bias));
    }
  }
  // 読み上げ(手が止まってから一度だけ)
  say(sigma) {
    const { state, parts: { scale, live } } = this, { title, share } = activations[state.activation];
    const first = this.found[0], last = this.found.at(-1);
    const lost = this.found.findIndex(({ sound }) => !sound) + 1;
    const facts = (part) => `標準偏差 ${show(part.spread)}、${share} ${percent(part.share)}`;
    const ends = lost ? `値が大きくなりすぎました(${lost} 層から)` : `1 層は${facts(first)}。${layers} 層は${facts(last)}`;
    const message = `${title}、σ = ${scale.output.textContent}、BatchNorm ${PLACES[state.place]}。${ends}`;
    clearTimeout(this.saying);
    if (this.said === undefined) this.said = message; // 読み込んだときは読まない
    this.saying = setTimeout(() => { if (message !== this.said) live.textContent = this.said = message; }, 500);
  }

  // ---- アドレス: #名前:activation=tanh;scale=he;place=before;bias=-0.5 ----
  remember() {
    clearTimeout(this.writing);
    const { hash } = location;
    this.writing = setTimeout(() => {
      if (location.hash !== hash) return; // その間にリンクで移った先を、上書きしない
      const keys = ["activation", "scale", "place", ...(this.config.bias ? ["bias"] : [])];
      const fragment = keys.map((key) => `${key}=${this.state[key]}`).join(";");
      try {
        history.replaceState(history.state, "", `#${this.figure.id}:${fragment}`);
      } catch { /* アドレスを書き換えられない環境でも、図は動く */ }
    }, 250);
  }
  // アドレスから状態を読む。読めないものは捨て、つまみの範囲に収める
  read() {
    const prefix = `#${this.figure.id}:`, { activations: names, places, marks, low, high, bias } = this.config;
    if (!location.hash.startsWith(prefix)) return false;
    const given = Object.fromEntries(location.hash.slice(prefix.length).split(";").map((entry) => entry.split("=")));
    const number = (word, least, most, otherwise) => (word && Number.isFinite(Number(word)) ? clamp(Number(word), least, most) : otherwise);
    const state = this.initial();
    if (names.includes(given.activation)) state.activation = given.activation;
    if (places.includes(given.place)) state.place = given.place;
    state.scale = marks.includes(given.scale) ? given.scale : number(given.scale, low, high, state.scale);
    if (bias) state.bias = number(given.bias, bias.low, bias.high, state.bias);
    this.state = state;
    requestAnimationFrame(() => this.figure.scrollIntoView()); // 図の大きさが決まってから
    return true;
  }
}

// ---- 始める。1 つの図が動かせなくても、ほかの図は動かす(その図には静止画が残る) ----
for (const figure of document.querySelectorAll("figure.histograms")) {
  try {
    const histograms = new Histograms(figure);
    figure.fumotoHistograms = { // テストのための窓
      state: () => ({ ...histograms.state, sigma: histograms.sigma() }),
      found: () => histograms.found, paint: () => histograms.paint(), change: (part) => histograms.change(part),
    };
  } catch (error) {
    console.error(error);
  }
}
