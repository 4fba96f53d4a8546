// 確かめた結果を、文章と式で見せる。何が間違いかは、ここでは決めない。
"use strict";
{
  const { element } = globalThis.fumotoWrite;
  const SIGNS = { right: "✓", wrong: "✗", unsure: "?", error: "!" };

  // 答えは { report: { ok, verdict, findings, notes, name, see, step, tried }, printed } か { error: { sentence, line }, printed }
  function result({ report, error, printed }, config, editor) {
    const parts = report ? ofReport(report, config) : ofError(error, editor);
    if (printed) parts.push(element("p", { class: "write-caption" }, "print で出したもの"), element("pre", {}, printed));
    return [...parts, atHome(config)];
  }

  function verdict(kind, sentence) {
    const sign = element("span", { class: "write-sign", "aria-hidden": "true" }, SIGNS[kind]);
    return element("p", { class: `write-verdict write-is-${kind}` }, sign, element("span", {}, sentence));
  }

  function ofError({ sentence, line }, editor) {
    const parts = [verdict("error", sentence)];
    if (line) {
      const button = element("button", { type: "button", class: "write-button" }, `${line} 行目へ`);
      button.addEventListener("click", () => editor.go(line));
      parts.push(button);
    }
    return parts;
  }

  function ofReport({ ok, verdict: sentence, findings = [], notes = [], name, see, step, tried }, config) {
    const parts = [verdict(ok ? "right" : ok === false ? "wrong" : "unsure", sentence), ...findings.map((each) => finding(each, config, sentence))];
    if (see) parts.push(element("p", {}, `${name} の式: `, ...links(see, config.root)));
    if (step) parts.push(element("p", {}, `はじめて違うのは、${step} ステップ目です。`));
    if (notes.length) parts.push(element("ul", { class: "write-notes" }, ...notes.map((note) => element("li", {}, note))));
    if (tried) parts.push(element("p", { class: "write-tried" }, tried));
    if (ok && config.next) parts.push(element("p", {}, "次は ", element("a", { href: config.next[1] }, config.next[0]), " へ進めます。"));
    return parts;
  }

  // 式のあるところと、その節。節は、このページの式なら、ページの中から探す
  function links({ number, address }, root) {
    const section = document.getElementById(address.split("#")[1])?.closest("section"), title = section?.querySelector("h1, h2, h3, h4");
    const equation = element("a", { href: root + address }, number);
    if (!title || title.querySelector("mjx-container, .math")) return [equation];
    const words = [...title.childNodes].filter((node) => !node.classList?.contains("headerlink")).map((node) => node.textContent);
    return [equation, "(", element("a", { href: `#${section.id}` }, words.join("").trim()), ")"];
  }

  // said: 結論の文。そこに書いてあることは、繰り返さない
  function finding(found, config, said) {
    const shown = (name, latex) => element("div", {},
      element("p", { class: "write-caption" }, name),
      element("div", { class: "write-equation math notranslate" }, `\\[ ${latex} \\]`));
    return element("div", { class: "write-finding" },
      element("p", {}, ...links(found, config.root), ...(said.includes(found.kind) ? [] : [`: ${found.kind}`])),
      element("div", { class: "write-equations" }, shown("印刷された式", found.printed), shown("あなたの計算", found.yours)));
  }

  function atHome({ check: [first, last] }) {
    const code = (text) => element("code", {}, text);
    return element("details", { class: "write-home" },
      element("summary", {}, "手元の Python で確かめるには"),
      element("p", {}, "本のパッケージを ", code("pip install 本のフォルダーの場所"), " で入れます(本を ", code("make html"), " で組んだ人は、", code(".venv"),
        " にもう入っています)。次の形のファイルにして、", code("python ファイル.py"), " で動かします。"),
      element("pre", {}, `${first}\n\n# ここに、欄のコード\n\n${last}`));
  }

  // 式を組む。MathJax がなければ、LaTeX のまま見せる
  async function typeset(box) {
    const equations = [...box.querySelectorAll(".write-equation")];
    if (!equations.length || !globalThis.MathJax?.typesetPromise) return;
    await globalThis.MathJax.startup.promise; // ページの式を組み終わってから。2 つ同時には組めない
    await globalThis.MathJax.typesetPromise(equations);
    for (const equation of equations.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)) {
      Object.assign(equation, { tabIndex: 0, role: "group", ariaLabel: "式(横に送れます)" });
    }
  }

  Object.assign(globalThis.fumotoWrite, { result, typeset });
}
