"""欄の相手ごとの表のファイル。ページが、確かめるときにだけ読み、読者のコードを動かす枠に渡す。"""

from pathlib import Path

from fumoto.checking.in_browser.layers import batchnorm_script, initializer_script
from fumoto.checking.in_browser.tables import common_script, method_script, problems_script
from fumoto.printed.javascript import literal
from fumoto.printed.methods import EVERY_METHOD


def write_all(folder: Path) -> None:
    """表を ``folder`` に書く。名前は、手法の名前か、``initializer``、``batchnorm``。"""
    folder.mkdir(parents=True, exist_ok=True)
    common = common_script()
    scripts = {name: problems_script(name) + method_script(name) for name in EVERY_METHOD}
    scripts |= {"initializer": initializer_script(), "batchnorm": batchnorm_script()}
    for name, script in scripts.items():
        text = f"fumotoWrite.tables[{literal(name)}] = {literal(common + script)};\n"
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
