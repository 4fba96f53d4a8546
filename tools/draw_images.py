"""アイコンと共有の絵を、SVG から PNG にする(SVG を直したときだけ打つ)。Chromium と Playwright を使う。

.venv/bin/python tools/draw_images.py
"""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "book" / "_static"
IMAGES = [  # もとの SVG、書き出す PNG、幅、高さ
    (STATIC / "favicon.svg", STATIC / "favicon.png", 32, 32),
    (STATIC / "favicon.svg", STATIC / "apple-touch-icon.png", 180, 180),
    (ROOT / "images" / "card.svg", STATIC / "card.png", 1200, 630),
]

with sync_playwright() as playwright:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for source, target, width, height in IMAGES:  # 下地の色は、アイコンの角に出る
        page = browser.new_page(viewport={"width": width, "height": height})
        svg = source.read_text(encoding="utf-8").replace("<svg", "<svg style='display: block'", 1)
        page.set_content(
            f"<style>body {{ margin: 0; background: #0072b2 }} svg {{ width: 100% }}</style>{svg}"
        )
        page.screenshot(path=target)
