"""``fumoto.printed`` のうち、式の書き間違い。ここからも読み込める。"""

from fumoto.printed.mutation import Variant, variants

__all__ = ["Variant", "variants"]
