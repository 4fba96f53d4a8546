"""よくある書き間違いのうち、式の木の 1 か所の変更では作れないもの。"""

#: 式のラベル → (間違いの名前, 種類, 間違えた式) の並び。
OFTEN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "eq-he-std": (("often-1", "根号が 2 にかかっていない", r"\sigma = \frac{2}{\sqrt{n}}"),),
    "eq-glorot-std": (
        ("bracket", "分母の括弧が抜けている", r"\sigma = \sqrt{\frac{2}{n} + m}"),
        ("bracket-in-limit", "一様乱数の端の式で、分母の括弧が抜けている", r"\sigma = \sqrt{\frac{2}{n} + \frac{m}{3}}"),
    ),
    "eq-batchnorm-scale": (
        ("nothing", "γ と β が抜けている", r"y_i = \hat{x}_i"),
        ("bracket", "β にも γ が掛かっている", r"y_i = \gamma (\hat{x}_i + \beta)"),
    ),
    "eq-batchnorm-dgamma": (
        ("mean", "和ではなく平均をとっている", r"g_{\gamma} = \frac{1}{N} \sum_{i=1}^{N} d_i \hat{x}_i"),
    ),
    "eq-batchnorm-dbeta": (
        ("mean", "和ではなく平均をとっている", r"g_{\beta} = \frac{1}{N} \sum_{i=1}^{N} d_i"),
    ),
    "eq-batchnorm-dx": (
        (
            "gamma-twice",
            "γ が 2 度掛かっている",
            r"g_i = \frac{\gamma^2}{\sqrt{\sigma_B^2 + \varepsilon}} (d_i - \frac{1}{N} \sum_{j=1}^{N} d_j - \frac{1}{N} \hat{x}_i \sum_{j=1}^{N} d_j \hat{x}_j)",
        ),
        (
            "gamma-inside",
            "γ が、はじめの項にしか掛かっていない",
            r"g_i = \frac{1}{\sqrt{\sigma_B^2 + \varepsilon}} (\gamma d_i - \frac{1}{N} \sum_{j=1}^{N} d_j - \frac{1}{N} \hat{x}_i \sum_{j=1}^{N} d_j \hat{x}_j)",
        ),
        (
            "constants",
            "平均と標準偏差を定数とみなしている",
            r"g_i = \frac{\gamma}{\sqrt{\sigma_B^2 + \varepsilon}} d_i",
        ),
    ),
}
