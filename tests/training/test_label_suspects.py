"""Rows whose label may be wrong: deliberately flipped ones come first, what cannot be learnt is passed over, and the file is harmless."""

import csv
import io
import random

import pytest

from coach.errors import DataError
from coach.reviews import Review
from coach.task_schema import TaskFile
from training.data.rows import Row
from training.label_suspects import FEWEST_OF_CLASS, FEWEST_ROWS, find_suspects, suspects_to_csv

TOPICS = {"sport": "match goal team win cup", "money": "bank share price market loan", "travel": "train hotel ticket beach tour"}
SHARED = "today said people year new time good first"


def task(labels=tuple(TOPICS), **output):
    return TaskFile.model_validate(
        {
            "task_name": "look",
            "language": "en",
            "input_template": "{text}",
            "output_format": output or {"type": "text", "enum": list(labels)},
            "training": {"base_model": "none", "method": "baseline"},
        }
    )


def rows(count=300, part="train"):
    chance, found = random.Random(f"{part}{count}"), []
    for n in range(count):
        label = list(TOPICS)[n % 3]
        words = chance.choices(TOPICS[label].split(), k=3) + chance.choices(SHARED.split(), k=6)
        found.append(Row(f"{part}-{n:03d}", {"text": " ".join(words)}, label))
    return found


def flipped(found, count):
    """The same rows, `count` of them with another label; and their ids."""
    chosen = {row.id for row in random.Random(5).sample(found, count)}
    labels = list(TOPICS)
    wrong = [Row(row.id, row.input, labels[(labels.index(row.output) + 1) % 3]) if row.id in chosen else row for row in found]
    return wrong, chosen


def test_of_the_flipped_labels_nine_in_ten_are_listed_and_hardly_another_row():
    parts, chosen = {}, set()
    for part, count in (("train", 300), ("valid", 60), ("test", 60)):
        parts[part], ids = flipped(rows(count, part), count // 20)
        chosen |= ids
    found = find_suspects(parts, task(), None)
    shown = {row.id for row in found.shown}
    assert found.rows == 420 and len(shown) <= 21
    assert len(shown & chosen) >= 0.9 * len(chosen) and len(shown - chosen) <= 3
    assert {row.part for row in found.shown} == {"train", "valid", "test"}


def test_the_label_proposed_is_the_one_that_was_flipped_away():
    wrong, chosen = flipped(rows(), 15)
    right = {row.id: row.output for row in rows()}
    found = [row for row in find_suspects({"train": wrong}, task(), None).shown if row.id in chosen]
    assert found and sum(row.proposed == right[row.id] for row in found) >= 0.9 * len(found)
    assert all(row.proposed != row.given and 0 < row.probability <= 1 for row in found)


def test_the_greatest_loss_comes_first_and_a_second_look_says_the_same():
    wrong, _ = flipped(rows(), 15)
    first, second = (find_suspects({"train": wrong}, task(), None) for _ in range(2))
    assert first == second
    losses = [row.loss for row in first.found]
    assert losses == sorted(losses, reverse=True) and all(loss > 0 for loss in losses)


def test_clean_rows_that_are_easily_learnt_give_hardly_a_strong_suspect():
    found = find_suspects({"train": rows()}, task(), None)
    assert found.agreement > 0.97 and sum(row.strong for row in found.found) <= 3
    wrong, chosen = flipped(rows(), 15)
    strong = {row.id for row in find_suspects({"train": wrong}, task(), None).found if row.strong}
    assert len(strong & chosen) >= 10 and len(strong - chosen) <= 3


def test_a_class_too_small_to_be_learnt_is_passed_over_and_named():
    rare = [Row(f"rare-{n}", {"text": f"volcano eruption {n}"}, "nature") for n in range(FEWEST_OF_CLASS - 1)]
    found = find_suspects({"train": [*rows(), *rare]}, task([*TOPICS, "nature"]), None)
    assert found.passed_over == {"nature": FEWEST_OF_CLASS - 1} and found.rows == 300
    assert not any(row.id.startswith("rare") for row in found.found)


def test_a_slot_of_a_json_answer_is_looked_at_by_its_name():
    schema = {"topic": {"type": "string", "enum": list(TOPICS)}, "size": {"type": "string", "enum": ["a", "b"]}}
    wrong, chosen = flipped(rows(), 15)
    made = [Row(row.id, row.input, {"size": "a", "topic": row.output}) for row in wrong]
    found = find_suspects({"train": made}, task(type="json", schema=schema), "topic")
    assert len({row.id for row in found.shown} & chosen) >= 13


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (rows(FEWEST_ROWS - 2), "data.suspects_few_rows"),
        ([], "data.suspects_few_rows"),
        ([Row(str(n), {"text": f"word{n}"}, "sport") for n in range(80)], "data.one_class"),
        ([Row(str(n), {"text": "！？"}, list(TOPICS)[n % 3]) for n in range(80)], "data.suspects_no_words"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_three_sentences(given, key):
    with pytest.raises(DataError) as refused:
        find_suspects({"train": given}, task(), None)
    assert refused.value.key == key
    assert all("{" not in line for language in ("zh-TW", "en") for line in refused.value.lines(language))


def test_a_task_without_classes_is_refused():
    with pytest.raises(DataError, match="no fixed set"):
        find_suspects({"train": rows()}, task(type="text"), None)


def test_many_rows_may_be_drawn_from_and_give_the_same_each_time():
    wrong, _ = flipped(rows(), 15)
    first, second = (find_suspects({"train": wrong}, task(), None, at_most=120) for _ in range(2))
    assert first == second and first.rows == 120


def test_the_file_has_the_marks_and_runs_no_formula():
    wrong, _ = flipped(rows(), 15)
    armed = [Row(row.id, {"text": "=1+1 " + row.input["text"]}, row.output) for row in wrong]
    found = find_suspects({"train": armed}, task(), None).shown
    review = Review(found[0].id, None, "label_wrong", found[0].given, found[0].proposed)
    written = suspects_to_csv(found, None, ["text"], {review.key: review})
    head, *body = csv.reader(io.StringIO(written.removeprefix("\ufeff")))
    assert head == ["id", "part", "text", "given", "proposed", "probability", "loss", "mark", "new_label"]
    assert all(line[2].startswith("'=") for line in body) and len(body) == len(found)
    assert body[0][-2:] == ["label_wrong", found[0].proposed] and body[1][-2:] == ["", ""]
