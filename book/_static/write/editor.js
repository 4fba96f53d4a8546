// コードを打つ欄。行番号、対応する括弧の印、誤りの行の印、字下げ。書かれたことの意味は、ここでは知らない。
// 印は、透けた textarea の下に重ねた写し(mirror)につける。打つのはふつうの textarea なので、取り消しも読み上げも端末のものが使える。
"use strict";
{
  const INDENT = "    ", SHOWN = /"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|#.*|[()[\]{}]/g;
  const OPENS = { ")": "(", "]": "[", "}": "{" };

  function element(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const key of Object.keys(attributes)) node.setAttribute(key, attributes[key]);
    return node.append(...children), node;
  }

  // 括弧の位置 → 対応する括弧の位置(なければ null)。文字列と注釈の中の括弧は数えない
  function brackets(text) {
    const partner = new Map(), open = [];
    for (const { 0: token, index } of text.matchAll(SHOWN)) {
      if ("([{".includes(token)) open.push(index);
      if ("([{)]}".includes(token)) partner.set(index, null);
      if (OPENS[token] && text[open.at(-1)] === OPENS[token]) partner.set(index, open.at(-1)).set(open.pop(), index);
    }
    return partner;
  }
  const withoutComment = (line) => line.replace(SHOWN, (token) => (token[0] === "#" ? "" : token));

  class Editor {
    // name: 欄の名前(読み上げる)。hint: 使い方を書いた要素の id
    constructor(name, hint) {
      this.gutter = element("div", { class: "write-gutter", "aria-hidden": "true" });
      this.mirror = element("div", { class: "write-mirror", "aria-hidden": "true" });
      this.area = element("textarea", {
        class: "write-area", "aria-label": name, "aria-describedby": hint, wrap: "off", rows: 1,
        spellcheck: "false", autocomplete: "off", autocorrect: "off", autocapitalize: "off", translate: "no",
      });
      const paper = element("div", { class: "write-paper" }, element("div", { class: "write-under", "aria-hidden": "true" }, this.mirror), this.area);
      this.root = element("div", { class: "write-editor" }, element("div", { class: "write-numbers" }, this.gutter), paper);
      this.wrong = null; // 誤りのある行(1 から)
      this.released = false; // Escape のあと。次の Tab は、欄の外へ移る
      this.listen();
      this.paint();
    }

    get text() { return this.area.value; }
    // はじめの中身。取り消しの対象にならない
    start(text) { this.area.value = text; this.paint(); }
    // 中身を入れかえる。端末の「取り消し」で戻せる
    put(text) { this.replace(0, this.text.length, text); }
    mark(line) { this.wrong = line; this.paint(); }
    // その行の、文字の始まりへ。行が見えるように、欄とページを送る
    go(line) {
      const { area } = this;
      const before = this.text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      const place = before + this.text.slice(before).match(/^ */)[0].length;
      area.focus({ preventScroll: true });
      area.setSelectionRange(place, place);
      const height = parseFloat(getComputedStyle(area).lineHeight), inside = (line - 1) * height;
      if (inside < area.scrollTop || inside + 2 * height > area.scrollTop + area.clientHeight) area.scrollTop = inside - area.clientHeight / 3;
      const top = area.getBoundingClientRect().top + inside - area.scrollTop;
      if (top < innerHeight / 4 || top > innerHeight / 2) scrollBy({ top: top - innerHeight / 4, behavior: "instant" });
    }

    listen() {
      const { area } = this, paint = () => this.paint();
      area.addEventListener("keydown", (event) => this.key(event));
      area.addEventListener("beforeinput", (event) => this.before(event));
      area.addEventListener("input", () => { this.wrong = null; paint(); });
      area.addEventListener("scroll", () => this.follow());
      area.addEventListener("focus", paint);
      area.addEventListener("blur", () => { this.released = false; paint(); });
      document.addEventListener("selectionchange", () => { if (document.activeElement === area) paint(); });
    }

    key(event) {
      if (event.isComposing) return; // 変換中の Escape と Tab は、IME のもの
      const { key, shiftKey } = event;
      if (key === "Tab" && !this.released && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        this.shift(shiftKey);
      } else if (key !== "Shift") this.released = key === "Escape";
    }

    // Enter と、行頭の空白の中の Backspace。スマートフォンのキーボードは keydown で何のキーかを言わないので、ここで受ける
    before(event) {
      const { selectionStart: start, selectionEnd: end } = this.area;
      if (event.isComposing) return;
      const line = this.text.slice(0, start).split("\n").at(-1);
      if (["insertLineBreak", "insertParagraph"].includes(event.inputType)) {
        event.preventDefault();
        const deeper = /:\s*$/.test(withoutComment(line)) ? INDENT : "";
        this.replace(start, end, `\n${line.match(/^ */)[0]}${deeper}`);
      } else if (event.inputType === "deleteContentBackward" && start === end && /^ +$/.test(line)) {
        event.preventDefault();
        this.replace(start - ((line.length - 1) % INDENT.length + 1), end, "");
      }
    }

    // 選んだ行を字下げする、または戻す
    shift(back) {
      const { selectionStart: start, selectionEnd: end } = this.area, { text } = this;
      if (start === end && !back) return this.replace(start, end, INDENT);
      const first = text.slice(0, start).lastIndexOf("\n") + 1;
      const next = text.indexOf("\n", end > start && text[end - 1] === "\n" ? end - 1 : end), last = next < 0 ? text.length : next;
      const old = text.slice(first, last), moved = back ? old.replace(/^(?: {1,4}|\t)/gm, "") : old.replace(/^(?=.)/gm, INDENT);
      if (moved === old) return;
      this.replace(first, last, moved);
      const caret = Math.max(first, start + moved.length - old.length);
      this.area.setSelectionRange(...(start === end ? [caret, caret] : [first, first + moved.length]));
    }

    // 端末の「取り消し」に残るように入れかえる。execCommand のほかに、そのやり方がない
    replace(start, end, text) {
      const { area } = this, focused = document.activeElement;
      if (text === area.value.slice(start, end)) return;
      area.focus({ preventScroll: focused !== area });
      area.setSelectionRange(start, end);
      if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
        area.setRangeText(text, start, end, "end");
        area.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
      if (focused !== area) focused?.focus({ preventScroll: true });
    }

    // 写しと行番号を、いまの中身に合わせる
    paint() {
      const { area, text, wrong } = this, lines = text.split("\n"), partner = brackets(text);
      const caret = area.selectionStart === area.selectionEnd && document.activeElement === area ? area.selectionStart : null;
      const at = caret === null ? undefined : [caret - 1, caret].find((place) => partner.has(place));
      const marked = at === undefined ? [] : [at, partner.get(at)].filter((place) => place !== null).sort((a, b) => a - b);
      const looks = marked.length === 1 ? "write-alone" : "write-pair";
      let begin = 0;
      this.mirror.replaceChildren(...lines.map((line, k) => {
        const parts = [];
        let from = 0;
        for (const place of marked.map((where) => where - begin).filter((where) => where >= 0 && where < line.length)) {
          parts.push(line.slice(from, place), element("span", { class: looks }, line[place]));
          from = place + 1;
        }
        begin += line.length + 1;
        return element("div", { class: k + 1 === wrong ? "write-line write-wrong" : "write-line" }, ...parts, line.slice(from) || "\u200b");
      }));
      this.gutter.replaceChildren(...lines.map((_, k) => element("div", { class: k + 1 === wrong ? "write-wrong" : "" }, `${k + 1 === wrong ? "✗ " : ""}${k + 1}`)));
      this.follow();
    }
    follow() {
      const { scrollLeft: x, scrollTop: y } = this.area;
      this.mirror.style.transform = `translate(${-x}px, ${-y}px)`;
      this.gutter.style.transform = `translateY(${-y}px)`;
    }
  }

  globalThis.fumotoWrite = { element, Editor };
}
