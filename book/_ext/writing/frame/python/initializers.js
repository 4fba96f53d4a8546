// 読者の初期値の関数に、重みを作らせる。調べるのは initializing.js。
"use strict";

(() => {
  const { arrays } = globalThis;
  const walks = (globalThis.walks ??= {});

  // 引数の役。言葉は、表に入っている(code/fumoto/checking/calling/weights/roles.py)
  globalThis.roleOf = (name) => {
    const plain = name.toLowerCase().replace(/^_+|_+$/g, "");
    const matches = ([, words]) => new RegExp(`^(?:${words})$`, "u").test(plain);
    return Object.entries(fumoto.initializers.roles).find(matches)?.[0] ?? "";
  };

  walks.initializer = ({ call, names, title }) => (nIn, nOut) => {
    const [weights, notes] = call("initializers.draw", names(), title, nIn, nOut);
    return { values: arrays.flat(weights.array), notes: [...notes] };
  };
})();
