// 読むための小さな助け: コードを写すボタンと、はみ出して横に送れる枠へのキーボードの入り口。
// (module にしない。フォルダーをそのまま開いたときに、ブラウザーが読まない)

{
  // コードを写す。端末の出力(>>> など)ではなく、セルと例のコードにつける
  const says = { ready: "コピー", done: "コピーしました", failed: "コピーできません" };

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // 許しがないか、古いブラウザー
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const copied = document.execCommand("copy");
      area.remove();
      if (!copied) throw new Error("clipboard");
    }
  }

  for (const block of document.querySelectorAll(".bd-article .cell_input div.highlight, .bd-article > section div.highlight-python div.highlight")) {
    const button = document.createElement("button");
    const say = (word) => { button.textContent = says[word]; };
    Object.assign(button, { type: "button", className: "copy-code" });
    button.setAttribute("aria-live", "polite");
    say("ready");
    button.addEventListener("click", async () => {
      const code = block.querySelector("pre").textContent.replace(/\n$/, "");
      await copy(code).then(() => say("done"), () => say("failed"));
      button.focus();
      setTimeout(say, 2000, "ready");
    });
    block.append(button);
  }

  // 式と表とコードは、はみ出したときだけ、Tab キーで入って矢印キーで送れるようにする
  const boxes = { "div.math": "式", ".pst-scrollable-table-container": "表", ".bd-article pre": "コード" };
  function reach(box, wide) {
    const name = boxes[Object.keys(boxes).find((selector) => box.matches(selector))];
    if (wide) box.setAttribute("aria-label", `${name}(横に送れます)`);
    if (wide) Object.assign(box, { tabIndex: 0, role: "group" });
    else if (box.role === "group") ["tabindex", "role", "aria-label"].forEach((attribute) => box.removeAttribute(attribute));
  }
  const sizes = new ResizeObserver((changed) => { // 先に全部を測る。測るのと書くのを交互にすると遅い
    const wide = changed.map(({ target }) => target.scrollWidth > target.clientWidth + 1);
    changed.forEach(({ target }, k) => reach(target, wide[k]));
  });
  for (const box of document.querySelectorAll(Object.keys(boxes).join())) sizes.observe(box);
  for (const box of document.querySelectorAll("div.math")) { // MathJax が式を組んだら、測り直す
    new MutationObserver(() => { sizes.unobserve(box); sizes.observe(box); }).observe(box, { childList: true, subtree: true });
  }

  // 解答を開くボタンの、読み上げる名前
  for (const button of document.querySelectorAll(".toggle-button")) button.setAttribute("aria-label", "解答の開け閉め");
}
