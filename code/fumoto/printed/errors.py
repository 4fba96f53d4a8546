"""印刷された式を読めなかったときの誤り。"""


class EquationError(ValueError):
    """式を読めない。ページと行、読めなかった部分を言う。"""
