// ページと、読者の Python を動かす Worker の間を取り持つ。ページから切り離された枠(sandbox)の中で動く。
// Worker は質問ごとに使い捨てる。前の質問の変数も、書き換えられた numpy も残らない。
// 次の Worker は、答えを返したらすぐに用意しておくので、2 度目に押したときも待たせない。
"use strict";

(() => {
  const LOADING = 30_000, RUNNING = 10_000; // ミリ秒
  const ELSEWHERE = "手元の Python では、python -m fumoto check で確かめられます。";
  const ENDLESS = "10 秒たっても終わりません。終わらない繰り返し(while True など)はありませんか。";
  const SLOW = `10 秒たっても先へ進みません。途中に終わらない繰り返しがあるか、この端末では時間がかかりすぎるかのどちらかです。${ELSEWHERE}`;
  const UNABLE = `このブラウザーでは確かめられません(Python を用意できませんでした)。${ELSEWHERE}`;
  const BROKEN = `このページの Python では確かめられません(途中で止まりました)。${ELSEWHERE}`;

  const send = (message) => parent.postMessage(message, "*");
  // 1 つずつ関数に入れて、名前がぶつからないようにする。Brython だけは、いちばん外に置く
  function source({ brython, modules, scripts }) {
    const closed = scripts.map((text) => `(() => {\n${text}\n})();\n`);
    const start = `globalThis.__BRYTHON__ = { brython_path: "book://write/" };\nglobalThis.modules = ${JSON.stringify(modules)};\n`;
    return new Blob([start, brython, "\n", ...closed], { type: "text/javascript" });
  }
  let address = null;
  function made() {
    address ??= URL.createObjectURL(source(globalThis.texts));
    return { worker: new Worker(address), loaded: false, question: null, timer: 0 };
  }

  let next = null; // 用意してある、または答えている Worker
  function prepare() {
    let fresh;
    try {
      fresh = next = made();
    } catch {
      next = null;
      return;
    }
    fresh.timer = setTimeout(() => fail(fresh, UNABLE), LOADING);
    fresh.worker.onmessage = ({ data }) => heard(fresh, data);
    fresh.worker.onerror = (event) => {
      event.preventDefault();
      fail(fresh, fresh.loaded ? BROKEN : UNABLE);
    };
  }
  function heard(one, data) {
    if (one !== next) return;
    if (data.loaded) {
      clearTimeout(one.timer);
      one.loaded = true;
      if (one.question) one.worker.postMessage(one.question);
    } else if (data.started) {
      // 1 つの問題を走らせ終わるたびに、数えなおす。遅い端末の、終わるコードを責めない
      clearTimeout(one.timer);
      one.timer = setTimeout(() => fail(one, data.walked ? SLOW : ENDLESS), RUNNING);
    } else {
      retire(one);
      send(data);
      prepare();
    }
  }
  function retire(one) {
    clearTimeout(one.timer);
    one.worker.terminate();
    if (one === next) next = null;
  }
  // 用意できなかった Worker は、次に聞かれるまで作り直さない
  function fail(one, sentence) {
    const { question, loaded } = one;
    retire(one);
    if (question) send({ id: question.id, error: { sentence, line: null }, printed: "" });
    if (loaded) prepare();
  }
  function ask(question) {
    if (next?.question) retire(next); // 前の質問はやめる
    if (!next) prepare();
    if (!next) return send({ id: question.id, error: { sentence: UNABLE, line: null }, printed: "" });
    next.question = question;
    if (next.loaded) next.worker.postMessage(question);
  }

  addEventListener("message", ({ source: from, data }) => {
    if (from === parent && data && typeof data.code === "string") ask(data);
  });
  prepare();
  send({ ready: true });
})();
