// Sphinx のスクリプト(sphinx_highlight.js)が使う言葉。Sphinx が持つ同じ名前のファイルの代わりに読まれる。
// 元のファイルは文字列をプログラムとして実行する(複数形の式)ので、ページの約束(Content-Security-Policy)に触れる
Object.assign(Documentation.TRANSLATIONS, { "Hide Search Matches": "探した言葉の印を消す" });
