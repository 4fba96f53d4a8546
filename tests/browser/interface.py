"""The words of the interface: what a reader sees around the text, hovers over or has read aloud."""

import re

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
ENGLISH = re.compile(r"[A-Za-z]{2,}")
# Names, and words a Japanese reader writes in Latin letters, too.
NAMES = {
    *(
        "SGD",
        "GD",
        "Momentum",
        "NAG",
        "AdaGrad",
        "RMSProp",
        "AdaDelta",
        "Adam",
        "AdamW",
        "Lion",
        "Muon",
        "Xavier",
        "He",
        "Glorot",
    ),
    *("Batch", "Normalization", "BatchNorm", "ReLU", "Leaky", "tanh", "Ctrl", "Markdown", "exp"),
}
# Every word that is shown or read aloud and is not part of the text itself.
WORDS = """() => {
  const found = [];
  const names = ["title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription",
    "data-bs-original-title", "data-toggle-hint"];
  for (const name of names)
    for (const element of document.querySelectorAll(`[${name}]`))
      if (!element.matches('head *, [class~="bibtex-citation"] a, a.reference.external, [href*="#id"]'))
        found.push([name, element.getAttribute(name)]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), around = walker.currentNode.parentElement;
    if (around.closest("script, style, noscript, pre, code, mjx-container, .math")) continue;
    const inside = around.closest(".bd-article, .bd-search-container") && !around.closest("button, label, legend, option, summary");
    if (text && !inside) found.push([around.tagName, text]);
  }
  return found;
}"""
# Names of files, of what the package holds and of equations, which a link tells the mouse
IDENTIFIERS = re.compile(r"\S+\.(?:py|html)|\(\S*\)|[\w-]+(?:\.\w+)+|eq-[\w-]+")


def is_english(text):
    words = set(ENGLISH.findall(IDENTIFIERS.sub("", text)))
    return not JAPANESE.search(text) and bool(words - NAMES)


def english_words(page):
    """What an opened page says in English, each as ``[where, text]``."""
    words = page.evaluate(WORDS)
    assert len(words) > 20, "the page was not read"
    return [word for word in words if is_english(word[1])]
