"""The sources of the book: coverage of the notes, page anatomy, figures, and what must not be in them."""

import itertools
import re
from pathlib import Path

import pytest

from built import BOOK, ROOT

CHAPTERS = sorted(BOOK.glob("[01]*.md"))
COVERAGE = Path(__file__).with_name("coverage_ids.txt").read_text(encoding="utf-8").split()
TEXT = {path.name: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))}


def code_cells(text):
    return re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", text, re.M | re.S)


@pytest.mark.parametrize("row", COVERAGE)
def test_every_row_of_the_coverage_table_is_on_a_page(row):
    assert any(f"<!-- {row} -->" in text for text in TEXT.values()), f"{row} is on no page"


def test_no_page_carries_an_unknown_row():
    found = {row for text in TEXT.values() for row in re.findall(r"<!-- (S\d+-\w+) -->", text)}
    assert found <= set(COVERAGE)


def test_coverage_list_is_the_one_of_the_table():
    table = ROOT.parent / "shared" / "coverage.md"
    if not table.exists():
        pytest.skip("the coverage table is not beside this copy")
    rows = re.findall(r"^\| (S[1-9]-\w+) \|", table.read_text(encoding="utf-8"), re.M)
    assert rows == COVERAGE


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapter_follows_the_page_anatomy(path):
    text = TEXT[path.name]
    assert "**これまで**\u3000" in text
    parts = [
        "## なぜ必要か",
        "## 式",
        "## 実装",
        "## 動かす",
        "## 確かめる",
        *re.findall(r"^## (?:よくある間違い|原ノートの訂正)$", text, re.M),
        "## まとめ",
        "## 演習",
    ]
    positions = [text.find("\n" + part) for part in parts]
    assert -1 not in positions, [part for part, at in zip(parts, positions, strict=True) if at == -1]
    assert positions == sorted(positions)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_exercise_has_a_folded_solution(path):
    text = TEXT[path.name]
    exercises = re.findall(r"^`{3,}\{exercise\}\n:label: (\S+)", text, re.M)
    solutions = re.findall(r"^`{3,}\{solution\} (\S+)\n:class: dropdown", text, re.M)
    assert len(exercises) >= 4
    assert exercises == solutions


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
@pytest.mark.parametrize("kind", ["手で", "コードで", "実験", "壊す"])
def test_every_chapter_has_an_exercise_of_every_kind(path, kind):
    assert re.search(rf"^`{{3,}}\{{exercise\}}\n:label: \S+\n.*?^\({kind}\)", TEXT[path.name], re.M | re.S)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_figure_has_a_name_a_caption_and_alt_text(path):
    for cell in code_cells(TEXT[path.name]):
        if re.search(r"^figures\.(?!\w+_table)", cell, re.M):
            assert re.search(r"^    name: fig-[\w-]+$", cell, re.M), cell
            caption = re.search(r"caption: \|\n((?:      .*\n)+)", cell)
            alt = re.search(r"^    alt: (.+)$", cell, re.M)
            assert caption, cell
            assert len(caption[1]) > 30, cell
            assert alt, cell
            assert len(alt[1]) > 15, cell


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_shown_cells_are_one_to_seven_lines(path):
    for cell in code_cells(TEXT[path.name]):
        if "remove-cell" in cell:
            continue
        body = cell.split("---\n")[-1]
        lines = [line for line in body.splitlines() if line.strip()]
        imports = [line for line in lines if line.startswith(("from ", "import "))]
        assert 1 <= len(lines) - len(imports) <= 5, cell


def test_every_figure_is_referred_to_or_stands_where_it_is_explained():
    names = [n for text in TEXT.values() for n in re.findall(r"name: (fig-[\w-]+)", text)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", TEXT)
def test_display_mathematics_is_always_a_labelled_equation(name):
    assert "$$" not in TEXT[name]
    for block in re.findall(r"^```\{math\}\n(.*)", TEXT[name], re.M):
        assert block.startswith(":label: eq-")


@pytest.mark.parametrize("name", TEXT)
def test_every_label_that_is_referred_to_exists(name):
    labels = {label for text in TEXT.values() for label in re.findall(r":label: (\S+)", text)}
    for label in re.findall(r"\{eq\}`([^`]+)`", TEXT[name]):
        assert label in labels


@pytest.mark.parametrize("name", TEXT)
def test_a_paragraph_is_one_line_of_source(name):
    """A line break between Japanese characters would show as a gap."""
    lines = re.sub(r"^(`{3,}).*?^\1$", "", TEXT[name], flags=re.M | re.S).splitlines()
    for first, second in itertools.pairwise(lines):
        ends_in_japanese = re.search(r"[\u3040-\u30ff\u4e00-\u9fff、。]$", first)
        assert not (ends_in_japanese and re.match(r"[\u3040-\u30ff\u4e00-\u9fff]", second)), (first, second)


@pytest.mark.parametrize("name", TEXT)
def test_no_measured_number_is_typed_by_hand(name):
    """Decimal fractions in sentences come from glue; what is exact or a setting stands in mathematics or code."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", TEXT[name], flags=re.M | re.S)
    text = re.sub(r"`[^`]*`|\$[^$]*\$|^%.*$|^---.*?---$", "", text, flags=re.M | re.S)
    allowed = {"4.0", "0.01", "0.001", "0.05", "0.9", "0.99"}  # licences and settings the text is about
    found = set(re.findall(r"\d+\.\d+", text)) - allowed
    assert not found


PROJECT_FILES = [
    path
    for folder in ("book", "code", "tests", "benchmarks", ".ci")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".md", ".py", ".toml", ".txt", ".css", ".js", ""} and path.is_file()
] + [ROOT / name for name in ("README.md", "Makefile", "conf.py", "pyproject.toml", "requirements.txt")]


def test_no_path_of_a_machine_is_in_the_project():
    pattern = re.compile("/" + r"(?:home|root|work|tmp|Users)/\w")
    for path in PROJECT_FILES:
        if "__pycache__" not in path.parts:
            assert not pattern.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("name", TEXT)
def test_no_space_follows_a_japanese_full_stop(name):
    """It would show as a gap in the sentence."""
    text = re.sub(r"^(`{3,}).*?^\1$", "", TEXT[name], flags=re.M | re.S)
    assert not re.findall(r"[、。」](?:\*\*)? \S", text)


LONGEST_COPY = 13  # characters: longer than any technical term in the notes


def characters(text):
    """The text without spaces, a word in Latin letters as one character."""
    return re.sub(r"[A-Za-z]+", "A", re.sub(r"\s+", "", text))


@pytest.mark.parametrize("name", TEXT)
def test_no_sentence_is_taken_from_the_notes(name):
    """What the notes say is told in the book's own words; what is quoted stands in 「」."""
    notes = ROOT.parent / "shared" / "notes.txt"
    if not notes.exists():
        pytest.skip("the notes are not beside this copy")
    taken = characters(notes.read_text(encoding="utf-8"))
    text = re.sub(r"^(`{3,}).*?^\1$", "", TEXT[name], flags=re.M | re.S)
    text = re.sub(r"「[^」]*」|`[^`]*`|\$[^$]*\$", "\n", text)
    for line in map(characters, text.splitlines()):
        for start in range(len(line) - LONGEST_COPY):
            piece = line[start : start + LONGEST_COPY + 1]
            assert not (re.search("[ぁ-ヶ]", piece) and piece in taken), piece


@pytest.mark.parametrize("name", TEXT)
def test_the_tests_a_page_names_exist(name):
    for test in re.findall(r"`(tests/[\w/]+(?:\.py|/))`", TEXT[name]):
        assert (ROOT / test).exists(), test
