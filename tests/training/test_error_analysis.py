"""What wrong answers have in common, and the training rows nearest to one of them."""

import json
import random
import tracemalloc
from dataclasses import replace

import pytest

from coach.command_line import run_command
from tests.pages.judged_versions import LABELS, PLANTED, every, finish, make_task, planted_text, wrong_where_planted
from training import error_analysis
from training.__main__ import main
from training.answered_rows import AnsweredRow, answered_rows
from training.baseline import vectorizer_for
from training.data.rows import Row, read_rows, rows_to_jsonl
from training.error_analysis import analyse_errors
from training.nearest_rows import ALIKE_CHARACTERS, ALIKE_WORDS, Near, TrainingIndex, lesson, training_index

ROWS = 300


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    task = make_task(tmp_path_factory.mktemp("tasks") / "news", rows=ROWS, text=planted_text)
    return finish(task, "v1", wrong_where_planted)


@pytest.fixture(scope="module")
def rows(version):
    return answered_rows(version, None)


def test_a_planted_word_that_goes_with_errors_is_found_and_nothing_else(rows):
    found = analyse_errors(rows, "zh-TW")
    assert [word.word for word in found.words] == [PLANTED]
    assert {row.id for row in found.with_word(found.words[0])} == {row.id for row in rows if PLANTED in row.inputs["text"]}


def test_of_many_rows_words_are_looked_for_in_some_right_and_wrong_ones_drawn_alike(rows, monkeypatch):
    assert not analyse_errors(rows, "zh-TW").words_drawn
    monkeypatch.setattr("training.error_analysis.MOST_WORD_ROWS", 200)
    found = analyse_errors(rows, "zh-TW")
    assert found.words_drawn and (found.looked_at, found.with_text, found.rows) == (200, ROWS, ROWS)
    assert found == analyse_errors(rows, "zh-TW"), "the same rows are drawn each time"
    assert [word.word for word in found.words] == [PLANTED] and found.words[0].rows < sum(
        PLANTED in row.inputs["text"] for row in rows
    )
    drawn = error_analysis._word_rows(rows, "zh-TW")
    assert sum(row.wrong for row in drawn) / 200 == pytest.approx(len(found.wrong) / ROWS, abs=0.06)


def test_the_command_says_where_words_were_looked_for(training, version, monkeypatch):
    folder = version.folder.parent.parent
    assert "drawn at random" not in training("errors", folder, "--lang", "en")[1]
    monkeypatch.setattr("training.error_analysis.MOST_WORD_ROWS", 100)
    assert "looked for in 100 of 300, drawn at random" in training("errors", folder, "--lang", "en")[1]
    assert "隨機抽出的 100 筆" in training("errors", folder, "--lang", "zh-TW")[1]
    assert json.loads(training("errors", folder, "--json")[1])["words_looked_for_in"] == 100


def test_many_long_texts_take_the_memory_of_those_drawn(monkeypatch):
    monkeypatch.setattr("training.error_analysis.MOST_WORD_ROWS", 300)
    chance = random.Random(1)
    letters = [chr(0x4E00 + place) for place in range(3_000)]
    many = [
        AnsweredRow(f"r-{place}", {"text": "".join(chance.choices(letters, k=300))}, "a", chance.choice("aaab"), {}, None)
        for place in range(1_500)
    ]
    tracemalloc.start()
    try:
        analyse_errors(many, "zh-TW")
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()


def test_in_english_it_is_whole_words(rows):
    said = [
        replace(row, inputs={"text": f"the {'refund' if PLANTED in row.inputs['text'] else 'store'} was late"}) for row in rows
    ]
    assert "refund" in analyse_errors(said, "en").words[0].word.split()


def test_random_errors_have_no_words(tmp_path):
    task = make_task(tmp_path / "news", rows=ROWS, text=planted_text)
    chance = random.Random(5)
    finish(task, "v1", lambda place, right: LABELS[(LABELS.index(right) + 1) % 3] if chance.random() < 0.2 else right)
    found = analyse_errors(answered_rows(task.version("v1"), None), "zh-TW")
    assert found.wrong and found.words == () and found.lengths == ()


def test_pairs_are_counted_with_their_rows_the_most_confused_first(rows):
    found = analyse_errors(rows, "zh-TW")
    assert sum(pair.count for pair in found.pairs) == len(found.wrong) == sum(not row.right for row in rows)
    first = found.pairs[0]
    assert first.count == max(pair.count for pair in found.pairs) and first.of_class == first.count / 100
    assert {(row.actual, row.predicted) for row in first.rows} == {(first.actual, first.predicted)}
    assert [row.sure for row in first.rows] == sorted((row.sure for row in first.rows), reverse=True)


def test_answers_outside_the_format_are_a_pair_of_their_own(rows):
    said = [replace(row, predicted=None) if place < 40 else row for place, row in enumerate(rows)]
    assert any(pair.predicted is None for pair in analyse_errors(said, "zh-TW").pairs)


def test_sure_and_wrong_come_first(rows):
    found = analyse_errors(rows, "zh-TW")
    assert found.sure and found.wrong[: len(found.sure)] == found.sure
    assert min(row.sure for row in found.sure) >= 0.9 > max(row.sure for row in found.wrong[len(found.sure) :])


def test_lengths_that_go_with_errors_are_those_of_the_findings(rows):
    said = [replace(row, inputs={"text": row.inputs["text"] * (1 if row.right else 9)}) for row in rows]
    (finding,) = analyse_errors(said, "zh-TW").lengths
    assert finding.code == "D11" and finding.name == "long_texts"


def test_rows_without_texts_and_no_rows_at_all_are_no_error(rows):
    assert analyse_errors([replace(row, inputs={}) for row in rows], "zh-TW").words == ()
    assert analyse_errors([], "zh-TW").wrong == ()


# --- the training rows nearest to a row ----------------------------------------------------------------------------------------------


def test_the_nearest_row_of_a_copied_text_is_that_row(version):
    index, train = training_index(version, None), read_rows(version.split_path("train"))
    for row in train[:10]:
        first, *others = index.nearest(row.input)
        assert first.id == row.id and first.label == row.output and first.similarity == pytest.approx(1.0)
        assert len(others) == 2 and first.similarity >= others[0].similarity >= others[1].similarity


def test_a_text_that_shares_nothing_has_no_nearest_row(version):
    assert training_index(version, None).nearest({"text": "zzz"}) == []
    assert training_index(version, None).nearest({}) == []


def test_without_training_rows_or_words_in_them_there_is_no_index(tmp_path):
    task = make_task(tmp_path / "news")
    (task.folder / "data" / "train.jsonl").write_text(rows_to_jsonl([Row("r-1", {"text": ""}, LABELS[0])]), "utf-8")
    version = finish(task, "v1", every(3))
    assert training_index(version, None) is None
    version.split_path("train").unlink()
    assert training_index(version, None) is None


@pytest.mark.parametrize(("language", "alike"), [("zh-TW", ALIKE_CHARACTERS), ("en", ALIKE_WORDS)])
def test_words_have_to_be_nearer_than_characters_to_be_alike(language, alike):
    between = " " if language == "en" else ""
    rows = [Row(str(count), {"text": between.join("abcdefghij"[:count])}, "x") for count in range(1, 11)]
    vectorizer = vectorizer_for(language)
    index = TrainingIndex(rows, None, vectorizer, vectorizer.fit_transform([row.input["text"] for row in rows]))
    near = index.nearest({"text": between.join("aklmnop")}, count=10)
    assert {found.alike for found in near} == {True, False}
    assert all(found.alike == (found.similarity >= alike) for found in near)


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (["b", "b", "a"], "as_answered"),
        (["a", "a", "b"], "as_labelled"),
        (["a", "b", "c"], "mixed"),
        (["c", "c", "c"], "mixed"),
        (["a", "b"], "mixed"),
        ([], "nothing_like"),
    ],
)
def test_the_labels_of_the_nearest_say_what_the_data_taught(near, expected):
    found = [Near(str(place), {}, label, 0.5, alike=True) for place, label in enumerate(near)]
    assert lesson(found, "a", "b") == expected
    far = [replace(one, similarity=0.1, alike=False) for one in found]
    assert lesson([*found, *far], "a", "b") == expected and lesson(far, "a", "b") == "nothing_like"


# --- on the command line --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def training(capsys):
    def run(*arguments):
        code = run_command(main, [str(argument) for argument in arguments], {})
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize(("language", "said"), [("zh-TW", "最常混淆的類別"), ("en", "Classes confused most")])
def test_the_command_line_says_the_same(training, version, language, said):
    code, out, _ = training("errors", version.folder.parent.parent, "--lang", language)
    assert code == 0 and said in out and PLANTED in out and out.splitlines()[0].startswith("v1")


def test_its_json_is_one_document(training, version):
    document = json.loads(training("errors", version.folder.parent.parent, "v1", "--json")[1])
    assert document["words"][0]["word"] == PLANTED and len(document["nearest"]) == 5
    assert document["wrong"][0] == document["sure_and_wrong"][0] == document["nearest"][0]["id"]
    assert len(document["nearest"][0]["training_rows"]) == 3


def test_without_a_finished_version_or_answers_it_is_three_lines_and_two(training, version, tmp_path):
    assert [
        training("errors", make_task(tmp_path / "new").folder)[0],
        training("errors", version.folder.parent.parent, "v9")[0],
    ] == [2, 2]
    task = make_task(tmp_path / "bare")
    finish(task, "v1", every(3)).predictions_path.unlink()
    code, out, err = training("errors", task.folder)
    assert code == 2 and out == "" and len(err.splitlines()) == 3


def test_answers_of_an_attempt_that_is_going_on_again_are_not_analysed(training, tmp_path):
    task = make_task(tmp_path / "resumed")
    version = finish(task, "v1", every(3))
    with version.events_path.open("a", encoding="utf-8") as log:
        log.write(json.dumps({"v": 1, "seq": 2, "t": 0, "type": "resumed", "attempt": 2, "from_step": 1}) + "\n")
    assert training("errors", task.folder, "v1")[0] == 2


def test_a_version_that_is_always_right_is_said_to_be(training, tmp_path):
    task = make_task(tmp_path / "right")
    finish(task, "v1", lambda place, right: right)
    assert training("errors", task.folder, "--lang", "en")[1].strip() == "v1: all 60 test rows are answered right."
