"""本を組む時間。プロジェクトの写しを作り、その中で ``make html`` を走らせて測る。"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .timing import summary

ROOT = Path(__file__).resolve().parents[1]
PAGE = re.compile(r"(\S+)\.md を実行しました\(([\d.]+) 秒\)")
SENTENCE_PAGE = "book/06-comparison.md"  # いちばん長く計算するページの文を書き換える
ADAM = "code/fumoto/optimizers.py", "        t = self.t + 1\n", "        t = 1 + self.t\n"


class BuildError(Exception):
    """本が組めなかった、または、測ろうとしたものを測れない。"""


def measure(torch, quick):
    """組む時間(秒): はじめて、何も変えず、文を 1 つ足して、Adam を書き換えて。ページごとの秒も。"""
    rounds = 3
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "fumoto"
        copy_project(copy)
        require_own_package(copy)
        cold, log = make_html(copy)
        unchanged, sentence = [], []
        for number in range(rounds):
            unchanged.append(make_html(copy)[0])
            add_sentence(copy, number)
            sentence.append(make_html(copy)[0])
        replace(copy, *ADAM)
        adam, _ = make_html(copy)
    return {
        "rounds": rounds,
        "cold": cold,
        "unchanged": summary(unchanged, unit=1),
        "sentence": summary(sentence, unit=1),
        "adam": adam,
        "pages": pages(log),
    }


def copy_project(target):
    """git が管理するファイルと、まだ管理していないが無視もしていないファイルを写す。"""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():  # 消したばかりのファイルも一覧に載る
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def environment(copy):
    """写しの中のパッケージを使い、外側の make の設定を引き継がない。"""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return {**inherited, "PYTHONPATH": str(copy / "code")}


def require_own_package(copy):
    """ページが写しのパッケージを読み込むことを確かめる(そうでなければ、Adam を書き換えても何も変わらない)。"""
    code = "import fumoto; print(fumoto.__file__)"
    command = [sys.executable, "-P", "-c", code]
    found = subprocess.run(command, env=environment(copy), capture_output=True, text=True, check=True).stdout
    if not Path(found.strip()).is_relative_to(copy):
        raise BuildError("写しの中のパッケージが読み込まれません")


def run_make(copy, *settings):
    """``copy`` の中で ``make html`` を走らせる。いまの Python の環境を使い、何も入れ直さない。"""
    command = ["make", "html", f"VENV={sys.prefix}", f"--assume-old={sys.prefix}/installed", *settings]
    return subprocess.run(command, cwd=copy, env=environment(copy), capture_output=True, text=True)


def make_html(copy):
    """``run_make`` にかかった秒と、その出力。"""
    start = time.perf_counter()
    done = run_make(copy)
    seconds = time.perf_counter() - start
    log = done.stdout + done.stderr
    if done.returncode:
        raise BuildError(f"make html が失敗しました:\n{log[-3000:]}")
    return seconds, log


def add_sentence(copy, number):
    page = copy / SENTENCE_PAGE
    with page.open("a", encoding="utf-8") as file:
        file.write(f"\nこの文は、組む時間を測るために足した {number + 1} つ目の文です。\n")


def replace(copy, name, old, new):
    """ファイルの中の 1 か所を書き換える。その 1 か所がなければ ``BuildError``。"""
    text = (copy / name).read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise BuildError(f"{name} に、書き換える行 {old.strip()!r} がちょうど 1 つありません")
    (copy / name).write_text(text.replace(old, new), encoding="utf-8")


def pages(log):
    """組んだときの出力から、ページの名前 → セルを実行した秒。"""
    return {name: float(seconds) for name, seconds in sorted(PAGE.findall(log))}
