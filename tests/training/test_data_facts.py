"""A look at a person's file: rows, classes, lengths and the baseline's score, and files that do not allow one."""

import random

import pytest

from coach.answers import Answers
from coach.errors import DataError
from training.data.read import read_table
from training.data_facts import look_at_file, look_at_table

WORDS = {"好": "滿意推薦", "壞": "失望退貨"}


def answers(**task):
    return Answers.model_validate({"task": {"type": "classification", **task}})


def sheet(path, rows, header="內文,標註"):
    path.write_text("\n".join([header, *(f"{text},{label}" for text, label in rows)]) + "\n", encoding="utf-8")
    return path


def separable(count=60):
    return [(f"{WORDS[label]}第{number}號", label) for number in range(count) for label in [list(WORDS)[number % 3 == 0]]]


def test_rows_classes_lengths_and_baseline_are_found(tmp_path):
    look = look_at_file(sheet(tmp_path / "a.csv", separable()), answers())
    assert look.facts.rows == 60 and look.facts.class_counts == {"好": 40, "壞": 20} and look.labels == ("好", "壞")
    assert (look.text_columns, look.label_column) == (("內文",), "標註")
    assert look.facts.baseline_macro_f1 == pytest.approx(1.0) and look.facts.baseline_accuracy == pytest.approx(1.0)
    assert 5 < look.facts.median_chars < 12


def test_labels_that_follow_nothing_give_a_baseline_near_chance(tmp_path):
    random_ = random.Random(1)
    rows = [(f"第{number}句說了些無關的話", random_.choice("甲乙")) for number in range(80)]
    assert look_at_file(sheet(tmp_path / "a.csv", rows), answers()).facts.baseline_accuracy < 0.75


def test_the_same_file_gives_the_same_facts(tmp_path):
    path = sheet(tmp_path / "a.csv", separable())
    assert look_at_file(path, answers()) == look_at_file(path, answers())


def test_repeats_and_contradictions_are_counted_and_left_out(tmp_path):
    rows = [*separable(), separable()[0], (separable()[1][0], "壞")]
    look = look_at_file(sheet(tmp_path / "a.csv", rows), answers())
    assert look.facts.repeated_rows == 1 and look.facts.conflicting_rows == 2 and look.facts.rows == 59


def test_labels_outside_the_answers_do_not_count(tmp_path):
    rows = [*separable(), ("不知道的一句話", "其他")]
    assert look_at_file(sheet(tmp_path / "a.csv", rows), answers(labels=["好", "壞"])).facts.rows == 60


@pytest.mark.parametrize(
    "rows", [[(f"文字{n}", "好") for n in range(30)], [(f"文字{n}", "好") for n in range(30)] + [("唯一", "壞")], separable(6)]
)
def test_rows_that_allow_no_folds_have_no_baseline(tmp_path, rows):
    facts = look_at_file(sheet(tmp_path / "a.csv", rows), answers()).facts
    assert facts.baseline_macro_f1 is None and facts.rows == len(rows)


def test_columns_can_be_named_and_a_wrong_name_is_refused(tmp_path):
    path = sheet(
        tmp_path / "a.csv", [(f"{text},{number}", label) for number, (text, label) in enumerate(separable())], "內文,號碼,標註"
    )
    assert look_at_file(path, answers(), text=["內文"], label="標註").text_columns == ("內文",)
    with pytest.raises(DataError):
        look_at_file(path, answers(), text=["沒有這欄"])


def test_a_task_without_labels_has_rows_and_lengths_only(tmp_path):
    facts = look_at_file(sheet(tmp_path / "a.csv", separable()), Answers.model_validate({"task": {"type": "generation"}})).facts
    assert facts.rows == 60 and facts.class_counts == {} and facts.baseline_macro_f1 is None and facts.median_chars


def test_an_empty_or_missing_file_is_said_in_words(tmp_path):
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    for name in ("empty.csv", "none.csv"):
        with pytest.raises(DataError):
            look_at_file(tmp_path / name, answers())


# --- rows that say nearly the same ----------------------------------------------------------------------------------------------


def written(templates, times, seed=5):
    """Lines of a file: sentences of letters drawn at random, each written `times` with another number."""
    letters = random.Random(seed)
    lines = []
    for place in range(templates):
        words = "".join(chr(letters.randrange(0x4E00, 0x9000)) for _ in range(14))
        lines += [f"{words}，訂單 {letters.randrange(10**5)},{list(WORDS)[place % 2]},{place}" for _ in range(times)]
    return lines


def facts_of(tmp_path, lines, **given):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["text,label,template", *lines]) + "\n", encoding="utf-8")
    return look_at_table(read_table(path), answers(), text=["text"], label="label", **given).facts


def test_rows_written_after_templates_are_counted_and_scored_apart(tmp_path):
    alike = facts_of(tmp_path, written(30, 8))
    assert alike.alike_rows == alike.compared_rows > 200
    assert alike.baseline_apart is not None and alike.baseline_apart < alike.baseline_macro_f1 - 0.2
    single = facts_of(tmp_path, written(200, 1))
    assert single.alike_rows == 0 and single.baseline_apart is None and single.compared_rows == 200


def test_a_group_that_leaves_like_wordings_apart_does_not_silence_them(tmp_path):
    lines = [f"{line.rsplit(',', 1)[0]},{place % 20}" for place, line in enumerate(written(30, 8))]
    facts = facts_of(tmp_path, lines, group_by="template")
    assert facts.alike_rows == facts.compared_rows > 200 and facts.baseline_apart < facts.baseline_macro_f1 - 0.2


def test_rows_of_one_group_stay_in_one_fold(tmp_path):
    whole, grouped = (facts_of(tmp_path, written(30, 8), group_by=name) for name in (None, "template"))
    assert grouped.baseline_macro_f1 < whole.baseline_macro_f1 - 0.2
    assert grouped.baseline_curve and grouped.baseline_curve[-1].macro_f1[0] < whole.baseline_macro_f1 - 0.2
    assert grouped.baseline_apart is None and grouped.alike_rows == 0, "they are apart already"
    by_field = facts_of(tmp_path, written(30, 8), mapping={"kind": "template"}, group_by="kind")
    assert by_field.baseline_macro_f1 == grouped.baseline_macro_f1
    assert facts_of(tmp_path, written(30, 8), group_by="nowhere").baseline_macro_f1 == whole.baseline_macro_f1
