// コードを書く欄。止まったコードを欄に変え、書かれたものをこの端末に覚え、確かめた結果を見せる。
// 書かれたコードは、このページでは動かさない。押されてはじめて作る枠(frame.html)の中だけで動かす。
"use strict";
{
  const { element, Editor, result, typeset } = globalThis.fumotoWrite;
  const FRAME = "_static/write/frame.html", READY = 30e3, ANSWER = 60e3;
  const CANNOT = "このブラウザーでは確かめられません(コードを動かす部品を読み込めませんでした)。手元の Python で確かめてください。";
  const NOT_YET = { ok: null, verdict: "まだ書かれていません。「...」のところに、式のとおりの計算を書いてください。" };
  const STOPPED = "もう 1 つの欄を確かめはじめたので、途中でやめました。";

  // ---- 枠: 全部の欄で 1 つ。答えは、その枠から来たものだけを受け取る ----
  let frame = null, running = null, last = 0;

  function open(root) {
    const inside = element("iframe", { src: root + FRAME, sandbox: "allow-scripts", title: "コードを動かす枠", "aria-hidden": "true", tabindex: "-1", hidden: "" });
    frame = new Promise((resolve) => {
      const late = setTimeout(() => { inside.remove(); frame = null; resolve(null); }, READY);
      window.addEventListener("message", ({ source, data }) => {
        if (source !== inside.contentWindow || !data) return;
        if (data.ready) clearTimeout(late), resolve(inside);
        else if (running && running.id === data.id) running.done(data);
      });
    });
    document.body.append(inside);
    return frame;
  }

  // 相手の表(式、候補、問題)。枠の中では読めないので、ここで読んで渡す。読めなければ null
  const tables = (globalThis.fumotoWrite.tables = {});
  const loading = {};
  function tableOf({ root, table }) {
    loading[table] ??= new Promise((resolve) => {
      const script = element("script", { src: `${root}_static/write/tables/${table}.js` });
      script.addEventListener("load", () => resolve(tables[table] ?? null));
      script.addEventListener("error", () => { delete loading[table]; resolve(null); });
      document.head.append(script);
    });
    return loading[table];
  }

  // 答えは { report } か { error }。前の問いが終わっていなければ、それをやめる
  function ask(config, code) {
    running?.done({ error: { sentence: STOPPED } });
    return new Promise((resolve) => {
      const id = ++last, late = setTimeout(() => done({ error: { sentence: CANNOT } }), READY + ANSWER);
      const done = (answer) => {
        clearTimeout(late);
        if (running?.id === id) running = null;
        resolve(answer);
      };
      running = { id, done };
      Promise.all([frame ?? open(config.root), tableOf(config)]).then(([inside, table]) => {
        if (!inside || !table) done({ error: { sentence: CANNOT } });
        else if (running?.id === id) inside.contentWindow.postMessage({ id, code, exercise: config, table }, "*"); // 枠の生まれは不透明(sandbox)
      });
    });
  }

  // ---- 書かれたもの: この端末の中だけに。使えなければ、覚えないだけで動く ----
  const memory = {
    works: (() => { try { localStorage.setItem("fumoto-write:", ""); localStorage.removeItem("fumoto-write:"); return true; } catch { return false; } })(),
    get: (key) => (memory.works ? localStorage.getItem(key) : null),
    set(key, text) {
      try { if (memory.works) localStorage.setItem(key, text); } catch { /* いっぱいのとき */ }
    },
    forget(key) { if (memory.works) localStorage.removeItem(key); },
  };

  class Field {
    constructor(box) {
      this.config = JSON.parse(box.querySelector(".write-config").textContent);
      const { config } = this, hint = `${box.id}-hint`;
      this.key = `fumoto-write:${config.page}:${config.name}`;
      this.held = null; // もとに戻す前に、書かれていたもの
      this.editor = new Editor(`${config.title} を書く欄`, hint);
      this.check = this.button("確かめる", () => this.ask(), "write-button write-check");
      this.restore = this.button("", () => this.swap(), "write-button");
      this.result = element("div", { class: "write-result", role: "status" });
      const keep = memory.works ? "書いたものは、この端末の中にだけ残ります。" : "書いたものは、この端末に残せません(ページを閉じると消えます)。";
      const keys = "Tab は字下げです。Escape を押してから Tab を押すと、欄の外へ移ります。Ctrl+Enter(⌘+Enter)でも確かめます。";
      box.append(element("div", { class: "write-field" },
        this.editor.root,
        element("div", { class: "write-buttons" }, this.check, this.restore),
        element("p", { class: "write-note" }, keep),
        element("p", { class: "write-note write-keys", id: hint }, keys),
        this.result));
      this.editor.start(memory.get(this.key) ?? config.skeleton);
      this.editor.area.addEventListener("input", () => this.changed());
      this.editor.area.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
        event.preventDefault();
        this.ask();
      });
      this.offerSolution(box);
      this.say();
      box.classList.add("writing");
    }

    button(text, act, looks) {
      const button = element("button", { type: "button", class: looks }, text);
      button.addEventListener("click", act);
      return button;
    }

    changed() {
      const { text } = this.editor;
      if (text === this.config.skeleton) memory.forget(this.key);
      else memory.set(this.key, text);
      if (!this.swapping) this.held = null;
      this.say();
    }
    say() {
      this.restore.textContent = this.held === null ? "もとに戻す" : "書いたものに戻す";
      this.restore.hidden = this.held === null && this.editor.text === this.config.skeleton;
    }

    // text を入れる。書かれていたものは、「書いたものに戻す」で戻る
    put(text) {
      const { text: before } = this.editor;
      this.swapping = true;
      this.editor.put(text);
      this.swapping = false;
      this.held = before;
      this.say();
    }
    swap() {
      const { held } = this;
      this.put(held ?? this.config.skeleton);
      if (held !== null) this.held = null;
      this.say();
      this.result.replaceChildren();
    }

    async ask() {
      const { editor, config } = this, mine = (this.asked = Symbol());
      editor.mark(null);
      this.result.replaceChildren(element("p", { class: "write-verdict" }, "確かめています…"));
      const code = editor.text, answer = code.trim() === config.skeleton.trim() ? { report: NOT_YET } : await ask(config, code);
      if (mine !== this.asked) return; // その間に、もう一度押された
      if (answer.error?.line && editor.text === code) editor.mark(answer.error.line);
      this.result.replaceChildren(...result(answer, config, editor));
      await typeset(this.result);
    }

    // すぐあとの解答に、同じ名前のクラスがあれば、それを欄に入れるボタンをつける
    offerSolution(box) {
      const exercise = box.closest(".exercise");
      const links = exercise ? document.querySelectorAll(`.solution > .admonition-title > a[href="#${exercise.id}"]`) : [];
      for (const block of [...links].flatMap((link) => [...link.closest(".solution").querySelectorAll("pre")])) {
        const code = solved(block.textContent, this.config.title);
        if (!code) continue;
        const button = this.button("この解答を欄に入れる", () => {
          this.put(code);
          this.editor.root.scrollIntoView({ block: "nearest" });
          this.check.focus({ preventScroll: true });
        }, "write-button write-take");
        block.closest(".highlight").parentElement.after(button);
      }
    }
  }

  // 解答(>>> で始まる対話)から、その名前のクラスか関数と、それが使う import だけを取り出す。本のパッケージを使うものは、欄では動かない
  function solved(text, title) {
    const statements = [];
    for (const line of text.split("\n")) {
      if (line.startsWith(">>> ")) statements.push([line.slice(4)]);
      else if (/^\.\.\.( |$)/.test(line)) statements.at(-1)?.push(line.slice(4));
    }
    const codes = statements.map((lines) => lines.join("\n")), own = codes.find((code) => new RegExp(`^(?:class|def) ${title}\\b`, "m").test(code));
    if (!own) return null;
    const bound = (code) => code.replace(/^from \S+ /, "").replace(/^import /, "").split(",").map((each) => each.trim().split(" ").at(-1).split(".")[0]);
    const imports = codes.filter((code) => /^(?:from|import) /.test(code) && bound(code).some((name) => new RegExp(`\\b${name}\\b`).test(own)));
    if (imports.some((code) => /\bfumoto\b/.test(code))) return null;
    return `${[...imports, ...(imports.length ? [""] : []), own].join("\n")}\n`;
  }

  // 1 つの欄が動かなくても、ほかの欄は動かす(その欄には、止まったコードが残る)
  for (const box of document.querySelectorAll("div.write")) {
    try { new Field(box); } catch (error) { console.error(error); }
  }
}
