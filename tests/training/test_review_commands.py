"""`python -m training suspects | mark | correct`: the same as on the page, without a browser."""

import json

import pytest

from coach.command_line import run_command
from tests.pages.judged_versions import LABELS, every, finish, make_task
from tests.pages.test_label_review import WRONG, text
from training.__main__ import main
from training.data.rows import read_rows


@pytest.fixture
def news(tmp_path):
    task = make_task(tmp_path / "news", text=text)
    finish(task, "v1", every(3))
    return task


def call(*arguments, lang="en"):
    return run_command(main, [*map(str, arguments), "--lang", lang])


def suspects(task, capsys, *options):
    capsys.readouterr()
    assert call("suspects", task.folder, "--json", *options) == 0
    return json.loads(capsys.readouterr().out)


def test_suspects_are_listed_marked_and_corrected(news, capsys):
    found = suspects(news, capsys)
    assert found["rows"] == 102 and {f"r-test-{index:04d}" for index in WRONG} <= {row["id"] for row in found["suspects"]}
    first = found["suspects"][0]
    assert call("mark", news.folder, first["id"], "label_wrong", "--label", first["proposed"]) == 0
    assert suspects(news, capsys)["suspects"][0]["mark"] == "label_wrong"
    assert call("correct", news.folder) == 0
    assert "Labels changed: 1 (" in capsys.readouterr().out
    rows = {row.id: row.output for part in ("train", "valid", "test") for row in read_rows(news.data_folder / f"{part}.jsonl")}
    assert rows[first["id"]] == first["proposed"]
    assert first["id"] not in [row["id"] for row in suspects(news, capsys)["suspects"]]
    assert first["id"] in [row["id"] for row in suspects(news, capsys, "--version", "v1")["suspects"]], "v1 keeps its rows"


@pytest.mark.parametrize("lang", ["zh-TW", "en"])
def test_a_person_reads_labels_and_texts_and_what_to_do_next(news, capsys, lang):
    assert call("suspects", news.folder, lang=lang) == 0
    out = capsys.readouterr().out
    assert (
        "r-test-0033" in out
        and {"zh-TW": "可能是", "en": "perhaps"}[lang] in out
        and "python -m training mark" in out
        and "{" not in out
    )


def test_a_mark_is_taken_back_and_json_is_all_that_is_printed(news, capsys):
    assert call("mark", news.folder, "r-test-0033", "ambiguous", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"id": "r-test-0033", "mark": "ambiguous", "marked": 1}
    assert call("mark", news.folder, "r-test-0033", "none", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"id": "r-test-0033", "mark": None, "marked": 0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mark", "{task}", "r-nowhere", "ambiguous"), "r-nowhere"),
        (("mark", "{task}", "r-test-0033", "label_wrong"), LABELS[0]),
        (("mark", "{task}", "r-test-0033", "sure"), "label_wrong"),
        (("mark", "{task}", "r-test-0033", "ambiguous", "--target", "tone"), "tone"),
        (("correct", "{task}"), "nothing to correct"),
        (("suspects", "{task}", "--version", "v9"), "v1"),
    ],
)
def test_a_mistake_is_three_sentences_and_exit_2(news, capsys, arguments, said):
    assert call(*(argument.format(task=news.folder) for argument in arguments)) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.strip().splitlines()) == 3
