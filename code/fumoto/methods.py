"""``fumoto.printed`` のうち、式だけから作る最適化手法。ここからも読み込める。"""

from fumoto.printed.methods import METHODS, Method, PrintedOptimizer

__all__ = ["METHODS", "Method", "PrintedOptimizer"]
