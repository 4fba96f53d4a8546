# make help で、できることの一覧が出る。使い方は README.md。Windows で make がないときの打ち方もそこにある。
# JOBS: 並べて読むページの数。PROCESSES: テストを並べるプロセスの数(logical はコアの数)。
# REQUIREMENTS: 入れる版。requirements.txt にすると、範囲の中の最新の版を入れる
PYTHON ?= python3
JOBS ?= 2
PROCESSES ?= logical
REQUIREMENTS ?= requirements.lock
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/installed

# 行列が小さいので、BLAS は 1 プロセス 1 スレッドにして、プロセスを並べる
export OPENBLAS_NUM_THREADS ?= 1
# glibc は、大きな配列のメモリーを、消すたびに OS に返し、作るたびにもらい直す。返さずに使い回す方が速い
export MALLOC_MMAP_THRESHOLD_ ?= 1000000000
export MALLOC_TRIM_THRESHOLD_ ?= 1000000000

.PHONY: html pdf test doctest bench serve clean lock help

# build/next に組み、うまくいったときだけ build/html と取り替える。途中で終わったら、次は全部のページを読み直す
# (実行の結果 build/cache は残るので、計算し直すのは変わったページだけ)
html: $(INSTALLED)  ## 本を組む(何もつけない make と同じ)
	@echo "変わったページだけを計算し直します(初めては、MNIST の比較を含めて 2〜3 分)"
	@test ! -e build/unfinished || rm -rf build/doctrees build/next
	@mkdir -p build && touch build/unfinished
	@$(RUN) sphinx -j $(JOBS) -W --keep-going -c . -d build/doctrees -b html book build/next
	@rm -rf build/new build/old && cp -R build/next build/new
	@test ! -d build/html || mv build/html build/old
	@mv build/new build/html && rm -rf build/old build/unfinished
	@echo
	@echo "できました。ブラウザーで開いてください: $(CURDIR)/build/html/index.html"

# 1 冊にまとめたページを、Chromium で印刷する。BROWSER: Chromium か Chrome の場所
BROWSER ?= $(firstword $(shell command -v chromium chromium-browser google-chrome chrome))
PRINT = --headless --disable-gpu --log-level=3 --no-pdf-header-footer --generate-pdf-document-outline --virtual-time-budget=120000 \
	$(if $(filter 0,$(shell id -u)),--no-sandbox)

pdf: $(INSTALLED)  ## 全部のページを 1 冊の PDF にする
	@test -n "$(BROWSER)" || { echo "Chromium か Chrome が要ります(BROWSER=その場所 のように指定できます)" >&2; exit 1; }
	@$(RUN) sphinx -q -j $(JOBS) -W --keep-going -c . -d build/single-doctrees -D suppress_warnings=toc.not_readable \
		-b singlehtml book build/single
	@rm -f build/fumoto.pdf
	@"$(BROWSER)" $(PRINT) --print-to-pdf="$(CURDIR)/build/fumoto.pdf" "file://$(CURDIR)/build/single/index.html"
	@test -s build/fumoto.pdf
	@echo "できました: $(CURDIR)/build/fumoto.pdf"

test: $(INSTALLED)  ## 本を確かめる(式、実装、文章の主張、例のコード)
	$(RUN) pytest -n $(PROCESSES)

doctest: $(INSTALLED)  ## 例のコードだけを確かめる
	$(RUN) pytest -n $(PROCESSES) code book README.md

bench: $(INSTALLED)  ## 速さを測る
	$(RUN) benchmarks

serve: html  ## 本を組み、http://127.0.0.1:8000 で見せる
	$(RUN) http.server --bind 127.0.0.1 --directory build/html 8000

clean:  ## 組んだ本と、入れたライブラリを消す
	rm -rf build $(VENV) .pytest_cache .hypothesis .ruff_cache code/fumoto.egg-info tools/*/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# requirements.txt の範囲から選んだ版とその指紋を requirements.lock に書く。新しい版にするときは make lock
COMPILE = build/lock/bin/python -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --upgrade --quiet

lock:  ## 使うライブラリの版を選び直す
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --disable-pip-version-check --quiet uv
	$(COMPILE) --output-file requirements.lock requirements.txt
	$(COMPILE) --output-file requirements-ci.lock --constraints requirements.lock requirements-ci.txt

help:  ## この一覧を出す
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

# Debian や Ubuntu は、venv の部品を別のパッケージにしている。ないまま始めると、途中までの .venv が残る
NO_VENV = $(PYTHON) で仮想環境を作れません。Debian や Ubuntu では apt install python3-venv のあとで、もう一度打ってください

$(INSTALLED): $(REQUIREMENTS) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 以上が必要です(今は %d.%d)。PYTHON=python3.12 のように指定できます" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(NO_VENV)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --disable-pip-version-check --quiet --requirement $(REQUIREMENTS)
	$(RUN) pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@mkdir -p $(VENV)/etc/ipython  # 手もとのカーネルとの通信についての警告を止める
	@echo 'c.IPKernelApp.log_level = "ERROR"' > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@
