"""from __future__ import annotations を受けつけるためのもの。"""

annotations = division = None
