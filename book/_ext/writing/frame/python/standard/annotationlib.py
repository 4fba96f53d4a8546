"""Brython が、型ヒントを読むときに使うもの。"""


class ForwardRef:
    pass
