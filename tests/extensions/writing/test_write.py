"""The fields to write code in: small books are really built with them."""

import json
import re

import pytest
from bs4 import BeautifulSoup

from built import BOOK
from finishing import finished_pages
from small_book import SmallBook
from taking_home import plain_markdown
from writing import write

pytestmark = pytest.mark.filterwarnings(
    "ignore:'sphinx_exercise:PendingDeprecationWarning"
)  # its own, not the book's
PAGE = """# Page

(sec-next)=
## Next

{fence}{{exercise}}
:label: ex-code
Write it.

```{{write}} write-one
:method: {method}
{values}:class: {title}
{more}
{skeleton}
```
{fence}
"""
DEFAULTS = {
    "fence": "````",
    "method": "Momentum",
    "values": "lr=0.1 momentum=0.9",
    "title": "MyMomentum",
    "more": "",
    "skeleton": "class MyMomentum:\n    def update(self, params, grads):\n        ...  # </script>",
}
STILL = """from fumoto import check

class MyMomentum:
    def update(self, params, grads):
        ...  # </script>

print(check(MyMomentum, "Momentum", lr=0.1, momentum=0.9))"""
SETTINGS = {
    "extensions": ["myst_parser", "sphinx_exercise", "writing.write"],
    "numfig": True,
    "numfig_format": {"exercise": "演習 %s"},
    "exclude_patterns": ["0*"],
}


class WritingBook(SmallBook):
    def __init__(self, folder):
        super().__init__(folder, "none", [])
        for name in ("editor.js", "result.js", "write.js", "write.css"):
            self.write(f"book/_static/write/{name}", f"/* {name} */\n")
        self.page()

    def page(self, **changes):
        options = {**DEFAULTS, **changes}
        options["values"] = f":values: {options['values']}\n" if options["values"] else ""
        self.write("book/index.md", PAGE.format(**options))

    def build(self):
        return super().build(**SETTINGS)

    def config(self, name="index"):
        return json.loads(re.search(r'class="write-config">(.+?)</script>', self.html(name))[1])

    def still(self, name="index"):
        return BeautifulSoup(self.html(name), "html.parser").select_one("div.write pre").get_text().strip()


@pytest.fixture
def book(tmp_path):
    return WritingBook(tmp_path)


def test_the_code_stands_still_and_the_settings_beside_it(book):
    assert book.build()[0] == []
    assert book.still() == STILL
    assert '<div class="write" id="write-one">' in book.html()
    assert 'class="highlight-python' in book.html()
    assert book.config() == {
        "kind": "optimizer",
        "name": "write-one",
        "page": "index",
        "method": "Momentum",
        "table": "Momentum",
        "title": "MyMomentum",
        "hyperparameters": {"lr": 0.1, "momentum": 0.9},
        "skeleton": DEFAULTS["skeleton"] + "\n",
        "check": ["from fumoto import check", 'print(check(MyMomentum, "Momentum", lr=0.1, momentum=0.9))'],
        "root": "",
        "equations": {},
        "next": None,
    }


def test_the_equations_of_the_method_are_known_by_number_and_address(book):
    for label in ("eq-momentum-v", "eq-adam-m", "eq-adam-v"):
        block = f"\n```{{math}}\n:label: {label}\nv = g\n```\n"
        book.write("book/other.md", book.read("book/other.md") + block)
    assert book.build()[0] == []
    equations = book.config()["equations"]
    assert list(equations) == ["eq-momentum-v", "eq-adam-m"]  # of another method, the first
    assert equations["eq-momentum-v"]["address"] == "other.html#equation-eq-momentum-v"


@pytest.mark.parametrize(
    ("kind", "method", "label"),
    [
        ("optimizer", "AdamW", "eq-adamw-w"),
        ("initializer", "he", "eq-he-std"),
        ("batchnorm", None, "eq-batchnorm-var"),
    ],
)
def test_the_equations_a_field_can_speak_of(kind, method, label):
    labels = write.labels_of(kind, method)
    assert label in labels and len(labels) == len(set(labels))


def test_only_a_page_with_a_field_loads_the_scripts_in_their_order(book):
    book.build()
    loaded = re.findall(r'(?:src|href)="_static/(write/[\w.]+)', book.html())
    assert loaded == ["write/write.css", "write/editor.js", "write/result.js", "write/write.js"]
    assert "write/" not in book.html("other")


@pytest.mark.parametrize(
    ("label", "link"),
    [
        ("ex-code", ["演習 1", "#ex-code"]),
        ("sec-next", ["Next", "#sec-next"]),
        ("ex-other", ["演習 2", "other.html#ex-other"]),
    ],
)
def test_what_comes_next_is_a_link(book, label, link):
    book.write("book/other.md", "# Other\n\n```{exercise}\n:label: ex-other\nMore.\n```\n")
    book.page(more=f":next: {label}")
    book.write("book/index.md", book.read("book/index.md") + "\n```{toctree}\nother\n```\n")
    assert book.build()[0] == []
    assert book.config()["next"] == link


def test_a_page_in_a_folder_knows_the_way_to_the_book(book):
    book.write(
        "book/folder/page.md", book.read("book/index.md").replace("-code", "-a").replace("-next", "-b")
    )
    assert book.build()[0] == []
    assert (book.config("folder/page")["root"], book.config("folder/page")["page"]) == ("../", "folder/page")


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        (
            {
                "more": ":kind: initializer",
                "method": "he",
                "values": "",
                "title": "f",
                "skeleton": "def f(n):\n    ...",
            },
            'print(check_initializer(f, "he"))',
        ),
        ({"method": "Muon", "values": "lr=2e-2"}, 'print(check(MyMomentum, "Muon", lr=2e-2))'),
    ],
)
def test_other_things_can_be_written(book, changes, last):
    book.page(**changes)
    assert book.build()[0] == []
    assert book.still().splitlines()[-1] == last


def test_batch_normalization_has_no_method():
    options = {"kind": "batchnorm", "class": "B", "values": "eps=1e-5"}
    config = write.settings(options, "class B:\n    ...\n")
    assert (config["kind"], config["method"], config["hyperparameters"]) == ("batchnorm", None, {"eps": 1e-5})
    assert config["check"] == ["from fumoto import check_batchnorm", "print(check_batchnorm(B, eps=1e-5))"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"more": ":kind: network"},
            ":kind: の network という種類はありません(あるのは optimizer、initializer、batchnorm)",
        ),
        ({"method": "momentum"}, ":method: の momentum という相手はありません(あるのは SGD、Momentum、"),
        (
            {"more": ":kind: initializer"},
            ":method: の Momentum という相手はありません(あるのは xavier、glorot、he)",
        ),
        ({"more": ":kind: batchnorm"}, ":method: は、:kind: が batchnorm のときには書きません: Momentum"),
        ({"values": "lr=0.1 beta=1"}, ":values: の beta という引数は渡せません(渡せるのは lr、momentum)"),
        ({"values": "lr=0.1 lr=0.2"}, ":values: に lr が 2 度あります"),
        ({"values": "lr=much"}, ":values: の lr=much の値は数ではありません(lr=0.1 のように書きます)"),
        ({"values": "lr=nan"}, ":values: の lr=nan の値は数ではありません"),
        ({"values": "lr"}, ":values: の lr の値は数ではありません"),
        ({"title": "My Momentum"}, ":class: には、書くクラスか関数の名前を 1 つ書きます: My Momentum"),
        ({"title": "Other"}, ":class: の Other が、中身のコードで定義されていません"),
        ({"skeleton": "class MyMomentum:\n    def"}, "中身の 2 行目が Python として読めません"),
        ({"more": ":next: ex-nowhere"}, ":next: の ex-nowhere が本にありません"),
    ],
)
def test_a_mistake_is_one_error_with_page_and_line(book, changes, message):
    book.page(**changes)
    [said] = book.build()[0]
    assert re.search(r"index\.md:\d+: ERROR: 書く欄 write-one: ", said)
    assert message in said


def test_what_is_taken_home_is_the_still_code_alone(book):
    book.build()
    body = BeautifulSoup(book.html(), "html.parser").select_one("div.exercise")
    text = plain_markdown.convert(str(body)).replace("\n> ", "\n").replace("\n>", "\n")
    assert f"```python\n{STILL}\n```" in text
    assert "skeleton" not in text


def test_in_one_volume_there_is_only_the_still_code(tmp_path):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    book = WritingBook(tmp_path)
    folders = (str(tmp_path / name) for name in ("book", "build/single", "build/doctrees"))
    source, single, doctrees = folders
    with docutils_namespace():
        Sphinx(
            source, None, single, doctrees, "singlehtml", confoverrides=SETTINGS, status=None, warning=None
        ).build()
    text = book.read("build/single/index.html")
    assert BeautifulSoup(text, "html.parser").select_one("div.write pre").get_text().strip() == STILL
    assert "write-config" not in text and "write.js" not in text


def test_only_a_page_with_a_field_may_hold_a_frame_and_its_scripts_may_no_more():
    bare, field = (
        finished_pages.policy(f"<p>{text}</p>")
        for text in ("", '<script type="application/json" class="write-config">{}</script>')
    )
    assert field == f"{bare}; frame-src 'self' file:"
    assert "frame-src" not in bare


def test_the_first_field_of_the_book_is_the_exercise_as_it_was():
    """The page says nothing that the directive does not understand."""
    text = (BOOK / "03-momentum.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```\{write\} write-momentum\n(.*?)^```\n", text, re.M | re.S)
    options = dict(re.findall(r"^:(\w+): (.*)$", block, re.M))
    skeleton = re.sub(r"^:.*\n", "", block, flags=re.M)
    config = write.settings(options, skeleton)
    assert write.still(config) == (
        "from fumoto import check\n\nclass MyMomentum:\n    def __init__(self, lr, momentum):\n        ...\n\n"
        "    def update(self, params, grads):\n        ...  # ここを書く\n\n"
        'print(check(MyMomentum, "Momentum", lr=0.1, momentum=0.9))\n'
    )
    assert f":label: {options['next']}\n" in (BOOK / "04-adagrad.md").read_text(encoding="utf-8")
