"""CSS から、どのページにも現れないクラスや ID だけに効く規則を除く(テーマの CSS の大半は、この本にない部品のもの)。

ライブラリを使わない理由: lightningcss にもできるが、Windows(ARM)と Alpine には組んだものがなく、読者に Rust が要る。CSS を読むのは tinycss2 である。
"""

import itertools
import re

import tinycss2

_WORD = re.compile(r"[\w-]+")


def words(texts):
    """ページとスクリプトに現れる言葉。クラスの名前は、このどれかか、``-`` で終わるもの(あとはスクリプトがつなぐ)に始まる。

    >>> sorted(words(['<p class="wide">', 'className = "tip-" + side']))
    ['class', 'className', 'p', 'side', 'tip-', 'wide']
    """
    return {word for text in texts for word in _WORD.findall(text)}


def used_rules(css, used):
    """``used``(``words`` の結果)に名前が一つもない選び方と、そのために空になった規則を除いた CSS。

    >>> used_rules(".wide p, .narrow{color:red} @media print{.none{color:red}} p{margin:0}", {"wide"})
    '.wide p{color:red}p{margin:0}'
    """
    prefixes = tuple(word for word in used if word.endswith("-") and len(word) > 2)

    def appears(name):
        return name in used or name.startswith(prefixes)

    return "".join(_kept(tinycss2.parse_stylesheet(css, skip_whitespace=True), appears))


def _kept(rules, appears):
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [text for text, names in _selectors(rule.prelude) if all(map(appears, names))]
            if selectors:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content).strip()}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports") and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, skip_whitespace=True)
            body = "".join(_kept(inner, appears))
            if body:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}"
        else:  # @font-face や @keyframes、使用許諾の書かれた注釈
            yield rule.serialize()


def _selectors(prelude):
    """選び方 1 つごとに、その文字列と、要るクラスと ID の名前。``:not(…)`` などの中は、要るとは限らないので見ない。"""
    parts = [[]]
    for token in prelude:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    for tokens in parts:
        names = [token.value for token in tokens if token.type == "hash"]
        names += [
            token.value
            for before, token in itertools.pairwise(tokens)
            if before == "." and token.type == "ident"
        ]
        yield tinycss2.serialize(tokens).strip(), names
