"""原ノートの式をそのまま並べた手法。"""

#: 手法の名前 → 式のラベル(計算する順)。最後の式が間違っている。
NOTES = {
    "Momentum": ("eq-momentum-v", "eq-notes-momentum-w"),
    "AdaGrad": ("eq-adagrad-h", "eq-notes-adagrad-w"),
    "Adam": ("eq-adam-m", "eq-adam-v", "eq-notes-adam-w"),
}
