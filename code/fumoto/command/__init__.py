"""``fumoto check ファイル``: 自分の最適化手法、重みの初期値、Batch Normalization を、本の式と突き合わせる。

- ``sources``: ファイル、ノートブック、フォルダーを読み、中で作られたものを並べる
- ``kinds``: それぞれが、何らしいか
- ``judging``: 何らしいかに従って確かめる
- ``showing``: 結果を、表か JSON にする
- ``asserting``: pytest の ``assert check(…)`` の失敗に、結果の全文を足す

終了コードは、全部正しければ 0、1 つでも違えば 1、判定できないか使い方の誤りなら 2。
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

_EXAMPLES = """例:
  fumoto check my_optimizers.py              ファイルの中のものを、全部確かめる
  fumoto check notebook.ipynb 課題/          ノートブックと、フォルダー
  fumoto check my.py:MyAdam --like Adam --lr 0.01   1 つだけを、Adam として、この引数で
  fumoto check --json my.py                  採点の道具に渡す

終了コード: 0 全部正しい / 1 違うものがある / 2 判定できない、使い方の誤り"""


def main(arguments: list[str] | None = None) -> int:
    """命令を 1 つ実行して、終了コードを返す。使い方の誤りなら ``SystemExit(2)``。"""
    from fumoto.command.judging import BATCHNORM, INITIAL_VALUES
    from fumoto.printed.methods import EVERY_METHOD

    parser = argparse.ArgumentParser(prog="fumoto", description="『麓へ』の道具")
    commands = parser.add_subparsers(dest="command", required=True, metavar="check")
    command = commands.add_parser(
        "check",
        help="自分の実装を、本の式と突き合わせる",
        description="自分の最適化手法、重みの初期値、Batch Normalization を、本の式と突き合わせる。",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "targets", nargs="+", metavar="PATH", help="ファイル、ノートブック、フォルダー、ファイル.py:名前"
    )
    known = [*EVERY_METHOD, *INITIAL_VALUES, BATCHNORM]
    command.add_argument("--like", choices=known, metavar="手法", help=f"相手を決める: {', '.join(known)}")
    command.add_argument("--json", action="store_true", help="結果を JSON で書き出す")
    names = sorted({name for method in EVERY_METHOD.values() for name in method.hyperparameters})
    values = command.add_argument_group("手法の引数", "省くと、コードに書かれた値を使う")
    for name in names:
        values.add_argument(_option(name), type=float, dest=name, metavar="数")
    options = parser.parse_args(arguments)

    hyperparameters = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.like in EVERY_METHOD:
        taken = EVERY_METHOD[options.like].hyperparameters
        if unknown := hyperparameters.keys() - taken.keys():
            command.error(f"{options.like} に引数 {', '.join(map(_option, sorted(unknown)))} はありません")
    targets = [_target(command, target) for target in options.targets]
    return _check(command, targets, options.like, hyperparameters, options.json)


def run() -> NoReturn:
    """端末から呼ばれる入口。文字を書けない端末でも、読む側が先に終わっても、誤りにしない。"""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = main()
    except KeyboardInterrupt:
        status = 130  # 端末の習慣: 128 + SIGINT
    sys.exit(status)


def _target(parser: argparse.ArgumentParser, text: str) -> tuple[Path, str | None]:
    """``ファイル`` か ``ファイル.py:名前``。"""
    if Path(text).exists():
        return Path(text), None
    path, _, name = text.rpartition(":")
    if not Path(path).is_file():
        parser.error(f"{path or text!r} がありません")
    return Path(path), name


def _check(
    parser: argparse.ArgumentParser,
    targets: list[tuple[Path, str | None]],
    like: str | None,
    hyperparameters: dict[str, float],
    as_json: bool,
) -> int:
    from fumoto.checking.calling.safety import ReaderError
    from fumoto.command.judging import Row, judged, status
    from fumoto.command.showing import as_data, as_text
    from fumoto.command.sources import files_in

    rows: list[Row] = []
    for target, name in targets:
        for path in files_in(target):
            try:
                found = list(judged(path, name, like, hyperparameters))
            except ReaderError as error:
                if target.is_file():
                    parser.error(f"{path} を読み込めません: {error}")
                found = [Row(str(path), "", 0, None, why=f"読み込めません。{error}", surely=False)]
            except (TypeError, ValueError) as error:  # 有限でない引数など
                parser.error(str(error))
            if name and not found:
                parser.error(f"{path} に {name} がありません")
            rows += found
    code = status(rows)
    if as_json:
        ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
        _show(json.dumps(as_data(rows, code), ensure_ascii=ascii_only, indent=2))
    elif len(targets) == 1 and targets[0][1]:  # 1 つだけを頼まれた
        _show(str(rows[0].why if rows[0].report is None else rows[0].report))
        for row in rows[1:]:
            print(row.why, file=sys.stderr)
    else:
        _show(as_text(rows))
    return code


def _show(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # 読む側が先に終わった(| head など)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _option(name: str) -> str:
    """引数の名前 → 打つときの形。``decay_rate`` → ``--decay-rate``。"""
    return "--" + name.replace("_", "-")
