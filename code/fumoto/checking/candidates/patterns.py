"""いくつもの手法に同じ形で現れる書き間違い: √h で割る式、二乗をためる式、指数移動平均。"""

Row = tuple[str, str, dict[str, str]]  # 名前、読者に言う一文、{式のラベル: 間違えた右辺}


def divided(w: str, top: str, bottom: str, weight: str = "w_t") -> tuple[Row, ...]:
    """``top / (√bottom + ε)`` で動く手法の、重みの式 ``w`` の間違い。``weight``: 引かれる方の重み。"""
    root = f"sqrt({bottom})"
    return (
        ("rate-twice", "学習率を 2 度掛けています(η が η² になっています)", {w: f"{weight} - eta**2 * {top} / ({root} + varepsilon)"}),
        ("root-missing", "分母の平方根が抜けています", {w: f"{weight} - eta * {top} / ({bottom} + varepsilon)"}),
        ("epsilon-missing", "分母に足す ε が抜けています。勾配が 0 の重みは、0 ÷ 0 で nan になります", {w: f"{weight} - eta * {top} / {root}"}),
        ("epsilon-squared", "ε が 2 乗されています", {w: f"{weight} - eta * {top} / ({root} + varepsilon**2)"}),
        ("epsilon-root", "ε の平方根を足しています", {w: f"{weight} - eta * {top} / ({root} + sqrt(varepsilon))"}),
        ("epsilon-twice", "ε を、根号の中と外の 2 か所に足しています", {w: f"{weight} - eta * {top} / (sqrt({bottom} + varepsilon) + varepsilon)"}),
        ("epsilon-squared-inside", "根号の中に ε² を足しています", {w: f"{weight} - eta * {top} / sqrt({bottom} + varepsilon**2)"}),
        ("epsilon-on-top", "ε を、分母でなく分子に足しています", {w: f"{weight} - eta * ({top} + varepsilon) / {root}"}),
        ("epsilon-subtracted", "ε を足さずに引いています", {w: f"{weight} - eta * {top} / ({root} - varepsilon)"}),
        ("epsilon-times", "ε を足さずに掛けています", {w: f"{weight} - eta * {top} / ({root} * varepsilon)"}),
        ("gradient-squared", "分子の勾配まで 2 乗しています", {w: f"{weight} - eta * {top}**2 / ({root} + varepsilon)"}),
        ("sign-only", "分子に、勾配の大きさでなく符号だけを使っています", {w: f"{weight} - eta * sign({top}) / ({root} + varepsilon)"}),
        ("rate-inside", "学習率まで平方根の中に入っています", {w: f"{weight} - {top} * sqrt(eta) / ({root} + varepsilon)"}),
        ("cube-root", "平方根でなく、立方根(1/3 乗)で割っています", {w: f"{weight} - eta * {top} / (({bottom})**(1 / 3) + varepsilon)"}),
        ("fourth-root", "平方根を 2 度とっています(1/4 乗になっています)", {w: f"{weight} - eta * {top} / (sqrt({root}) + varepsilon)"}),
        ("square-not-root", "平方根をとらず、2 乗しています", {w: f"{weight} - eta * {top} / (({bottom})**2 + varepsilon)"}),
        ("multiplied", "割るはずの平方根を、掛けています", {w: f"{weight} - eta * {top} * {root}"}),
        ("outside-bracket", "分母の括弧がなく、ε が割り算の外に出ています", {w: f"{weight} - (eta * {top} / {root} + varepsilon)"}),
        ("bracket-lost", "分母の括弧がなく、ε だけが勾配に掛かっています", {w: f"{weight} - (eta / {root} + varepsilon * {top})"}),
        ("top-missing", "分子に、掛けるはずの勾配がありません", {w: f"{weight} - eta / ({root} + varepsilon)"}),
        ("top-missing-inside", "分子に、掛けるはずの勾配がありません", {w: f"{weight} - eta / sqrt({bottom} + varepsilon)"}),
        ("scalar-mean", "配列全体で平均した二乗で割っています。割るのは要素ごとです", {w: f"{weight} - eta * {top} / (sqrt(mean({bottom})) + varepsilon)"}),
        ("scalar-sum", "配列全体で足した二乗で割っています。割るのは要素ごとです", {w: f"{weight} - eta * {top} / (sqrt(total({bottom})) + varepsilon)"}),
    )  # fmt: skip


def accumulated(h: str, before: str) -> tuple[Row, ...]:
    """勾配の二乗をためる式 ``h``(前のものの係数つきの項 ``before``、例えば ``"rho * h_t"``)の間違い。"""
    weight = {"h_t": ""}.get(before, f"(1 - {before.split()[0]}) * ")
    return (
        ("total", "勾配の二乗を、配列全体で足してしまっています(ためるのは要素ごとです)", {h: f"{before} + {weight}total(g_t**2)"}),
        ("mean", "勾配の二乗を、配列全体で平均してしまっています(ためるのは要素ごとです)", {h: f"{before} + {weight}mean(g_t**2)"}),
        ("first-axis", "勾配の二乗を、軸 0(行の方向)で平均してしまっています(ためるのは要素ごとです)", {h: f"{before} + {weight}mean0(g_t**2)"}),
        ("last-axis", "勾配の二乗を、最後の軸(列の方向)で平均してしまっています(ためるのは要素ごとです)", {h: f"{before} + {weight}mean1(g_t**2)"}),
        ("absolute", "勾配の二乗でなく、絶対値をためています", {h: f"{before} + {weight}abs(g_t)"}),
        ("epsilon", "ε を、ためる方にも毎回足しています", {h: f"{before} + {weight}g_t**2 + varepsilon"}),
        ("rate", "ためる勾配の二乗に、学習率を掛けています", {h: f"{before} + {weight}eta * g_t**2"}),
        ("rate-squared", "ためる勾配に、学習率を掛けています(h に η² が入り、学習率が打ち消されます)", {h: f"{before} + {weight}(eta * g_t)**2"}),
        ("difference", "括弧の位置が違い、勾配と h の差を 2 乗しています", {h: f"h_t + {weight or '1 * '}(g_t - h_t)**2"}),
        ("largest", "ためずに、大きい方をとっています", {h: f"max({before}, {weight}g_t**2)"}),
        ("weights", "勾配でなく、重みの二乗をためています", {h: f"{before} + {weight}w_t**2"}),
        ("cubed", "勾配を 3 乗しています", {h: f"{before} + {weight}abs(g_t)**3"}),
    )  # fmt: skip


def averaged(h: str, rho: str, old: str, new: str, letter: str) -> tuple[Row, ...]:
    """指数移動平均 ``rho * old + (1 - rho) * new`` の間違い。"""
    return (
        ("reversed", f"{letter} と 1 - {letter} が入れ替わっています", {h: f"(1 - {rho}) * {old} + {rho} * {new}"}),
        ("sum", f"新しい値に掛ける 1 - {letter} が抜けています", {h: f"{rho} * {old} + {new}"}),
        ("one-minus-both", f"前の値にも 1 - {letter} を掛けています", {h: f"(1 - {rho}) * {old} + (1 - {rho}) * {new}"}),
        ("both", f"新しい値にも、1 - {letter} でなく {letter} を掛けています", {h: f"{rho} * {old} + {rho} * {new}"}),
        ("one-plus", f"1 - {letter} のところが 1 + {letter} になっています", {h: f"{rho} * {old} + (1 + {rho}) * {new}"}),
        ("squared", f"{letter} が 2 乗されています", {h: f"{rho}**2 * {old} + (1 - {rho}) * {new}"}),
        ("updated-twice", f"平均を、1 ステップに 2 度更新しています({letter} を 2 乗したのと同じ動きです)", {h: f"{rho}**2 * {old} + (1 - {rho}**2) * {new}"}),
        ("power", f"{letter} が t 乗されています。平均の {letter} は、いつも同じです", {h: f"{rho}**(t + 1) * {old} + (1 - {rho}**(t + 1)) * {new}"}),
        ("added", "新しい平均を、前の値に置きかえず、足しています(= のところが += です)", {h: f"(1 + {rho}) * {old} + (1 - {rho}) * {new}"}),
        ("all-at-once", f"1 - {letter} が、前の値も含めた全体に掛かっています", {h: f"(1 - {rho}) * ({rho} * {old} + {new})"}),
        ("bracket", "括弧の位置が違い、新しい値が、前の値にも掛かっています", {h: f"({rho} * {old} + (1 - {rho})) * {new}"}),
        ("bracket-lost", f"1 - {letter} の括弧がなく、1 を足して {letter} 倍の新しい値を引いています", {h: f"{rho} * {old} + 1 - {rho} * {new}"}),
    )  # fmt: skip
