"""ページの仕上げ: テーマが作った HTML の頭の部分を、書き出す前に直す。

- よその場所から何も読まない、という約束(Content-Security-Policy)を書き、ブラウザーに守らせる
- スクリプトを、ページの表示より後に回す
- アイコンを描く大きなスクリプトを外す(同じアイコンが、テーマの書体にもある)
- テーマのひな形に直に書かれた英語を訳し、支援技術のための印を正しくする

ページの中に書かれたスクリプトは、指紋(SHA-256)を約束に載せたものだけが動く。

ライブラリを使わない理由: Sphinx のページに Content-Security-Policy を書くものも、テーマに直に書かれた英語を訳すものもない。
"""

import base64
import hashlib
import re

from sphinx.jinja2glue import BuiltinTemplateLoader

from rebuilding.page_inputs import ROOT

# file: は、組んだフォルダーをそのまま開いたとき。'self' が file: を指すかどうかは、ブラウザーによる。
# 'unsafe-inline' は見た目だけに許す。MathJax と、動かせる図が使う
_LOCAL = "'self' file:"
_POLICY = {
    "default-src": "'none'",
    "script-src": _LOCAL,
    "style-src": f"{_LOCAL} 'unsafe-inline'",
    "img-src": f"{_LOCAL} data:",
    "font-src": _LOCAL,
    "connect-src": _LOCAL,
    "form-action": _LOCAL,
    "base-uri": "'none'",
}
_FIELD = (
    'class="write-config"'  # コードを書く欄。書いたものは、本のフォルダーの中の、別の約束を持つ枠の中で動く
)
_ICONS = re.compile(r'\s*<script[^>]+src="[^"]*/fontawesome\.js[^>]*></script>')
_BLOCKING = re.compile(r"<script(?=[^>]*\ssrc=)(?![^>]*\s(?:defer|async|type)\b)")
_AFTER_THEM = "<script>DOCUMENTATION_OPTIONS."  # 後に回したスクリプトの変数を使う
_INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")[^>]*>(.*?)</script>", re.DOTALL
)
_REPLACED = {  # 訳の仕組みを通らない言葉
    'aria-label="Main"': 'aria-label="本の目次"',
    'aria-label="Page"': 'aria-label="印刷用の目次"',
    'title="Toggle primary sidebar"': 'title="左の欄の開け閉め" aria-label="左の欄の開け閉め"',
    'title="Toggle secondary sidebar"': 'title="このページの目次の開け閉め" aria-label="このページの目次の開け閉め"',
    # 支援技術が、ページのどの部分かを言えるように
    '<div id="pst-primary-sidebar"': '<div id="pst-primary-sidebar" role="complementary" aria-label="本の案内"',
    'role="doc-biblioentry"': 'role="listitem"',
}
_EMPTY_HEADER = re.compile(r"<th\b([^>]*)>(?:<p></p>)?</th>")  # 表の左上の角


class Templates(BuiltinTemplateLoader):
    """Sphinx の設定 ``template_bridge`` に渡すもの。"""

    def newest_template_mtime(self):
        """テンプレートと、この本の設定と拡張と見た目を最後に直した時刻。それより前に書かれたページは書き直される。

        見た目(``_static``)を直したときも書き直すのは、ページが、ファイルの名前に内容の指紋を添えて読むから。
        """
        book = ROOT / "book"
        ours = [
            ROOT / "conf.py",
            *book.glob("_ext/*/*.py"),
            *(p for p in book.glob("_static/**/*") if p.is_file()),
        ]
        return max(super().newest_template_mtime(), *(path.stat().st_mtime for path in ours))

    def render(self, template, context):
        text = super().render(template, context)
        return finish(text) if template.endswith(".html") else text


def finish(page):
    """ページ全体の HTML → 仕上げた HTML。"""
    page = _ICONS.sub("", page)
    page = _BLOCKING.sub("<script defer", page)
    page = page.replace(_AFTER_THEM, _AFTER_THEM.replace("<script>", '<script type="module">'))
    for old, new in _REPLACED.items():
        page = page.replace(old, new)
    page = _EMPTY_HEADER.sub(r"<td\1></td>", page)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(page)}" />'
    return re.sub(r'<meta charset="[^"]*" />', lambda match: f"{match[0]}\n    {meta}", page, count=1)


def policy(page):
    """このページの約束。中に書かれたスクリプトの指紋を載せる。

    >>> policy("<script>a()</script>").split("; ")[1]
    "script-src 'self' file: 'sha256-qVpDBgj7bpq5hMAcGp3AOc79J3Y1Z4HvySTwKrWDoy4='"
    """
    prints = sorted({_fingerprint(script) for script in _INLINE.findall(page)})
    rules = _POLICY | {"script-src": " ".join([_POLICY["script-src"], *prints])}
    if _FIELD in page:
        rules |= {"frame-src": _LOCAL}
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _fingerprint(script):
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}'"
