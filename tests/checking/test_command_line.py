"""``python -m fumoto check``: what it says, and its exit code."""

import sys

import pytest


@pytest.mark.parametrize(
    ("body", "arguments", "status", "said"),
    [
        ("params[key] -= self.lr * grads[key]", ["--lr", "0.1"], 0, "一致"),
        ("params[key] += self.lr * grads[key]", ["--lr", "0.1"], 1, "既知の間違い: 符号が逆"),
        ("params[key] -= self.lr * grads[key]", [], 0, "一致"),
        ("params[key] -= (", ["--lr", "0.1"], 2, "読み込めません: SyntaxError"),
    ],
)
def test_command_line(tmp_path, capsys, body, arguments, status, said):
    from fumoto.__main__ import main

    path = tmp_path / "mine.py"
    path.write_text(
        "class Mine:\n    def __init__(self, lr): self.lr = lr\n"
        f"    def update(self, params, grads):\n        for key in params: {body}\n",
        encoding="utf-8",
    )
    try:
        code = main(["check", f"{path}:Mine", "--like", "SGD", *arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    assert code == status
    assert said in captured.out + captured.err
    assert "Traceback" not in captured.out + captured.err


@pytest.mark.parametrize("target", ["nowhere.py:Mine", "mine.py"])
def test_command_line_names_a_missing_file_or_class(tmp_path, capsys, target):
    from fumoto.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(["check", target, "--like", "SGD", "--lr", "0.1"])
    assert "がありません" in capsys.readouterr().err


def run_command(path, capsys, *arguments, like="SGD"):
    from fumoto.__main__ import main

    try:
        code = main(["check", f"{path}:Mine", "--like", like, "--lr", "0.1", *arguments])
    except SystemExit as exit_:
        code = exit_.code
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_command_line_names_an_error_inside_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "mine.py"
    path.write_text("class Mine: pass\n{}['鍵']\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    assert (code, "2 行目で KeyError が起きました: '鍵'" in said) == (2, True), said
    path.write_text("class Other: pass\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    assert (code, "mine.py に Mine がありません" in said) == (2, True), said


def test_command_line_finds_the_modules_beside_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside_mine.py").write_text("from fumoto.optimizers import SGD\n", encoding="utf-8")
    path = tmp_path / "mine.py"
    path.write_text("from beside_mine import SGD as Mine\n", encoding="utf-8")
    code, said = run_command(path, capsys)
    monkeypatch.delitem(sys.modules, "beside_mine", raising=False)
    assert code == 0, said


def test_command_line_refuses_an_argument_the_method_does_not_have(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("from fumoto.optimizers import SGD as Mine\n", encoding="utf-8")
    code, said = run_command(path, capsys, "--beta1", "0.9", "--decay-rate", "0.9")
    assert (code, "SGD に引数 --beta1, --decay-rate はありません" in said) == (2, True), said
    code, said = run_command(path, capsys, "--lr", "-0.1")
    assert (code, "lr は正の数" in said) == (2, True), said
