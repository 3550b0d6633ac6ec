"""Stage 4's page: the whole task.yaml, checked as one types; saved with its comments; started once, or a reason why not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from coach.answers import Answers
from coach.metric_words import metric_name
from coach.text import text
from coach.workspace import Task, create_task
from tests.pages.conftest import LANGUAGES, ROOT, numbers, words
from tests.specification import TASK_YAML

PAGE = "4_confirm.py"


@pytest.fixture
def started(monkeypatch) -> list[str]:
    """Names of the tasks a training was asked for; nothing is trained."""
    import training.starting

    asked: list[str] = []

    def start(task: Task, now, **_):
        asked.append(task.name)
        return training.starting.version_to_train(task, now).version

    monkeypatch.setattr(training.starting, "start_training", start)
    monkeypatch.setattr("pages.ui.start_box.start_training", start)
    return asked


def write(at, task, content: str):
    """What the editor's component does when a person has typed: the sheet of this browser holds it, and the page runs."""
    key = f"{task.name}.confirm.yaml"
    at.session_state[key] = replace(at.session_state[key], text=content)
    return at.run()


def held(at, task) -> str:
    return at.session_state[f"{task.name}.confirm.yaml"].text


def button(at, task, name: str):
    return at.button(key=f"{task.name}.confirm.{name}")


@pytest.fixture
def common(workspace) -> Task:
    """The common example: two placeholders, a JSON answer, a remote machine, a model from the hub; no data."""
    (workspace / "common").mkdir()
    (workspace / "common" / "task.yaml").write_text(TASK_YAML, encoding="utf-8")
    return Task.open(workspace / "common")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_answers_there_is_no_draft_and_the_page_says_where_to_go(empty_task, language, open_page):
    at = open_page(PAGE, empty_task, language)
    assert not at.exception
    assert text("ui.confirm.said.no_draft", language) in words(at)
    assert not at.get("bidi_component")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_task_yaml_the_draft_of_the_answers_is_shown_and_can_be_saved_before_there_are_data(
    partial_task, language, open_page
):
    at = open_page(PAGE, partial_task, language)
    assert not at.exception
    assert text("ui.confirm.said.draft", language) in words(at)
    assert text("ui.confirm.closed.no_data", language) in words(at)
    assert button(at, partial_task, "start").disabled
    assert not partial_task.has_file, "opening the page writes nothing"
    button(at, partial_task, "save").click().run()
    assert not at.exception
    assert partial_task.file.targets == {None: ["退款", "物流", "其他"]}
    assert partial_task.file_bytes().decode() == held(at, partial_task)
    assert text("ui.confirm.saved", language) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sound_task_says_what_will_happen_and_what_it_takes(ready_task, language, open_page):
    at = open_page(PAGE, ready_task, language)
    assert not at.exception
    rows, _, target = numbers(at)
    assert (rows, target) == ("24", "0.80")
    assert not button(at, ready_task, "start").disabled
    assert text("ui.confirm.said.target", language, metric=metric_name("macro_f1", language), threshold=0.8) in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_common_example_shows_what_is_missing_at_its_lines(common, language, open_page):
    at = open_page(PAGE, common, language)
    assert not at.exception
    said = words(at)
    remote = text("problems.remote_not_built", language, host="user@gpu-server")
    line = TASK_YAML[: TASK_YAML.index("type: remote_ssh")].count("\n") + 1
    assert text("problems.at_line", language, line=line, path="execution.type", said=remote) in said
    model = {"model": "Qwen/Qwen3-4B", "starter": "starter/gemma-3-270m"}
    assert text("problems.model_from_hub", language, **model) in said
    assert text("ui.confirm.said.also_no_data", language) in said
    assert button(at, common, "start").disabled
    assert held(at, common) == TASK_YAML


def test_the_common_example_can_start_with_the_starter_model_here_once_there_are_data(common, started, open_page):
    rows = [{"id": f"r{i}", "input": {"entity": "台積電", "text": f"第 {i} 則"}, "output": {"sentiment": label}}
            for i, label in enumerate(["正面", "負面", "中立"] * 4)]  # fmt: skip
    (common.folder / "data").mkdir()
    for part in ("train", "valid", "test"):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (common.folder / "data" / f"{part}.jsonl").write_text(lines, encoding="utf-8")
    at = open_page(PAGE, common, "zh-TW")
    mended = TASK_YAML.replace("Qwen/Qwen3-4B", "starter/gemma-3-270m").replace(
        "  type: remote_ssh\n  host: user@gpu-server", "  type: local"
    )
    write(at, common, mended)
    assert not button(at, common, "start").disabled
    button(at, common, "start").click().run()
    assert not at.exception
    assert started == ["common"]
    assert common.file_path.read_text(encoding="utf-8") == mended, "saved as it was written, comments too"
    assert common.version("v1").config.training.base_model == "starter/gemma-3-270m"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("content", ["task_name: [", "\ttask: 1", "", "- a", "task_name：x\n", "a: *b\n"])
def test_bad_yaml_is_a_remark_with_what_to_do_and_no_traceback(ready_task, content, language, open_page):
    at = open_page(PAGE, ready_task, language)
    write(at, ready_task, content)
    assert not at.exception
    assert text("ui.editor.grade.error", language) in words(at)
    assert text("ui.confirm.closed.error", language, count=1) in words(at)
    assert button(at, ready_task, "start").disabled
    assert not button(at, ready_task, "save").disabled, "half-finished work can be kept"


def test_every_problem_is_listed_the_grave_ones_first(ready_task, open_page):
    at = open_page(PAGE, ready_task, "en")
    content = held(at, ready_task).replace("epochs: 2", "epochs: 40").replace("v1", "version one").replace("macro_f1", "bleu")
    write(at, ready_task, content)
    said = words(at)
    assert said.index("version one") < said.index("40 epochs") and said.index("bleu") < said.index("40 epochs")


def test_comments_stay_when_a_choice_beside_the_editor_changes_the_text(ready_task, open_page):
    written = "# ours\n" + ready_task.file_path.read_text(encoding="utf-8") + "# the end\n"
    ready_task.file_path.write_text(written, encoding="utf-8")
    at = open_page(PAGE, ready_task, "en")
    at.radio(key="letters.confirm.isolation").set_value("process").run()
    assert held(at, ready_task) == written.replace("isolation: thread", "isolation: process")
    button(at, ready_task, "save").click().run()
    assert ready_task.file.execution.isolation == "process"
    assert ready_task.file_path.read_text(encoding="utf-8").startswith("# ours\n")


def test_start_freezes_the_version_once_and_turns_to_the_training(ready_task, started, open_page):
    at = open_page(PAGE, ready_task, "en")
    button(at, ready_task, "start").click().run()
    assert not at.exception
    assert started == ["letters"]
    assert [version.name for version in ready_task.versions()] == ["v1"]


def test_a_start_that_is_refused_says_why_and_the_page_stays(ready_task, started, open_page):
    at = open_page(PAGE, ready_task, "en")
    (ready_task.folder / "data" / "valid.jsonl").write_text("", encoding="utf-8")
    button(at, ready_task, "start").click().run()
    assert not at.exception
    assert text("errors.data.no_valid_part.todo", "en") in words(at)
    assert button(at, ready_task, "start")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finished_version_offers_the_next_one_and_keeps_the_text(finished_task, language, open_page):
    at = open_page(PAGE, finished_task, language)
    assert not at.exception
    before = held(at, finished_task)
    assert text("ui.confirm.said.finished", language, version="v1", following="v2") in words(at)
    assert not any(shown.key == "entity-sentiment.confirm.start" for shown in at.button)
    button(at, finished_task, "next_version").click().run()
    assert held(at, finished_task) == before.replace("version: v1", "version: v2")
    assert not button(at, finished_task, "start").disabled


def test_a_running_version_is_not_offered_to_be_started_again(ready_task, open_page):
    from filelock import FileLock

    from coach.workspace import freeze_version
    from tests.conftest import NOW

    version = freeze_version(ready_task, "v1", NOW)
    with FileLock(version.lock_path):
        at = open_page(PAGE, ready_task, "en")
    assert not at.exception
    assert text("ui.confirm.said.running", "en", version="v1", following="v2") in words(at)
    assert not any(shown.key == "letters.confirm.start" for shown in at.button)


def test_a_frozen_version_that_never_ran_can_start_and_says_that_edits_do_not_count(ready_task, open_page):
    from coach.workspace import freeze_version
    from tests.conftest import NOW

    freeze_version(ready_task, "v1", NOW)
    at = open_page(PAGE, ready_task, "en")
    assert text("ui.confirm.frozen", "en", version="v1", following="v2") in words(at)
    assert not button(at, ready_task, "start").disabled


def test_two_people_saving_keep_both_texts(ready_task, open_page):
    mine, theirs = open_page(PAGE, ready_task, "en"), open_page(PAGE, ready_task, "en")
    base = held(mine, ready_task)
    write(mine, ready_task, base + "# mine\n")
    write(theirs, ready_task, base + "# theirs\n")
    button(theirs, ready_task, "save").click().run()
    button(mine, ready_task, "save").click().run()
    assert ready_task.file_path.read_text(encoding="utf-8").endswith("# theirs\n")
    assert text("ui.editor.conflict.title", "en", name="task.yaml") in words(mine)
    assert held(mine, ready_task).endswith("# mine\n")
    assert any(shown.value.endswith("# theirs") or shown.value.endswith("# theirs\n") for shown in mine.code)
    assert button(mine, ready_task, "save").disabled and button(mine, ready_task, "start").disabled
    mine.button(key="letters.confirm.yaml.load").click().run()
    assert held(mine, ready_task).endswith("# theirs\n")


def test_the_licence_is_shown_before_the_starter_model_is_first_used(common, tmp_path, monkeypatch, open_page):
    monkeypatch.setenv("COACH_CACHE", str(tmp_path / "no-cache"))
    (common.folder / "data").mkdir()
    for part in ("train", "valid", "test"):
        row = {"id": "r", "input": {"entity": "a", "text": "b"}, "output": {"sentiment": "正面"}}
        (common.folder / "data" / f"{part}.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    at = open_page(PAGE, common, "en")
    licence = text("cli.training.licence", "en")
    assert licence not in [info.value for info in at.info]
    write(at, common, TASK_YAML.replace("Qwen/Qwen3-4B", "starter/gemma-3-270m").replace("type: remote_ssh", "type: local"))
    assert licence in [info.value for info in at.info]


def test_a_file_that_is_not_utf8_is_a_calm_page(ready_task, open_page):
    ready_task.file_path.write_bytes("任務: 一".encode("big5"))
    at = open_page(PAGE, ready_task, "en")
    assert not at.exception
    assert text("errors.document.not_utf8.todo", "en") in words(at)


def test_what_people_wrote_is_shown_letter_by_letter(ready_task, open_page):
    hostile = "![x](http://127.0.0.1:9/a.png)"
    at = open_page(PAGE, ready_task, "en")
    write(at, ready_task, held(at, ready_task).replace("version: v1", f"version: '{hostile}'"))
    assert not at.exception
    shown = [str(element.value) for element in [*at.markdown, *at.caption]]
    shown += [text_ for known in at.button for text_ in (known.label, known.help or "")]
    assert not any("![x](" in said for said in shown)


def test_opening_both_pages_imports_nothing_heavy(finished_task):
    task = finished_task.name
    code = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('app.py', default_timeout=30); at.run()\n"
        "for page in ('2_goal.py', '4_confirm.py'):\n"
        f"    at.switch_page('pages/' + page); at.query_params['task'] = {task!r}; at.run()\n"
        "    assert not at.exception and len(at.metric) == 3\n"
        "print(sorted(set(sys.modules) & {'torch', 'transformers', 'trl', 'peft', 'datasets'}))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("[]")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_baseline_is_never_said_to_be_on_a_model_and_its_numbers_are_said_to_have_no_effect(workspace, language, open_page):
    from tests.pages.judged_versions import make_task

    at = open_page(PAGE, make_task(workspace / "base", method="baseline"), language)
    said = words(at)
    assert (
        not at.exception
        and {"zh-TW": "這一版不訓練語言模型", "en": "no language model is trained in this version"}[language] in said
    )
    assert {"zh-TW": "都不作用", "en": "have no effect"}[language] in said and "TF-IDF baseline on starter" not in said


@pytest.fixture
def mails(workspace) -> Task:
    """An attached file of three classes, one of them a single row; no task.yaml yet."""
    said = {"type": "classification", "language": "en", "labels": ["billing", "account", "tech"]}
    answers = {"task": said, "success": {"threshold": 0.8}, "resources": {"data_path": "raw/mails.csv", "gpu": "none"}}
    task = create_task(workspace, "mails", answers=Answers.model_validate(answers))
    rows = [f"mail number {i} about {i * 7},{'billing' if i % 2 else 'account'}" for i in range(60)]
    (task.folder / "raw").mkdir()
    lines = "\n".join(["text,label", *rows, "the screen stays dark,tech"])
    (task.folder / "raw" / "mails.csv").write_text(lines + "\n", encoding="utf-8")
    return task


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_taken_out_is_said_to_leave_its_rows_out_and_the_count_follows(mails, language, open_page):
    at = open_page(PAGE, mails, language)
    assert not at.exception
    small = text("warnings.tiny_classes", language, count=1, classes="tech (1)")
    assert small in words(at)
    before = int(numbers(at)[0])
    write(at, mails, held(at, mails).replace("    - tech\n", ""))
    said = words(at)
    assert not at.exception and text("comments.labels_left_out", language, count=1, labels="tech (1)") in said
    assert small not in said and int(numbers(at)[0]) == before - 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_already_made_are_said_to_keep_a_label_that_is_taken_out(ready_task, language, open_page):
    counts = dict.fromkeys(ready_task.file.targets[None], 20) | {"中立": 2}
    version = json.dumps({"version": "2026-11-23-001", "class_distribution": counts}, ensure_ascii=False)
    (ready_task.data_folder / "data_version.yaml").write_text(version, encoding="utf-8")
    at = open_page(PAGE, ready_task, language)
    assert not at.exception
    assert text("comments.labels_still_in_data", language, count=2, labels="中立 (2)") in words(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_a_broken_text_the_data_are_still_said_as_they_are(mails, language, open_page):
    at = open_page(PAGE, mails, language)
    write(at, mails, "training: [")
    said = words(at)
    assert text("ui.confirm.data.to_build", language) in said and text("ui.confirm.data.ready", language) not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_goal_that_has_changed_is_said_on_three_pages_and_put_into_the_text_with_one_click(ready_task, language, open_page):
    ready_task.file_path.write_text("# mine\n" + ready_task.file_path.read_text(encoding="utf-8"), encoding="utf-8")
    said = ready_task.file.success_criteria
    success = {"primary_metric": said.primary_metric, "threshold": 0.91}
    ready_task.save_answers(Answers.model_validate({"success": success}))
    differs = text("ui.confirm.goal.threshold", language, answered="0.91", written=f"{said.threshold:g}")
    assert differs in words(open_page("3_recommend.py", ready_task, language))
    at = open_page(PAGE, ready_task, language)
    assert differs in words(at) and "0.91" in words(at)
    at = button(at, ready_task, "goal.take").click().run()
    assert not at.exception and "threshold: 0.91" in held(at, ready_task) and held(at, ready_task).startswith("# mine")
    assert differs not in words(at)


def test_every_part_of_the_goal_that_differs_is_said_and_put_in_as_it_stands_at_the_click(ready_task, open_page):
    success = {"primary_metric": "accuracy", "threshold": 0.704, "baseline_name": "SVM", "baseline_score": 0.66}
    ready_task.save_answers(Answers.model_validate({"success": success}))
    at = open_page(PAGE, ready_task)
    assert all(word in words(at) for word in ("0.704", "SVM", "0.66"))
    ready_task.save_answers(Answers.model_validate({"success": {**success, "threshold": 0.6}}))
    at = button(at, ready_task, "goal.take").click().run()
    written = yaml.safe_load(held(at, ready_task))["success_criteria"]
    assert not at.exception and written["baseline"] == {"name": "SVM", "score": 0.66}
    assert (written["primary_metric"], written["threshold"]) == ("accuracy", 0.6)


@pytest.mark.parametrize("content", ["a: [", "version: v1"])
def test_a_damaged_task_file_leaves_the_goal_page_as_it_is(ready_task, content, open_page):
    ready_task.save_answers(Answers.model_validate({"success": {"primary_metric": "macro_f1", "threshold": 0.9}}))
    ready_task.file_path.write_text(content, encoding="utf-8")
    at = open_page("2_goal.py", ready_task)
    assert not at.exception and not at.error and any(".goal.confirm" in (found.key or "") for found in at.button)


def test_what_was_assumed_of_the_goal_does_not_differ(ready_task, open_page):
    answers = Answers.model_validate({"success": {"threshold": 0.91}, "assumed": ["success.threshold"]})
    ready_task.save_answers(answers)
    assert text("ui.confirm.goal.take") not in [button.label for button in open_page(PAGE, ready_task).button]


def test_the_next_version_does_not_begin_with_what_was_said_of_the_last(finished_task, open_page):
    content = finished_task.file_path.read_text(encoding="utf-8").replace(
        "task_type:", "change: {parent: v0, statement: another rate}\ntask_type:", 1
    )
    finished_task.file_path.write_text(content, encoding="utf-8")
    at = open_page(PAGE, finished_task)
    at = button(at, finished_task, "next_version").click().run()
    assert not at.exception and "another rate" not in held(at, finished_task) and "version: v2" in held(at, finished_task)
