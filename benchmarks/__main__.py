"""``python -m benchmarks [部分 ...] [--quick] [--output ファイル]``。

部分を選ばなければ、全部を測り、結果を ``code/fumoto/data/speed.json`` に書く(付録「速さの見取り図」が読む)。
``--quick`` は、動くことだけを数秒で確かめる。数に意味はなく、``--output`` がなければ書かない。
"""

import argparse
from datetime import date
from pathlib import Path

from threadpoolctl import threadpool_limits

from fumoto.command.showing import aligned
from fumoto.experiments import speed
from fumoto.figures import speed as tables

from . import build, comparison, machine, results, step, update

PARTS = {  # 名前 → (測る関数, 何を測り、どのくらいかかるか)
    "step": (step.measure, "MNIST のネットワークの 1 ステップ(1〜2 分)"),
    "update": (update.measure, "1000 万個の重みの更新(1〜4 分)"),
    "comparison": (
        comparison.measure,
        "MNIST の比較の全体(6 分ほど。設定を選ぶ学習と、選んだ設定の学習の全部を、6 度)",
    ),
    "build": (build.measure, "本を組む時間(8 分ほど。プロジェクトの写しの中で 8 度組む)"),
}
QUICK = ("step", "update", "comparison")  # 本を組む時間は、短くできない


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="本の計算にかかる時間を測る")
    parser.add_argument("parts", nargs="*", metavar="部分", help=f"{', '.join(PARTS)}(省くと全部)")
    parser.add_argument("--quick", action="store_true", help="動くことだけを数秒で確かめる(数に意味はない)")
    parser.add_argument("--output", type=Path, help="結果を書くファイル")
    options = parser.parse_args(arguments)
    available = QUICK if options.quick else PARTS
    parts = options.parts or list(available)
    for part in parts:
        if part not in available:
            parser.error(f"部分は {', '.join(available)} です(渡されたもの: {part})")
    output = options.output or (None if options.quick else speed.DATA)

    with threadpool_limits(1, user_api="blas"):
        run(parts, options.quick, output)


def run(parts, quick, output):
    torch = machine.torch_or_none()
    measured = {"machine": machine.describe(torch)}
    previous = results.read(output) if output else {}
    if set(parts) != set(PARTS) and previous.get("machine", measured["machine"]) != measured["machine"]:
        raise SystemExit(
            f"{output.name} は別の機械か別の版の結果です。全部を測るか、--output で別のファイルに書いてください"
        )
    show(tables.machine_table(measured))
    if not torch:
        print("PyTorch が入っていないので、PyTorch とは比べません。")
    for part in parts:
        measure, description = PARTS[part]
        print(f"\n{description}", flush=True)
        measured[part] = {"day": date.today().isoformat(), **measure(torch, quick)}
        for table in tables.TABLES[part](measured[part]):
            show(table)
    if output:
        results.write(output, {**previous, **measured})


def show(table):
    """表を、列をそろえて端末に出す。"""
    print()
    print(aligned([table.header, *table.rows]))


if __name__ == "__main__":
    main()
