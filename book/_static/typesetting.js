// MathJax の設定: 式を、文書の順に少しずつ組む。全部を一度に組むと、そのあいだページが動かない
window.MathJax.startup = {
  async pageReady() {
    const formulas = [...document.querySelectorAll(".math, .output_area")];
    while (formulas.length) {
      await MathJax.typesetPromise(formulas.splice(0, 12));
      await new Promise((next) => setTimeout(next));
    }
  },
};
