// API リファレンス(docstring から作ったページ)の規則。ほかのページの規則から、3 つを外す(理由は README.md)
const { rules } = require("./.textlintrc.json");

const OFF = { "no-mix-dearu-desumasu": false, "no-doubled-joshi": false, "sentence-length": false };

module.exports = { rules: { "preset-ja-technical-writing": { ...rules["preset-ja-technical-writing"], ...OFF } } };
