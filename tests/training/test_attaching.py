"""A file taken into a task: where it lands, what is written beside it, what it answers, and what the confirmed task makes of it."""

import io
import json
import os
from datetime import UTC, datetime

import pytest

from coach.__main__ import main
from coach.answer_edits import OPEN, Held, save_answer
from coach.answers import Answers
from coach.command_line import EXIT_OK
from coach.errors import CoachError, DataError, WorkspaceError
from coach.hardware import this_machine
from coach.recommendation import recommend
from coach.workspace import create_task
from training.attached_file import attached, inspect, look
from training.attaching import attach_path, attach_upload, correct_columns, findings_of, follow_file, keep_together
from training.column_choice import beside_columns, chosen_mapping, doubled_column
from training.data import intake
from training.data.build import build_data
from training.data.rows import Row, read_rows
from training.data.source import read_data_source
from training.data.source_fit import sketch
from training.data.split import PARTS, groups_of
from training.file_findings import contradictions
from training.first_folder import draft, write_first_files

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
WORDS = {"退款": "我要退錢", "物流": "包裹還沒到", "其他": "請問營業時間"}


def sheet(count=90, header="編號,主旨,信件內容,備註,類別"):
    labels = [list(WORDS)[number % 3] for number in range(count)]
    rows = [f"{n},第{n}封的主旨,{WORDS[label]}這是第{n}封信,第{n}則備註寫在這裡,{label}" for n, label in enumerate(labels)]
    return "\n".join([header, *rows]) + "\n"


def upload(task, content=None, name="信件.csv"):
    return attach_upload(task, io.BytesIO((content or sheet()).encode()), name, now=NOW)


@pytest.fixture
def task(tmp_path):
    return create_task(tmp_path / "ws", "letters", answers=Answers.model_validate({"task": {"type": "classification"}}))


def source_of(task):
    return read_data_source(task.folder / "data_source.yaml")


# --- where it lands -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../evil.csv", "evil.csv"),
        ("..\\..\\evil.csv", "evil.csv"),
        ("/etc/passwd.csv", "passwd.csv"),
        (".hidden.csv", "hidden.csv"),
        ("信件 (1).CSV", "信件_1.csv"),
        ("a\x00b\n.csv", "a_b.csv"),
        ("<b>x</b>.jsonl", "b.jsonl"),
        ("-rf.csv", "rf.csv"),
    ],
)
def test_a_name_leads_nowhere(name, safe):
    assert intake.safe_name(name) == safe


def test_a_long_name_is_cut_to_what_a_disk_takes():
    assert len(intake.safe_name("長" * 300 + ".csv").encode()) < 200


@pytest.mark.parametrize("name", ["model.pkl", "rows.zip", "noend", "..", ""])
def test_a_suffix_that_is_no_data_files_is_refused(name):
    with pytest.raises(DataError):
        intake.safe_name(name)


def test_an_upload_lands_in_raw_and_nowhere_else(task):
    done = upload(task, name="../../evil.csv")
    assert done.path == task.folder / "raw" / "evil.csv"
    assert [path.name for path in (task.folder / "raw").iterdir()] == ["evil.csv"]
    assert not (task.folder.parent / "evil.csv").exists()


def test_the_same_file_again_is_one_file_and_another_of_that_name_is_kept_beside_it(task):
    first, again, other = upload(task), upload(task), upload(task, sheet(60))
    assert (first.path.name, again.path.name, other.path.name) == ("信件.csv", "信件.csv", "信件-2.csv")


@pytest.mark.parametrize("content", ["", "只有標題\n", "a,a\n1,2\n", "\x00\x00\x00"])
def test_a_bad_file_leaves_no_trace(task, content):
    before = task.answers()
    with pytest.raises(DataError) as raised:
        attach_upload(task, io.BytesIO(content.encode()), "壞.csv", now=NOW)
    assert "壞.csv" in raised.value.lines("zh-TW")[0] and ".incoming" not in str(raised.value)
    assert list((task.folder / "raw").iterdir()) == [] and task.answers() == before
    assert not (task.folder / "data_source.yaml").exists()


def test_a_file_over_the_limit_is_stopped_while_it_arrives(task, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 100)
    with pytest.raises(DataError, match="limit"):
        upload(task)
    assert list((task.folder / "raw").iterdir()) == []


def test_an_upload_is_read_in_blocks(task):
    class Stream(io.BytesIO):
        def read(self, size=-1):
            assert 0 < size <= intake.BLOCK_BYTES
            return super().read(size)

    assert attach_upload(task, Stream(sheet().encode()), "a.csv", now=NOW).path.is_file()


def test_a_deleted_task_is_not_made_again(task):
    import shutil

    shutil.rmtree(task.folder)
    with pytest.raises(WorkspaceError):
        upload(task)
    assert not task.folder.exists()


def test_a_file_by_path_is_copied_in_and_one_inside_stays(task, tmp_path):
    outside = tmp_path / "外面.csv"
    outside.write_text(sheet(), encoding="utf-8")
    done = attach_path(task, str(outside), now=NOW)
    assert done.path == task.folder / "raw" / "外面.csv" and outside.is_file()
    assert attach_path(task, "raw/外面.csv", now=NOW).path == done.path


def test_what_is_no_regular_data_file_is_refused_before_it_is_opened(task, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    meant = (
        str(tmp_path / "pipe.csv"),
        str(tmp_path),
        "/dev/zero",
        "/etc/passwd",
        "gone.csv",
        "x" * 5000,
        "a\0.csv",
        "~nobody/a.csv",
    )
    for said in meant:
        with pytest.raises(DataError):
            attach_path(task, said, now=NOW)


# --- what it answers ------------------------------------------------------------------------------------------------------------


def test_the_file_answers_its_own_questions(task):
    done = upload(task)
    resources, labels = task.answers().resources, task.answers().task.labels
    assert (resources.labelled_rows, resources.data_format, resources.class_balance) == (90, "csv", "balanced")
    assert resources.data_path == "raw/信件.csv" and labels == list(WORDS)
    assert set(done.filled) == {
        "resources.labelled_rows", "resources.data_format", "resources.class_balance", "resources.data_path", "task.labels",
    }  # fmt: skip


def test_what_a_person_has_answered_stays_and_the_contradiction_is_found(task):
    save_answer(task, "resources.labelled_rows", Held(500), seen=OPEN)
    save_answer(task, "resources.class_balance", Held("unknown", assumed=True), seen=OPEN)
    upload(task)
    answers, now = task.answers(), attached(task)
    assert answers.resources.labelled_rows == 500 and answers.resources.class_balance == "balanced"
    assert list(contradictions(answers, findings_of(task, now, inspect(now)))) == ["resources.labelled_rows"]


def test_all_rows_or_the_usable_ones_are_both_a_fair_answer(task):
    upload(task, sheet() + sheet().split("\n")[1] + "\n")
    now = attached(task)
    found = findings_of(task, now, inspect(now))
    assert found["resources.labelled_rows"].value == 90
    assert found["resources.labelled_rows"].agrees_with(91) and not found["resources.labelled_rows"].agrees_with(500)


def test_a_second_file_answers_anew_what_the_first_had_answered(task):
    upload(task)
    save_answer(task, "resources.class_balance", Held("skewed"), seen=Held("balanced"))
    done = upload(task, sheet(60), "新的.csv")
    resources = task.answers().resources
    assert (resources.labelled_rows, resources.data_path, resources.class_balance) == (60, "raw/新的.csv", "skewed")
    assert done.kept is not None and done.kept.name == "data_source.yaml.before"


# --- columns --------------------------------------------------------------------------------------------------------------------


def test_a_correction_is_written_to_the_folder_and_followed_by_the_look(task):
    upload(task)
    before = inspect(attached(task))
    mapping = chosen_mapping(before, "備註", ["主旨"], "類別")
    assert correct_columns(task, mapping, seen=before.mapping, now=NOW)
    seen, found = inspect(attached(task)), look(task)
    assert seen.mapping == {"title": "主旨", "text": "備註", "label": "類別"} and beside_columns(seen) == ["主旨"]
    assert found.text_columns == ("備註", "主旨") and found.label_column == "類別"
    assert source_of(task).merge.deduplication.fields == ["title", "text"]


def test_two_people_correcting_columns_are_told(task):
    upload(task)
    seen = inspect(attached(task))
    assert correct_columns(task, chosen_mapping(seen, "備註", [], "類別"), seen=seen.mapping, now=NOW)
    assert not correct_columns(task, chosen_mapping(seen, "主旨", [], "類別"), seen=seen.mapping, now=NOW)
    assert attached(task).text_columns == ("備註",)


def test_rows_of_one_value_are_kept_together_from_the_next_split_on(task):
    upload(task, "文字,客戶,類別\n" + "".join(f"第{n}句話是這樣說的,客戶{n // 4},{'好壞'[n % 2]}\n" for n in range(80)))
    assert keep_together(task, "客戶", seen=None, now=NOW) and attached(task).group_by == "客戶"
    assert not keep_together(task, "文字", seen=None, now=NOW), "somebody else has chosen meanwhile"
    seen = inspect(attached(task))
    assert correct_columns(task, seen.mapping, seen=seen.mapping, now=NOW) and attached(task).group_by == "客戶"
    build_data(task.folder, source_of(task), sketch(["text"], ["好", "壞"]), now=NOW)
    parts = {part: {int(row.input["text"][1:-7]) // 4 for row in read_rows(task.data_folder / f"{part}.jsonl")} for part in PARTS}
    assert all(parts.values()) and not parts["train"] & parts["test"] and not parts["train"] & parts["valid"]
    assert keep_together(task, None, seen="客戶", now=NOW) and source_of(task).split.group_by is None


def test_a_group_written_by_hand_as_a_field_stays_when_columns_are_corrected(task):
    upload(task)
    seen = inspect(attached(task))
    correct_columns(task, chosen_mapping(seen, "信件內容", ["主旨"], "類別"), seen=seen.mapping, now=NOW)
    path = task.folder / "data_source.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("group_by: text", "group_by: title"), encoding="utf-8")
    seen = inspect(attached(task))
    assert correct_columns(task, chosen_mapping(seen, "備註", ["主旨"], "類別"), seen=seen.mapping, now=NOW)
    assert source_of(task).split.group_by == "title"


def test_a_chosen_group_does_not_let_one_text_stand_on_both_sides(task):
    lines = "".join(f"這是第{n % 30}個說法,門市{n},客戶{n % 7},{'好壞'[n % 2]}\n" for n in range(120))
    upload(task, "文字,門市,客戶,類別\n" + lines)
    seen = inspect(attached(task))
    correct_columns(task, chosen_mapping(seen, "文字", ["門市"], "類別"), seen=seen.mapping, now=NOW)
    assert source_of(task).split.group_by == "text", "by itself, once something stands beside the text"
    rows = [Row(str(n), {"text": f"這是第{n % 30}個說法", "門市": f"{n}"}, "好") for n in range(60)]
    groups = groups_of(rows, None, {row.id: f"客戶{row.id}" for row in rows})
    assert len(groups) == 30 and all(len(group) == 2 for group in groups)
    assert keep_together(task, "客戶", seen="text", now=NOW) and attached(task).group_by == "客戶"
    assert keep_together(task, None, seen="客戶", now=NOW) and source_of(task).split.group_by == "text", "as it was"


def test_answers_from_the_file_follow_a_corrected_label_column(task):
    upload(task, "文字,情感,急迫\n" + "".join(f"第{n}句話是這樣說的,{'好壞'[n % 2]},{'高低'[n % 5 == 0]}\n" for n in range(40)))
    seen = inspect(attached(task))
    other = "急迫" if seen.mapping["label"] == "情感" else "情感"
    correct_columns(task, chosen_mapping(seen, "文字", [], other), seen=seen.mapping, now=NOW)
    assert set(task.answers().task.labels) == set("高低" if other == "急迫" else "好壞")


@pytest.mark.parametrize(
    ("column", "field"), [("公司", "entity"), ("標題", "title"), ("備註", "備註"), ("a b", "a_b"), ("1", "column_1")]
)
def test_a_further_column_gets_a_name_the_template_can_use(task, column, field):
    upload(task, sheet().replace("備註", column, 1))
    mapping = chosen_mapping(inspect(attached(task)), "信件內容", [column], "類別")
    assert mapping[field] == column and field.isidentifier()


def test_a_column_used_twice_is_found():
    assert doubled_column({"text": "a", "label": "a"}) == "a" and doubled_column({"text": "a", "label": "b"}) is None


def test_a_source_with_several_files_is_left_to_its_writer(task):
    upload(task)
    path = task.folder / "data_source.yaml"
    source = source_of(task)
    second = source.sources[0].model_copy(update={"name": "second"})
    from training.data.source import data_source_to_yaml

    path.write_text(data_source_to_yaml(source.model_copy(update={"sources": [source.sources[0], second]})), encoding="utf-8")
    with pytest.raises(DataError):
        correct_columns(task, {"text": "備註"}, seen=dict(attached(task).mapping), now=NOW)
    with pytest.raises(DataError):
        keep_together(task, "主旨", seen=None, now=NOW)


# --- the look -------------------------------------------------------------------------------------------------------------------


def test_no_file_and_a_file_that_is_gone_have_no_look(task):
    assert look(task) is None and attached(task) is None
    done = upload(task)
    done.path.unlink()
    assert look(task) is None and not attached(task).is_there


def test_a_file_that_became_unreadable_is_said_in_words(task):
    upload(task).path.write_bytes(b"")
    with pytest.raises(CoachError):
        look(task)


def test_a_given_test_part_is_counted(task):
    upload(task)
    (task.folder / "raw" / "test.csv").write_text(sheet(33), encoding="utf-8")
    from training.data.source import data_source_to_yaml

    source = source_of(task)
    split = source.split.model_copy(update={"test_file": "raw/test.csv"})
    (task.folder / "data_source.yaml").write_text(
        data_source_to_yaml(source.model_copy(update={"split": split})), encoding="utf-8"
    )
    assert look(task).facts.test_rows == 33


def test_the_command_line_looks_with_the_corrected_columns(task, capsys):
    upload(task)
    seen = inspect(attached(task))
    correct_columns(task, chosen_mapping(seen, "備註", [], "類別"), seen=seen.mapping, now=NOW)
    path = str(task.folder / "answers.yaml")
    assert main(["recommend", path, "--data", str(task.folder / "raw" / "信件.csv")], "zh-TW") == EXIT_OK
    assert "備註" in capsys.readouterr().out
    assert main(["recommend", path, "--data", str(task.folder / "raw" / "信件.csv"), "--text", "主旨"], "zh-TW") == EXIT_OK
    assert "主旨" in capsys.readouterr().out


# --- what the confirmed task makes of it ----------------------------------------------------------------------------------------


def confirm(task, **said):
    for key, value in said.items():
        save_answer(task, f"task.{key}", Held(value), seen=OPEN)
    answers, found = task.answers(), look(task)
    plan = recommend(answers, found.facts, this_machine())
    drafted = draft(answers, plan, name=task.name, look=found, document="answers.yaml", now=NOW)
    return write_first_files(drafted, task.file_path, now=NOW)


def test_corrected_columns_reach_task_yaml_and_the_rows(task):
    upload(task)
    seen = inspect(attached(task))
    correct_columns(task, chosen_mapping(seen, "備註", ["主旨"], "類別"), seen=seen.mapping, now=NOW)
    assert confirm(task).source_existed
    assert task.file.placeholders == ["title", "text"] and source_of(task).sources[0].mapping["text"] == "備註"
    report = build_data(task.folder, source_of(task), task.file, now=NOW)
    assert sum(report.counts.values()) == 90
    row = json.loads((task.folder / "data" / "train.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert "備註" in row["input"]["text"] and "主旨" in row["input"]["title"]


def test_a_json_answer_said_later_still_finds_its_column(task):
    upload(task)
    written = confirm(task, output="JSON，intent 為三類之一")
    assert not written.source_existed
    assert source_of(task).sources[0].mapping == {"text": "信件內容", "intent": "類別"}
    assert sum(build_data(task.folder, source_of(task), task.file, now=NOW).counts.values()) == 90


def test_an_entity_described_later_is_added_where_the_file_has_it(task):
    upload(task, sheet().replace("備註", "公司", 1))
    confirm(task, input="一封信與一個公司名稱")
    assert source_of(task).sources[0].mapping == {"entity": "公司", "text": "信件內容", "label": "類別"}
    assert task.file.placeholders == ["entity", "text"]


def test_a_source_written_by_hand_that_fits_is_left_as_it_is(task):
    upload(task)
    path = task.folder / "data_source.yaml"
    by_hand = "# mine\n" + path.read_text(encoding="utf-8").replace("random_seed: 42", "random_seed: 7")
    path.write_text(by_hand, encoding="utf-8")
    assert confirm(task).source_existed and path.read_text(encoding="utf-8") == by_hand


def test_another_file_for_a_confirmed_task_is_read_by_its_template(task):
    upload(task)
    confirm(task, output="JSON，intent 為三類之一")
    upload(task, sheet(60, "編號,主旨,內文,備註,intent"), "新的.csv")
    assert source_of(task).sources[0].mapping == {"text": "內文", "intent": "intent"}
    assert sum(build_data(task.folder, source_of(task), task.file, now=NOW).counts.values()) == 60


# --- answers that are the file's follow the file --------------------------------------------------------------------------------

TEAMS = ("billing", "shipping", "technical")


def messages():
    rows = [f"message number {n} says something else,note {'abc'[n % 3]},{TEAMS[n % 3]}" for n in range(120)]
    return "\n".join(["message,agent_note,team", *rows, "one more message,note a,teh shipping"]) + "\n"


def read_as(task, label):
    seen = inspect(attached(task))
    assert correct_columns(task, chosen_mapping(seen, "message", [], label), seen=seen.mapping, now=NOW)
    now = attached(task)
    return contradictions(task.answers(), findings_of(task, now, inspect(now)))


def test_the_label_column_is_the_one_whose_values_the_first_sentence_names(task):
    save_answer(task, "business.problem", Held("route each to billing, shipping or technical"), seen=OPEN)
    upload(task, messages())
    assert attached(task).label_column == "team" and not inspect(attached(task)).is_doubtful


def test_answers_the_file_gave_follow_every_correction_and_nothing_is_put_into_a_persons_mouth(task):
    upload(task, messages())
    for label, labels, balance in (("agent_note", 3, "balanced"), ("team", 4, "skewed"), ("agent_note", 3, "balanced")):
        assert read_as(task, label) == {}
        answers = task.answers()
        assert (answers.resources.labelled_rows, len(answers.task.labels), answers.resources.class_balance) == (
            121,
            labels,
            balance,
        )
    assert set(answers.from_file) >= {"task.labels", "resources.labelled_rows", "resources.class_balance"}


def test_rows_follow_a_label_that_a_person_takes_out(task):
    upload(task, messages())
    read_as(task, "team")
    save_answer(task, "task.labels", Held(list(TEAMS)), seen=Held(task.answers().task.labels))
    assert "task.labels" not in task.answers().from_file
    assert follow_file(task) and not follow_file(task)
    assert task.answers().resources.labelled_rows == 120 and task.answers().task.labels == list(TEAMS)


def test_a_column_with_none_of_the_tasks_labels_gives_no_rows(task):
    save_answer(task, "task.labels", Held(list(TEAMS)), seen=OPEN)
    upload(task, messages())
    assert task.answers().resources.labelled_rows == 120
    assert list(read_as(task, "agent_note")) == ["task.labels"]
    assert task.answers().resources.labelled_rows is None and task.answers().resources.class_balance is None


def test_what_a_person_typed_otherwise_stays_through_corrections(task):
    upload(task, messages())
    save_answer(task, "resources.labelled_rows", Held(500), seen=Held(task.answers().resources.labelled_rows))
    assert list(read_as(task, "team" if attached(task).label_column != "team" else "agent_note")) == ["resources.labelled_rows"]
    assert task.answers().resources.labelled_rows == 500
