"""重みの初期値と Batch Normalization の結果の文。端末の check と、ページの欄が、同じ文を言う。

波括弧の中は、言うときに入れる。
"""

AGREES = "一致: {what}。"
DIFFERS = "不一致: {what}。"
KNOWN = "既知の間違い: {what}。"

#: 重みの初期値
INITIALIZER = {
    "tried": "{sizes} の行列の要素の平均と標準偏差を、標準誤差の {sigmas} 倍までで比べました",
    "both": "n_in と n_out の両方を使う Xavier の初期値({glorot}。論文と、PyTorch や Keras の Xavier)として調べました。"
    "この本で Xavier と呼ぶのは、n_in だけを使う {xavier} です。",
    "zeros": "重みがすべて 0 です。どのノードも同じ値のまま変わらず、学習できません",
    "zero-column": "{shape} の行列に、すべて 0 の列があります。その列のノードには何も届きません",
    "repeated": "{shape} の行列に、同じ{lines}が 2 つ以上あります。要素ごとに別の乱数を引いてください",
    "mean": "{name}平均が 0 ではありません({shape} で平均 {mean}、標準偏差 {std}){why}",
    "same sign": "。どの重みも同じ符号です。乱数の範囲の端が 0 になっていませんか(−limit から limit まで引きます)",
    "cut": "正規分布を ±2σ で切った書き方です(切ったあとの標準偏差は、式の {times} 倍になります)",
    "uniform": "一様乱数で、標準偏差が式と同じ書き方です",
    "truncated": "切断正規分布で、標準偏差が式と同じ書き方です(Keras 3 の HeNormal や GlorotNormal)",
    "normal": "要素の標準偏差は式のとおりです",
    "other": "要素の分布は、正規分布でも一様分布でもないようです(平均と標準偏差だけを比べました)。",
    "another": "{name} ではなく {other} の初期値({where})の標準偏差です",
    "wrong n": "n に、前の層のノード数ではなく{n}を使っています{also}",
    "also": "。さらに{kind}: {latex}",
    "limit": "一様乱数の端の式で、{kind}",
    "constant": "標準偏差が、ノード数によらず、いつも {value} です",
    "values": "{layer}: あなたの標準偏差 {yours}、式の値 {printed}",
    "unknown": "原因は分かりませんでした",
}

#: Batch Normalization
BATCHNORM = {
    "tried": "形 {sizes} のミニバッチを 3 つずつ{inferred}を、この引数で確かめました",
    "inferred": "と、推論 2 回",
    "agrees": "{stages}が式のとおりです",
    "updates": "推論を 2 度続けると、出力か移動平均が変わります(推論では、移動平均を使うだけで変えません)",
    "unknown": "{stage}が違います。原因は分かりませんでした",
    "still 0": "(平均の移動平均が 0 のままです。推論で平均を引いていないときも、同じ結果になります)",
    "new": "{rate} は、新しい平均と分散に掛ける数です(PyTorch と同じ意味で、この本の減衰率 ρ は 1 - {rate} です)。",
    "no backward": "逆伝播(backward)が書かれていないので、勾配は確かめていません。",
    "no inference": "推論を呼ぶところがないので、移動平均と推論は確かめていません。",
}
