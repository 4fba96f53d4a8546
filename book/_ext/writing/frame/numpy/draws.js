// 乱数。NumPy と同じ列ではないが、同じ種からはいつも同じ列が出る。

"use strict";

(() => {
  function stream(seed) {
    let x = (Math.imul(seed + 1, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
    function bits() {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      return x >>> 0;
    }
    for (let i = 0; i < 16; i++) bits(); // 近い種どうしの列を離す
    const uniform = () => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  }
  globalThis.arrays.stream = stream;
})();
