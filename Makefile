# 使い方は README.md。Windows で make がないときの打ち方もそこにある。
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/installed

# 行列が小さいので、BLAS は 1 プロセス 1 スレッドにして、プロセスを並べる
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: html test doctest serve clean

html: $(INSTALLED)
	@echo "全部の図と数値を計算し直します(MNIST の比較を含めて 2〜3 分)"
	@$(RUN) sphinx -j 2 -W --keep-going -E -c . -b html book build/html
	@echo
	@echo "できました。ブラウザーで開いてください: $(CURDIR)/build/html/index.html"

test: $(INSTALLED)
	$(RUN) pytest

doctest: $(INSTALLED)
	$(RUN) pytest code book README.md

serve: html
	$(RUN) http.server --bind 127.0.0.1 --directory build/html 8000

clean:
	rm -rf build $(VENV) .pytest_cache .hypothesis .ruff_cache code/fumoto.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 以上が必要です(今は %d.%d)。PYTHON=python3.12 のように指定できます" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --disable-pip-version-check --quiet --requirement requirements.txt --editable .
	@mkdir -p $(VENV)/etc/ipython  # 手もとのカーネルとの通信についての警告を止める
	@echo 'c.IPKernelApp.log_level = "ERROR"' > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@
