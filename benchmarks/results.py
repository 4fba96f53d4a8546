"""測った結果のファイル。数は有効数字 4 桁。"""

import json


def rounded(value):
    """中の小数を全部、有効数字 4 桁にする。"""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def write(path, results):
    text = json.dumps(rounded(results), ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def read(path):
    """前の結果。なければ空。"""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
