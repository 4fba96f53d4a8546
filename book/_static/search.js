// この本の検索。索引(searchindex.js)は、ページを節に分けた文章そのもの。打った言葉を正規表現に直し、文章から探す。
//
// 同じとみなすもの: 全角と半角(NFKC)、大文字と小文字、ひらがなとカタカナ、長音「ー」・空白・「_」「-」「・」の有無、
// 索引に載っている同じ意味の言葉。英数字は、語の途中からは一致しない(「he」は「the」に当たらない)。
// 空白で区切った言葉は、全部が載っているページを出す。1 つも見つからなければ、助詞などで切って、もう一度探す。
"use strict";

const Search = (() => {
  const GAP = "[ _\\-・ー]*"; // あってもなくても同じとみなす文字。字と字の間に入りうる
  const HIRAGANA = /^[ぁ-ゖー]+$/;
  const KATAKANA = /^[ァ-ヺー]+$/;
  const RUNS = /[A-Za-z0-9.]+|[ァ-ヺー]+|[ぁ-ゖ]+|[^A-Za-z0-9ァ-ヺーぁ-ゖ\s]+/g;
  let pages = [];
  let words = []; // {sticky, group}: 同じ意味の言葉 1 つに当たる正規表現と、組の番号。長いものから
  let groups = []; // 組の番号 → どの言葉にも当たるパターン

  // --- 言葉 → パターン ---------------------------------------------------------------------------------

  const normalized = (text) => text.normalize("NFKC").trim();

  const oneCharacter = (c) => {
    const code = c.charCodeAt(0);
    const hiragana = /[ァ-ヶ]/.test(c) ? String.fromCharCode(code - 0x60) : c;
    const katakana = /[ぁ-ゖ]/.test(c) ? String.fromCharCode(code + 0x60) : c;
    if (hiragana !== katakana) return `[${hiragana}${katakana}]`;
    return c.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  };

  const literal = (text) =>
    [...text.replace(/[ _\-・ー]/g, "")].map(oneCharacter).join(GAP);

  // ほかの語や数の途中には当たらないようにする、前と後ろの条件。小数点は数の途中とみなす
  const before = (text) => {
    if (/^\d/.test(text)) return "(?<![A-Za-z0-9]|\\d\\.)";
    return /^[A-Za-z]/.test(text) ? "(?<![A-Za-z0-9])" : "";
  };
  const after = (text) => {
    if (/\d$/.test(text)) return "(?![A-Za-z0-9]|\\.\\d)";
    return /[A-Za-z]$/.test(text) ? "(?![A-Za-z0-9])" : "";
  };

  // 打った言葉の、一覧にない部分。英字は 3 文字から、語の前の方だけでも当たる
  const typed = (text) =>
    before(text) + literal(text) + (/[A-Za-z0-9]{2}[A-Za-z]$/.test(text) ? "" : after(text));

  // 一覧にある言葉。かなだけの言葉も、ほかの語の一部には当たらない
  const listed = (word) => {
    if (HIRAGANA.test(word)) return `(?<![ぁ-ゖ])${literal(word)}(?![ぁ-ゖ])`;
    if (KATAKANA.test(word)) return `(?<![ァ-ヺ])${literal(word)}(?![ァ-ヺ])`;
    return before(word) + literal(word) + after(word);
  };

  // 打った言葉 → [{text, word}] の並び。word は一覧にある言葉、null は空白の切れ目
  const parts = (query) => {
    const found = [];
    for (let at = 0; at < query.length; ) {
      const word = words.find(({ sticky }) => ((sticky.lastIndex = at), sticky.test(query)));
      if (word) {
        found.push({ text: query.slice(at, word.sticky.lastIndex), word });
        at = word.sticky.lastIndex;
      } else {
        const last = found[found.length - 1];
        const c = String.fromCodePoint(query.codePointAt(at));
        if (/\s/.test(c)) found.push(null);
        else if (last && !last.word) last.text += c;
        else found.push({ text: c });
        at += c.length;
      }
    }
    return found;
  };

  const partPattern = ({ text, word }) => (word ? groups[word.group] : typed(text));

  // 打った言葉 → 探す言葉の並び。空白の前後は別の言葉になる
  const asTyped = (query) => {
    const terms = [[]];
    for (const part of parts(query)) {
      if (part === null) terms.push([]);
      else terms[terms.length - 1].push(part);
    }
    return terms
      .filter((term) => term.length && term.some(({ text }) => literal(text)))
      .map((term) => ({
        text: term.map(({ text }) => text).join(""),
        pattern: term.map(partPattern).filter(Boolean).join(GAP),
      }));
  };

  // もっと細かく: 一覧にある言葉と、それ以外を文字の種類で切ったもの。ひらがなだけの部分(助詞など)は捨てる
  const cutUp = (query) =>
    parts(query)
      .filter(Boolean)
      .flatMap((part) => (part.word ? [part] : (part.text.match(RUNS) || []).map((text) => ({ text }))))
      .filter(({ text, word }) => word || (!HIRAGANA.test(text) && literal(text)))
      .map((part) => ({ ...part, pattern: partPattern(part) }));

  // --- 探す --------------------------------------------------------------------------------------------

  const matches = (text, regex) => [...text.matchAll(regex)].filter((match) => match[0]);

  // 題(least = 4)や索引の項目(2.5)にあれば least 点以上。その言葉が占める割合が大きいほど高く、全部なら 1.5 倍
  const points = (least, regex) => (title) => {
    const length = matches(title, regex).reduce((sum, match) => sum + match[0].length, 0);
    return length && least * (1 + (0.5 * length) / title.length);
  };

  const saturating = (count) => count / (count + 5); // 5 回で半分。たくさん出てくるほど 1 に近づく

  // ページ 1 つの点数と、見せる節。ページの題にあれば 6 点を足す。本文には最大 5 点
  const scored = (page, regexes) => {
    let total = 0;
    const bySection = page.sections.map(() => 0);
    for (const regex of regexes) {
      let count = 0;
      let title = 0;
      let heading = 0;
      page.sections.forEach((section, index) => {
        const inTitle = matches(section.title, regex).length;
        const inText = matches(section.text, regex).length + 0.3 * matches(section.data, regex).length;
        const inIndex = Math.max(0, ...section.index.map(points(2.5, regex)));
        const best = section.weight * Math.max(points(4, regex)(section.title), inIndex);
        if (index === 0 && inTitle) title = 6 + best;
        else heading = Math.max(heading, best);
        count += section.weight * (inTitle + inText);
        bySection[index] += best + (index === 0 && inTitle ? 6 : 0) + section.weight * saturating(inText);
      });
      if (count + title + heading === 0) return null;
      total += title + page.weight * (heading + 5 * saturating(count));
    }
    return { page, score: total, section: page.sections[bySection.indexOf(Math.max(...bySection))] };
  };

  const lookFor = (terms) => {
    if (terms.length === 0) return [];
    const regexes = terms.map(({ pattern }) => new RegExp(pattern, "giu"));
    return pages
      .map((page) => scored(page, regexes))
      .filter(Boolean)
      .sort((a, b) => b.score - a.score);
  };

  // query → {terms, results, cut}。results は、よく合うページから順に。cut: 切って探し直したか
  // 一覧の言葉を助詞でつないだもの(「Adam のバイアス補正」)は、はじめから切る。その言い回しが一度出るだけのページより、
  // 言葉どうしの合うページが先に来るように
  const search = (query) => {
    const terms = asTyped(normalized(query));
    const results = lookFor(terms);
    const finer = cutUp(normalized(query));
    const joined = terms.length === 1 && finer.length > 1 && finer.every(({ word }) => word);
    if (results.length && !joined) return { terms, results, cut: false };
    return { terms: finer, results: lookFor(finer), cut: results.length === 0 };
  };

  const setIndex = (index) => {
    pages = index.pages;
    groups = index.words.map((group) => {
      const longestFirst = group.map(normalized).sort((a, b) => b.length - a.length);
      return `(?:${longestFirst.map(listed).join("|")})`;
    });
    words = index.words
      .flatMap((group, number) => group.map((word) => ({ word: normalized(word), group: number })))
      .sort((a, b) => b.word.length - a.word.length)
      .map(({ word, group }) => ({ group, sticky: new RegExp(listed(word), "iuy") }));
    if (typeof document !== "undefined") show();
  };

  // --- 見せる ------------------------------------------------------------------------------------------

  const element = (name, properties = {}, children = []) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // text の中の言葉に印をつける
  const marked = (text, regex) => {
    const pieces = [];
    let end = 0;
    for (const match of matches(text, regex)) {
      pieces.push(text.slice(end, match.index), element("mark", { textContent: match[0] }));
      end = match.index + match[0].length;
    }
    return [...pieces, text.slice(end)];
  };

  // 言葉のまわりの文章。文のはじめから、120 文字ほど。その節の文章になければ、同じページのほかの文章、コードや表から
  const excerpt = (page, section, regex) => {
    const texts = [section, ...page.sections].map(({ text }) => text);
    const source = [...texts, section.data].find((text) => text.search(regex) >= 0) || section.text;
    const at = Math.max(source.search(regex), 0);
    const sentence = source.lastIndexOf("。", at) + 1;
    const start = at - sentence < 80 ? sentence : at - 40;
    const end = start + 120;
    const piece = source.slice(start, end).trim();
    return (start > sentence ? "…" : "") + piece + (end < source.length ? "…" : "");
  };

  const item = ({ page, section }, regex) => {
    const top = page.sections[0].title;
    const name = `${page.number && `${page.number}. `}${top}`;
    const title = section === page.sections[0] ? name : `${name} › ${section.title}`;
    const href = `${page.name}.html${section.id && `#${section.id}`}`;
    return element("li", {}, [
      element("a", { href, textContent: title }),
      element("p", { className: "context" }, marked(excerpt(page, section, regex), regex)),
    ]);
  };

  const show = () => {
    const query = (new URLSearchParams(location.search).get("q") || "").trim();
    document.getElementById("search-needs-javascript").remove();
    for (const input of document.querySelectorAll('input[name="q"]')) input.value = query;
    document.querySelector(".bd-search-container input").focus();
    if (!query) return;
    const { terms, results, cut } = search(query);
    const regex = new RegExp(terms.map(({ pattern }) => pattern).join("|"), "giu");
    const finer = terms.map(({ text }) => `「${text}」`).join("");
    const said = results.length
      ? `${cut ? `そのままの言葉はないので、${finer}で探しました。` : ""}${results.length} ページにあります。`
      : `「${query}」は、この本に見つかりませんでした。短い言葉や、別の言い方で試してください。`;
    const heading = document.querySelector(".bd-search-container h1");
    heading.textContent = `「${query}」の${heading.textContent}結果`; // 検索 → 「Adam」の検索結果
    document.title = document.title.replace("検索", heading.textContent);
    document.getElementById("search-results").append(
      element("p", { className: "search-summary", textContent: said }),
      element("ul", { className: "search" }, results.map((result) => item(result, regex))),
    );
  };

  return { setIndex, search };
})();
