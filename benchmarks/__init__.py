"""本の計算にかかる時間を測る。``make bench`` か ``python -m benchmarks`` で走らせる。"""
