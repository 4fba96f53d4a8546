"""The learner's Python: run in a worker behind a frame of its own, offline, and answered in words."""

import functools
import itertools
import shutil
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from writing import runtime

from .asking import OPEN

HEAD = """import numpy as np

class MyMomentum:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum
        self.v = None

"""
UPDATE = """    def update(self, params, grads):
        if self.v is None:
            self.v = {key: np.zeros_like(w) for key, w in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]
"""
GOOD = HEAD + UPDATE
# Instead of comparing with the equations, this judge hands back the histories themselves.
JUDGE = """globalThis.judge = ({ problem, ways, hyperparameters }, walk) =>
    ways.map((way) => { try { return walk(problem, hyperparameters, way); } catch (error) { return { error }; } });"""
PAGE = """<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none';
    script-src 'self' file:; frame-src 'self' file:; img-src data:"><title>試し</title><link rel="icon" href="data:,"><body></body>"""
SEND = "(question) => document.querySelector('iframe').contentWindow.postMessage(question, '*')"
ANSWER = """(id) => new Promise((resolve) => {
    const end = Date.now() + 40000; // no answer
    const look = () => (answers[id] || Date.now() > end ? resolve(answers[id] ?? {}) : setTimeout(look, 5));
    look(); })"""
NAMES = {"lr": ["lr", "learningrate", "eta"], "momentum": ["momentum", "beta", "alpha"]}
PROBLEM = {
    "keys": [
        {"key": "W", "shape": [2, 3], "dtype": "float64", "order": "F", "start": [1, 2, 3, 4, 5, 6]},
        {"key": "b", "shape": [2], "dtype": "float32", "order": "C", "start": [0.5, -0.5]},
    ],
    "gradients": [[[1, 2, 3, 4, 5, 6], [1, -1]], [[-1, 0, 0.5, 2, 2, 2], [0.25, 1]]],
}


def exercise(*ways, **hyperparameters):
    return {
        "kind": "optimizer",
        "title": "MyMomentum",
        "names": NAMES,
        "problem": PROBLEM,
        "ways": ways or ("plain",),
        "hyperparameters": hyperparameters or {"lr": 0.1, "momentum": 0.9},
    }


def momentum(lr=0.1, alpha=0.9):
    """The last weights and velocities, by the equations, in plain Python."""
    w, v = list(PROBLEM["keys"][0]["start"]), [0.0] * 6
    for gradients in PROBLEM["gradients"]:
        v = [alpha * a - lr * g for a, g in zip(v, gradients[0], strict=True)]
        w = [a + b for a, b in zip(w, v, strict=True)]
    return w, v


class Heard(SimpleHTTPRequestHandler):
    """A server that remembers what it was asked for."""

    paths: ClassVar = []

    def send_response(self, *rest):
        self.paths.append(self.path)
        super().send_response(*rest)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A page with the frame, whose judge hands back the histories."""
    root = tmp_path_factory.mktemp("book")
    sources = root / "sources"
    shutil.copytree(runtime.FRAME, sources)
    (sources / "judging" / "judging.js").write_text(JUDGE, encoding="utf-8")
    (root / "a" / "write").mkdir(parents=True)
    (root / "a" / "page.html").write_text(PAGE, encoding="utf-8")
    (root / "a" / "write" / "frame.html").write_text(runtime.page(sources), encoding="utf-8")
    return root


@contextmanager
def serving(folder):
    """The address of a server, and what it was asked for."""
    handler = type("Handler", (Heard,), {"paths": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler.paths
        server.shutdown()


@pytest.fixture(scope="module", params=["file", "server"])
def address(request, folder):
    """The page, from the folder itself and from a server at a subpath."""
    if request.param == "file":
        yield (folder / "a" / "page.html").as_uri()
    else:
        with serving(folder) as (address, _):
            yield f"{address}/a/page.html"


class Learner:
    """A reader at an open page."""

    def __init__(self, browser, address):
        self.page = browser.new_page()
        self.messages, self.ids = [], itertools.count()
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.goto(address)
        self.page.evaluate(OPEN, "write/frame.html")

    def send(self, code, *ways, **hyperparameters):
        question = {"id": next(self.ids), "code": code, "exercise": exercise(*ways, **hyperparameters)}
        self.page.evaluate(SEND, question)
        return question["id"]

    def answer(self, number):
        return self.page.evaluate(ANSWER, number)

    def ask(self, code, *ways, **hyperparameters):
        return self.answer(self.send(code, *ways, **hyperparameters))

    def history(self, code, *ways, **hyperparameters):
        """The first history, or the error."""
        answer = self.ask(code, *ways, **hyperparameters)
        return answer["report"][0]


@pytest.fixture(scope="module")
def learner(browser, folder):
    learner = Learner(browser, (folder / "a" / "page.html").as_uri())
    yield learner
    learner.page.close()
    assert learner.messages == []


def test_a_good_class_walks_as_the_equations_say(browser, address):
    learner = Learner(browser, address)
    history = learner.history(GOOD)
    w, v = momentum()
    last = history["params"][-1]
    assert [one["dtype"] for one in last] == ["float64", "float32"]
    assert list(last[0]["values"]) == w
    assert history["state"]["v"]["W"]["shape"] == [2, 3]
    assert list(history["state"]["v"]["W"]["values"]) == v
    assert history["notes"] == history["unplaced"] == []
    learner.page.close()
    assert learner.messages == []


@pytest.mark.parametrize(
    "update",
    [
        "        return {key: params[key] - self.lr * grads[key] for key in params}\n",
        "        for key in params:\n            params[key] = params[key] - self.lr * grads[key]\n",
        "        for key in params:\n            params[key] -= self.lr * grads[key]\n",
        "        for key in params:\n            params[key][...] -= self.lr * grads[key]\n        return 3\n",
    ],
)
def test_in_place_or_new_arrays_or_a_new_dictionary(learner, update):
    history = learner.history(HEAD + "    def update(self, params, grads):\n" + update)
    assert list(history["params"][-1][0]["values"]) == momentum(alpha=0.0)[0]


@pytest.mark.parametrize(
    ("arguments", "unplaced"),
    [
        ("lr=0.01, momentum=0.9", []),
        ("learning_rate, beta", []),
        ("*, eta=1, α=0", []),
        ("momentum=0.1, **rest", []),
        ("lr=0.1, friction=0.9", ["momentum"]),
        ("", ["lr", "momentum"]),
    ],
)
def test_arguments_by_any_well_known_name(learner, arguments, unplaced):
    code = f"class MyMomentum:\n    def __init__(self, {arguments}):\n        print(sorted(vars_of(locals())))\n    def update(self, p, g): ...\n"
    code = "def vars_of(all): return [str(v) for v in all.values() if isinstance(v, (float, dict))]\n" + code
    answer = learner.ask(code)
    assert answer["report"][0]["unplaced"] == unplaced
    if not unplaced:
        assert "0.1" in answer["printed"] and "0.9" in answer["printed"]


def test_a_weight_may_be_laid_out_by_columns(learner):
    assert (
        learner.ask(body("if self.v is None: print(params['W'].strides)\nself.v = 1"))["printed"]
        == "(8, 16)\n"
    )


def test_a_dataclass(learner):
    code = GOOD.replace("class", "from dataclasses import dataclass\n\n@dataclass\nclass").replace(
        HEAD[HEAD.index("    def") :],
        "    lr: float = 0.01\n    momentum: float = 0.9\n    v: dict = None\n\n",
    )
    assert code.count("@dataclass") == 1
    assert list(learner.history(code)["params"][-1][0]["values"]) == momentum()[0]


def test_the_only_class_with_an_update(learner):
    assert "params" in learner.history(GOOD.replace("MyMomentum", "Mine") + "\nclass Other:\n    pass\n")


def test_states_shared_between_instances_show_with_a_twin(learner):
    shared = GOOD.replace("self.v = None", "pass").replace(
        "    def __init__", "    v = {}\n\n    def __init__"
    )
    shared = (
        shared.replace("if self.v is None:", "if not self.v:")
        .replace("self.v = {key: ", "self.v.update({key: ")
        .replace("items()}", "items()})")
    )
    for code, same in ((GOOD, True), (shared, False)):
        plain, twins = learner.ask(code, "plain", "twins")["report"]
        assert (plain["params"] == twins["params"]) is same


def test_gradients_kept_without_a_copy_show_when_reused(learner):
    kept = HEAD + (
        "    def update(self, params, grads):\n        last = self.v or grads\n        self.v = dict(grads)\n"
        "        for key in params:\n            params[key] -= self.lr * last[key]\n"
    )
    for code, same in ((GOOD, True), (kept, False)):
        plain, reusing = learner.ask(code, "plain", "reusing")["report"]
        assert (plain["params"] == reusing["params"]) is same


def test_nothing_is_left_over(learner):
    leaving = "import numpy as np, builtins\nmark = 1\nbuiltins.left = 2\nnp.sqrt = np.zeros_like = None\nprint(mark)\n"
    assert learner.ask(leaving + GOOD)["printed"] == "1\n"
    seeking = "import builtins\nprint('mark' in globals(), hasattr(builtins, 'left'), np.sqrt(4.0))\n"
    assert learner.ask(GOOD + seeking)["printed"] == "False False 2.0\n"


def test_every_walk_starts_afresh(learner):
    counting = "calls = []\n" + GOOD.replace(
        "        for key in params:\n",
        "        calls.append(1)\n        print(len(calls))\n        for key in params:\n",
    )
    assert (
        learner.ask(counting, "plain", "plain")["printed"] == "1\n2\n"
    )  # and printed for the first walk only


def test_print_is_cut(learner):
    printed = learner.ask("print('あ' * 3000, end='')\n" + GOOD)["printed"]
    assert printed == "あ" * 2000 + "…\n(長いので、ここまで)"


def test_an_endless_loop_ends_and_the_next_question_is_answered(browser, folder):
    page = (folder / "a" / "write" / "frame.html").read_text(encoding="utf-8")
    assert "RUNNING = 10_000" in page
    shutil.copytree(folder / "a", folder / "soon")
    (folder / "soon" / "write" / "frame.html").write_text(
        page.replace("RUNNING = 10_000", "RUNNING = 700"), encoding="utf-8"
    )
    learner = Learner(browser, (folder / "soon" / "page.html").as_uri())
    answer = learner.ask(
        HEAD + "    def update(self, params, grads):\n        while True:\n            pass\n"
    )
    assert answer["error"]["sentence"].startswith("10 秒たっても終わりません")
    assert "params" in learner.history(GOOD)
    assert learner.messages == []
    learner.page.close()


def test_a_second_question_ends_the_first(learner):
    first = learner.send("while True:\n    pass\n")
    learner.page.wait_for_timeout(300)
    assert "params" in learner.history(GOOD)
    assert learner.page.evaluate("(id) => id in answers", first) is False


# ---- the errors, in words ----
def body(text):
    return (
        HEAD
        + "    def update(self, params, grads):\n"
        + "".join(f"        {line}\n" for line in text.split("\n"))
    )


ERRORS = {  # the code → (the line, a part of the sentence)
    body("x = np.sqrt(1\ny = 2"): (9, "かっこが閉じていません"),
    body("for key in params\n    pass"): (9, "コロン"),
    body("x = 1\n  y = 2"): (10, "字下げが多すぎます"),
    body("if x:\ny = 2"): (10, "字下げがありません"),
    body("if self.lr:\n        x = 1\n    y = 2"): (11, "字下げがそろっていません"),
    body("x = ３"): (9, "半角でない文字「３」"),
    body("x = np.sqrt（2）"): (9, "半角でない文字"),
    body("x =　2"): (9, "全角の空白"),
    body("x = 'a"): (9, "文字列が閉じていません"),
    body("lambda = 1"): (9, "lambda は Python が使う言葉"),
    body("if self.v = None:\n    pass"): (9, "== です"),
    GOOD + "return 1\n": (14, "def の中にだけ"),
    body("x = lr"): (9, "self.lr のことではありませんか"),
    body("x = parms"): (9, "params のことではありませんか"),
    GOOD.replace("import numpy as np", ""): (10, "import numpy as np と書いてください"),
    body("x = self.momentun"): (9, "momentum のことではありませんか"),
    body("x = self.m"): (9, "self.m がまだありません"),
    body("self.v = {}\nself.v['W'] += 1"): (10, "v にキー 'W' がありません"),
    body("self.v = {'W1': 0.0}\nself.v['W1'] += grads['W1']"): (10, "v か grads にキー 'W1' がありません"),
    body("x = grads['W1']"): (9, "for key in params: で 1 つずつ"),
    body("x = np.sqroot(params['W'])"): (9, "sqroot のつづりが正しければ、このページ"),
    body("x = np.zero_like(params['W'])"): (9, "zeros_like のことではありませんか。そうでなければ"),
    body("x = self.v['W']"): (9, "None のまま"),
    body("x = params['W'] + np.zeros((3, 2))"): (9, "配列の形が合いません"),
    body("if params['W'] > 0:\n    pass"): (9, "np.any"),
    body("x = 1 / 0"): (9, "0 で割っています"),
    body("self.update(params, grads)"): (9, "自分を呼び続けて"),
    body("t += 1"): (9, "t に値を入れる前"),
    body("self.lr(grads['W'])"): (9, "* が抜けていませんか"),
    body("raise NotImplementedError"): (9, "まだ書かれていない"),
    body("x = np.array([1, 2])\nx += 0.5"): (10, "整数の配列には"),
    body("params['new'] = 1.0"): (None, "params のキーが変わりました"),
    body("grads['W'] *= 2"): (None, "grads を書き換えました"),
    body("params['W'] = 'text'"): (None, "実数の配列でなくなりました(str)"),
    body("params['W'] = params['b']"): (None, "形が変わりました"),
    HEAD + "    def update(params, grads):\n        pass\n": (8, "はじめの引数は self"),
    HEAD: (None, "update がありません"),
    "x = 1\n": (None, "クラス MyMomentum が見つかりません"),
    HEAD.replace("lr=", "params, lr=") + UPDATE: (None, "引数 params に何を渡せばよいか"),
}
CANNOT = {
    "import torch\n" + GOOD: (1, "numpy と標準ライブラリーの一部だけ"),
    body("x = np.bartlett(3)"): (9, "bartlett がありません"),
    body("x = open('a')"): (9, "このページの Python では確かめられません"),
    GOOD + "exit()\n": (None, "このページの Python では確かめられません"),
}


def test_errors_in_words_with_the_line(learner):
    wrong = {}
    for code, (line, part) in {**ERRORS, **CANNOT}.items():
        error = learner.history(code).get("error", {})
        if error.get("line") != line or part not in error.get("sentence", ""):
            wrong[code.removeprefix(HEAD)] = error
    assert wrong == {}


def test_what_only_this_python_cannot_do_is_no_mistake_of_the_reader(learner):
    assert {learner.history(code)["error"]["variant"] for code in CANNOT} == {"page/cannot"}
    assert learner.history(body("grads['W'] *= 2"))["error"]["variant"] == "loop/gradient-mutated"


# ---- nothing goes out ----
CALLS = """
    const tried = (call) => { try { call(); } catch {} };
    fetch("HOME/fetch").catch(() => 0);
    tried(() => { const request = new XMLHttpRequest(); request.open("GET", "HOME/request"); request.send(); });
    tried(() => new WebSocket("HOME/socket".replace("http", "ws")));
    tried(() => new EventSource("HOME/events"));
    tried(() => importScripts("HOME/scripts.js"));
    import("HOME/module.js").catch(() => 0);
    tried(() => new Worker("HOME/worker.js"));
    tried(() => new Worker(URL.createObjectURL(new Blob(["fetch('HOME/nested')"]))));
    tried(() => new WebTransport("HOME/transport"));
    tried(() => { const font = new FontFace("a", "url(HOME/font)"); fonts.add(font); font.load().catch(() => 0); });
    tried(() => indexedDB.open("a"));
    for (const end = Date.now() + 600; Date.now() < end; );
    [typeof localStorage, typeof window, typeof parent, typeof document.cookie].join()
"""


def test_code_cannot_call_home_nor_touch_the_page(browser, folder):
    own = ["/a/page.html", "/a/write/frame.html"]
    with serving(folder) as (here, heard_here), serving(folder) as (elsewhere, heard_elsewhere):
        for start in ((folder / "a" / "page.html").as_uri(), f"{here}/a/page.html"):
            learner = Learner(browser, start)
            for home in (here, elsewhere):
                answer = learner.ask(
                    f"from browser import self as w\nprint(w.eval({CALLS.replace('HOME', home)!r}))\n{GOOD}"
                )
                assert answer["printed"] == "undefined,undefined,undefined,undefined\n"
            learner.page.wait_for_timeout(300)
            learner.page.close()
    assert (heard_here, heard_elsewhere) == (own, [])


def test_a_browser_without_workers_says_so(browser, folder):
    context = browser.new_context()
    context.add_init_script("delete globalThis.Worker")
    learner = Learner(context, (folder / "a" / "page.html").as_uri())
    assert learner.ask(GOOD)["error"]["sentence"].startswith("このブラウザーでは確かめられません")
    context.close()


def test_the_larger_and_the_smaller_of_a_number_of_numpy_and_another(learner):
    answer = learner.ask(f"{GOOD}\nn = np.linalg.norm([3.0, 4.0])\nprint(max(n, 1), max(1, n), min(n, 1), min(1, n))\n")
    assert answer["printed"] == "5.0 5.0 1 1\n"
