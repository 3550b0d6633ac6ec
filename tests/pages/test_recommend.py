"""Stage 3 as a person meets it: advice at every state of a task, reasons with sources, choosing otherwise, taking the plan."""

from __future__ import annotations

import json

import pytest

from coach.advised import advise
from coach.answers import Answers
from coach.hardware import Hardware
from coach.metric_words import metric_name
from coach.overrides import read_overrides
from coach.plan_cards import cards, figures
from coach.text import text
from coach.verdict import judge
from coach.workspace import Task, create_task
from tests.pages.conftest import LANGUAGES, numbers, words
from tests.pages.judged_versions import every, finish, make_task
from tests.training.topic_rows import rows as topic_rows
from training.attached_file import look as attached_look

PAGE = "3_recommend.py"
ANSWERS = {
    "title": "新聞情感",
    "business": {"problem": "輿情監控"},
    "task": {"type": "classification", "language": "zh-TW", "labels": ["正面", "負面", "中立"]},
    "resources": {"labelled_rows": 500, "gpu": "none"},
    "success": {"primary_metric": "macro_f1", "threshold": 0.8, "baseline_score": 0.65},
}


@pytest.fixture
def task(workspace) -> Task:
    return create_task(workspace, "news", answers=Answers.model_validate(ANSWERS))


def key(task: Task, field: str) -> str:
    return f"{task.name}.recommend.{field}"


def epochs(at, task: Task):
    """The control, whose key is another one once its value was changed from elsewhere."""
    return next(found for found in at.number_input if found.key.startswith(key(task, "epochs")))


def state(task: Task):
    return advise(task, None, Hardware())


def say(name: str, language: str, **data: object) -> str:
    return text(f"ui.recommend.{name}", language, **data)


def pressed(at, task, field):
    return at.button(key=key(task, field)).click().run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plan_stands_there_with_sentence_numbers_reasons_sources_and_path(language, task, open_page):
    at = open_page(PAGE, task, language)
    found, said = state(task), words(at)
    assert not at.exception
    assert found.plan.headline.say(language) in said and len(at.metric) == 3
    for card in cards(found):
        assert say(f"card.{card.name}", language) in said
        assert all(advice.because.say(language) in said for advice in card.reasons)
    assert "LoRA Without Regret" in said and all(warning.say(language) in said for warning in found.plan.warnings)
    assert all(other.option.say(language) in said for other in found.plan.alternatives)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_way_taken_is_bold_with_a_tick_and_the_others_are_struck_out(language, task, open_page):
    at = open_page(PAGE, task, language)
    shown = [element.value.replace("\\", "") for element in at.markdown]
    (path,) = [said for said in shown if "check_circle" in said and "r=16" in said]
    taken = next(line for line in path.split("\n") if "check_circle" in line)
    assert "**" in taken and "~~" not in taken
    assert path.count("~~") >= 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_without_answers_gets_advice_and_is_told_which_answers_would_change_it(language, empty_task, open_page):
    at = open_page(PAGE, empty_task, language)
    assert not at.exception
    take = at.button(key=key(empty_task, "take"))
    assert take.disabled and take.help
    from coach.interview import load_questions

    asked = {question.key: question.ask[language] for question in load_questions()}
    assert asked["resources.labelled_rows"] in words(at) and asked["resources.gpu"] in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_task_shows_where_its_task_yaml_differs_and_that_versions_are_frozen(language, finished_task, open_page):
    at = open_page(PAGE, finished_task, language)
    found = state(finished_task)
    assert not at.exception and found.otherwise
    assert all(say(f"choice.{choice}", language) in words(at) for choice in found.otherwise)
    assert say("taken.frozen", language, versions="v1") in words(at)


def test_a_choice_made_otherwise_is_kept_in_the_folder_and_judged_and_seen_in_another_browser(task, open_page):
    at = open_page(PAGE, task, "en")
    at.selectbox(key=key(task, "learning_rate")).select("1e-5").run()
    assert not at.exception and read_overrides(task) == {"learning_rate": pytest.approx(1e-5)}
    assert "1e-5 is low for LoRA" in words(at) and text("opinion.level.risk", "en") in words(at)
    other = open_page(PAGE, task, "zh-TW")
    assert "1e-5 對 LoRA 偏低" in words(other)
    assert other.selectbox(key=key(task, "learning_rate")).value == "1e-5"


def test_the_way_back_takes_the_coachs_value(task, open_page):
    at = open_page(PAGE, task, "en")
    at.number_input(key=key(task, "epochs")).set_value(9).run()
    assert read_overrides(task) == {"epochs": 9}
    pressed(at, task, "back.epochs")
    assert read_overrides(task) == {} and epochs(at, task).value == 3
    assert epochs(at, task).key != key(task, "epochs"), "a closed popover's widget would send its former value back"


def test_somebody_elses_choice_made_meanwhile_is_told_and_shown(task, open_page):
    first, second = open_page(PAGE, task, "en"), open_page(PAGE, task, "en")
    first.number_input(key=key(task, "epochs")).set_value(5).run()
    second.number_input(key=key(task, "epochs")).set_value(9).run()
    assert read_overrides(task)["epochs"] == 5
    assert "Somebody has just changed epochs to 5" in words(second)
    assert epochs(second, task).value == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_taking_the_plan_writes_task_yaml_with_ones_own_choices_and_goes_on(language, task, open_page):
    at = open_page(PAGE, task, language)
    at.selectbox(key=key(task, "learning_rate")).select("1e-5").run()
    pressed(at, task, "take")
    assert task.file.training.learning_rate == pytest.approx(1e-5) and task.file.task_name == "news"
    assert not at.exception and read_overrides(task) == {}


def test_a_choice_in_a_taken_plan_changes_task_yaml_and_keeps_the_comments(task, open_page):
    pressed(open_page(PAGE, task, "en"), task, "take")
    task.file_path.write_text(
        task.file_path.read_text(encoding="utf-8").replace("training:", "# 我的註解\ntraining:"), encoding="utf-8"
    )
    at = open_page(PAGE, task, "en")
    at.selectbox(key=key(task, "method")).select("dpo").run()
    assert task.file.training.method == "dpo" and "# 我的註解" in task.file_path.read_text(encoding="utf-8")
    assert text("opinion.level.not_yet", "en") in words(at)
    at.number_input(key=key(task, "epochs")).set_value(9).run()
    pressed(at, task, "all_back")
    assert state(task).otherwise == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_attached_files_rows_count_and_their_class_names_are_plain_text(language, workspace, open_page):
    document = {**ANSWERS, "resources": {"labelled_rows": 40, "gpu": "none", "data_path": "raw/rows.csv"}}
    document["task"] = {"type": "classification", "language": "en"}
    task = create_task(workspace, "marked", answers=Answers.model_validate(document))
    labels = ["![x](http://e.test/x.png)", "<b>plain</b>"]
    rows = [f"word{number} number {number * 7},{labels[number % 4 == 0]}" for number in range(240)]
    (task.folder / "raw").mkdir()
    (task.folder / "raw" / "rows.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    at = open_page(PAGE, task, language)
    assert not at.exception and "240" in words(at)
    drawn = [shown.value for shown in [*at.markdown, *at.caption] if "e\\.test" in shown.value or "e.test" in shown.value]
    assert drawn and all("![x]" not in said and "<b>" not in said for said in drawn)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_more_rows_would_bring_is_said_and_drawn_from_the_persons_own_rows(language, workspace, open_page):
    document = {**ANSWERS, "task": {"type": "classification", "language": "en"}}
    document["resources"] = {"gpu": "none", "data_path": "raw/rows.csv"}
    task = create_task(workspace, "own", answers=Answers.model_validate(document))
    lines = [f"{' '.join(row.input.values())},{row.output}" for row in topic_rows(150)]
    (task.folder / "raw").mkdir()
    (task.folder / "raw" / "rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    at = open_page(PAGE, task, language)
    look = attached_look(task)
    growth = advise(task, look.facts, Hardware()).forecast.growth
    assert not at.exception and len(look.facts.baseline_curve) == 5 and len(growth.points) >= 5
    assert all(said.say(language) in words(at) for said in growth.said)
    (band, curve) = (json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart"))
    assert "log" in json.dumps(curve) and "log" not in json.dumps(band)


def test_a_file_that_cannot_be_read_is_told_and_the_advice_goes_by_the_answers(workspace, open_page):
    document = {**ANSWERS, "resources": {**ANSWERS["resources"], "data_path": "raw/rows.xlsx"}}
    task = create_task(workspace, "broken", answers=Answers.model_validate(document))
    (task.folder / "raw").mkdir()
    (task.folder / "raw" / "rows.xlsx").write_bytes(b"no sheet")
    at = open_page(PAGE, task, "en")
    assert not at.exception and len(at.metric) == 3 and "500 labelled rows" in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_is_gone_is_told_and_the_advice_goes_by_the_answers(language, workspace, open_page):
    answers = {**ANSWERS, "resources": {**ANSWERS["resources"], "data_path": "raw/moved.csv"}}
    task = create_task(workspace, "news", answers=Answers.model_validate(answers))
    at = open_page(PAGE, task, language)
    assert not at.exception and [found.value for found in at.info if "moved" in found.value]
    there = create_task(workspace, "other", answers=Answers.model_validate(ANSWERS))
    assert all("link_off" not in found.icon for found in open_page(PAGE, there, language).info)


def test_a_damaged_task_yaml_is_a_calm_page(task, open_page):
    task.file_path.write_text("training: [", encoding="utf-8")
    at = open_page(PAGE, task, "en")
    assert not at.exception and text("ui.frame.expected", "en", said="")[:8] in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_has_been_measured_meanwhile_is_said(language, workspace, open_page):
    task = make_task(workspace / "judged", rows=60)
    assert "0.556" not in words(open_page(PAGE, task, language))
    finish(task, "v1", every(3))
    at = open_page(PAGE, task, language)
    metric, value = metric_name("macro_f1", language), judge(task.version("v1").results()).value
    versions = say("measured.version", language, version="v1", metric=metric, value=value)
    assert not at.exception and say("measured.said", language, versions=versions) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_the_baseline_comes_first_the_time_is_said_to_be_the_second_versions(language, workspace):
    document = {**ANSWERS, "resources": {"labelled_rows": 150, "gpu": "none"}}
    found = state(create_task(workspace, "few", answers=Answers.model_validate(document)))
    assert found.chosen.method == "baseline" and found.trains
    assert figures(found, language)[1].note.key == "ui.recommend.figure.second_version"
    assert figures(found, language)[1].note.say(language)


def test_more_epochs_in_task_yaml_take_more_time(ready_task, open_page):
    def shown(epochs: float) -> str:
        file = ready_task.file
        training = file.training.model_copy(update={"epochs": epochs, "base_model": "starter/gemma-3-270m"})
        ready_task.save_file(file.model_copy(update={"training": training}))
        return numbers(open_page(PAGE, ready_task, "en"))[1]

    assert shown(5.0) != shown(50.0)
