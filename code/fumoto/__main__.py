"""``python -m fumoto check ファイル.py:クラス --like Adam --lr 0.01``: 自分の実装を式と突き合わせる。

終了コードは、一致なら 0、違えば 1、使い方の誤りなら 2。
"""

import argparse
import runpy
import sys
from pathlib import Path

from fumoto.printed.methods import EVERY_METHOD as METHODS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fumoto", description="自分の最適化手法を、本の式と突き合わせる"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("check", help="突き合わせる")
    command.add_argument("target", metavar="ファイル.py:クラス")
    command.add_argument("--like", required=True, choices=METHODS, help="相手の手法")
    names = sorted({name for method in METHODS.values() for name in method.hyperparameters})
    for name in names:
        command.add_argument(_option(name), type=float, dest=name)
    options = parser.parse_args(arguments)

    path, _, class_name = options.target.rpartition(":")
    if not Path(path).is_file():
        parser.error(f"{path!r} がありません(「ファイル.py:クラス」の形で渡します)")
    hyperparameters = {name: value for name in names if (value := getattr(options, name)) is not None}
    if missing := sorted(METHODS[options.like].hyperparameters.keys() - hyperparameters.keys()):
        parser.error(f"{options.like} には引数 {missing} が要ります")
    if unknown := hyperparameters.keys() - METHODS[options.like].hyperparameters.keys():
        parser.error(f"{options.like} に引数 {', '.join(map(_option, sorted(unknown)))} はありません")

    from fumoto.checking import check

    sys.path.insert(0, str(Path(path).resolve().parent))  # となりのファイルを import できるように
    try:
        found = runpy.run_path(path)
    except (Exception, SystemExit) as error:  # 読み込むだけで終了するファイルもある
        parser.error(f"{path} を読み込めません: {type(error).__name__}: {error}")
    if class_name not in found:
        parser.error(f"{path} に {class_name} がありません")
    try:
        report = check(found[class_name], options.like, **hyperparameters)
    except ValueError as error:  # 有限でない引数など
        parser.error(str(error))
    print(report)
    return 0 if report.ok else 1


def _option(name: str) -> str:
    """引数の名前 → 打つときの形。``decay_rate`` → ``--decay-rate``。"""
    return "--" + name.replace("_", "-")


if __name__ == "__main__":
    sys.exit(main())
