"""Stage 7: the system in use today, entered as a file and compared with the version on the same test rows."""

import csv
import io
import json
import re

import pytest

from coach.systems import keep_system
from coach.text import text
from tests.conftest import NOW
from tests.pages.conftest import LANGUAGES, numbers, words
from tests.pages.judged_versions import LABELS, every, finish, make_task
from training.data.rows import read_rows
from training.new_version import new_version

PAGE, ROWS = "7_iterate.py", 300
TABLE = frozenset(["what", "before", "after", "difference", "sure"])


@pytest.fixture
def judged(workspace):
    """One finished version of 300 test rows, wrong in every seventh."""
    task = make_task(workspace / "news", rows=ROWS)
    finish(task, "v1", every(7))
    return task


def answers(task, wrong=3, name="v1"):
    for place, row in enumerate(read_rows(task.version(name).split_path("test"))):
        yield row.id, LABELS[(LABELS.index(row.output) + 1) % 3] if place % wrong == 0 else row.output


def sheet(rows, header=("id", "predicted")):
    made = io.StringIO()
    csv.writer(made).writerows([header, *rows])
    return made.getvalue().encode("utf-8")


def key(field):
    return f"news.iterate.system.{field}"


def enter(at, content, name="rules.csv", turn=0, column=None):
    at.file_uploader(key(f"upload.{turn}")).upload(name, content, "text/csv")
    if column is not None:
        at.text_input(key(f"column.{turn}")).input(column)
    at.run()
    at.button(key("take")).click().run()
    assert not at.exception
    return at


def box(at, language="zh-TW"):
    """The form's, folded: before the first system, and after it."""
    return next(
        (
            block
            for block in at.expander
            if block.label in {text(f"ui.systems.{name}", language) for name in ("title", "another")}
        ),
        None,
    )


def alive(at):
    """Texts in which a tag or an image is not escaped."""
    blocks = [*at.markdown, *at.caption, *at.success]
    return [block.value for block in blocks if re.search(r"(?<!\\)<|(?<!\\)!\[", str(block.value))]


def scores(at):
    return [table.value for table in at.dataframe if frozenset(table.value.columns) == TABLE]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_is_entered_and_compared_in_a_sentence_three_numbers_and_a_table(open_page, judged, language):
    at = open_page(PAGE, judged, language)
    assert not at.exception and not box(at, language).proto.expanded and not scores(at)
    assert at.button(key("take")).disabled
    enter(at, sheet(answers(judged)))
    said = words(at)
    assert {"zh-TW": "v1 比 rules 好", "en": "v1 is better than rules"}[language] in said
    assert {"zh-TW": "先前寫的「keyword_list」是 0.520", "en": "keyword_list was put at 0.520"}[language] in said
    assert text("systems.read", language, path="rules.csv", rows=300, test_rows=300, column="predicted",
                how=text("systems.by.id", language)) in said  # fmt: skip
    assert numbers(at)[-3:] == ["0.857", "0.556", "+0.301"]
    (table,) = scores(at)
    assert list(table["what"])[1:] == [text("ui.iterate.compare.class", language, label=label) for label in LABELS]
    assert not box(at, language).proto.expanded
    assert len((judged.folder / "systems" / "rules.jsonl").read_text("utf-8").splitlines()) == ROWS


def test_what_was_entered_is_there_for_the_next_visitor_and_the_next_version(open_page, judged):
    enter(open_page(PAGE, judged), sheet(answers(judged)))
    finish(judged, "v2", every(1), changes="學習率提高")
    assert "v1 比 rules 好" in words(open_page(PAGE, judged, version="v1"))
    at = open_page(PAGE, judged)
    assert "v2 比 rules 差" in words(at) and len(scores(at)) == 2


def test_of_several_systems_the_one_entered_last_stands_there_and_any_can_be_chosen(open_page, judged):
    at = enter(open_page(PAGE, judged), sheet(answers(judged)))
    enter(at, sheet(answers(judged, 30)), name="better.csv", turn=1)
    assert "v1 比 better 差" in words(at)
    at.selectbox(key("which.2")).select("rules").run()
    assert "v1 比 rules 好" in words(at)
    enter(at, sheet(answers(judged, 4)), turn=2)
    assert "v1 比 rules-2 好" in words(at), "the same name with other answers is another system"


def test_a_system_that_was_taken_out_of_the_folder_is_gone_from_the_choice(open_page, judged):
    at = enter(open_page(PAGE, judged), sheet(answers(judged)))
    enter(at, sheet(answers(judged, 30)), name="better.csv", turn=1)
    enter(at, sheet(answers(judged, 40)), name="best.csv", turn=2)
    at.selectbox(key("which.3")).select("better").run()
    (judged.folder / "systems" / "better.jsonl").unlink()
    at.run()
    assert not at.exception and "v1 比 best 差" in words(at)


def test_a_path_is_read_where_it_lies(open_page, judged, tmp_path):
    (tmp_path / "here.jsonl").write_text(
        "".join(json.dumps({"id": row, "predicted": said}, ensure_ascii=False) + "\n" for row, said in answers(judged)), "utf-8"
    )
    at = open_page(PAGE, judged)
    at.text_input(key("path")).input(str(tmp_path / "here.jsonl")).run()
    at.button(key("take")).click().run()
    assert not at.exception and "v1 比 here 好" in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("other.csv", sheet([("r-x", "正面")])),
        ("rules.csv", b""),
        ("rules.xlsx", b"PK\x03\x04 no workbook"),
        ("rules.exe", b"MZ"),
        ("<b>規則</b>.csv", b"id,<script>alert(1)</script>\n![x](https://evil.example/x.png),y\n"),
    ],
)
def test_a_file_that_cannot_be_used_is_three_sentences_and_the_form_stays(open_page, judged, language, name, content):
    at = enter(open_page(PAGE, judged, language), content, name=name)
    assert text("ui.frame.todo", language, said="").strip() in words(at) and box(at, language).proto.expanded
    assert not (judged.folder / "systems").exists() and not scores(at)
    assert not alive(at)
    enter(at, sheet(answers(judged)))
    assert scores(at) and text("ui.frame.todo", language, said="").strip() not in words(at)


def test_an_unclear_column_can_be_named_without_uploading_again(open_page, judged):
    rows = [(row, said, "正面") for row, said in answers(judged)]
    at = enter(open_page(PAGE, judged), sheet(rows, ("id", "甲", "乙")))
    assert "甲, 乙" in words(at)
    at.text_input(key("column.0")).input("甲").run()
    at.button(key("take")).click().run()
    assert not at.exception and "v1 比 rules 好" in words(at)


def test_html_and_formulas_in_answers_stay_text(open_page, judged):
    nasty = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) $x^2$"
    rows = [(row, nasty if place < 5 else said) for place, (row, said) in enumerate(answers(judged))]
    rows[6] = (rows[6][0], "=HYPERLINK(1)")
    at = enter(open_page(PAGE, judged), sheet(rows))
    assert "算作答錯" in words(at) and "<img src=x" in words(at)
    assert not alive(at)


def test_a_file_in_the_folder_that_is_damaged_or_of_other_rows_is_said_and_the_form_stays(open_page, judged):
    (judged.folder / "systems").mkdir()
    for content in ("{", json.dumps({"id": "r-else", "predicted": "正面"}) + "\n"):
        (judged.folder / "systems" / "rules.jsonl").write_text(content, "utf-8")
        at = open_page(PAGE, judged)
        assert not at.exception and text("ui.frame.todo", "zh-TW", said="").strip() in words(at)
        assert at.file_uploader(key("upload.0")) is not None and not scores(at)


def test_the_unfinished_have_nothing_to_compare(open_page, workspace):
    task = make_task(workspace / "news")
    new_version(task, "v1", NOW)
    assert box(open_page(PAGE, task)) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_evaluation_says_where_a_system_is_brought_and_then_how_it_does(open_page, judged, language):
    before = words(open_page("6_evaluate.py", judged, language))
    assert text("ui.systems.bring", language) in before
    keep_system(judged, "rules", dict(answers(judged)))
    after = words(open_page("6_evaluate.py", judged, language))
    assert text("ui.systems.bring", language) not in after and "rules" in after
