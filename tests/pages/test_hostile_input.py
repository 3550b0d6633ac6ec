"""What nobody writes by accident, and some do on purpose: the pages stay calm, and nothing that was typed acts as anything but text."""

from __future__ import annotations

import ast
import json
from types import SimpleNamespace

import pytest

from coach.answers import Answers
from coach.figures import Figure
from coach.overrides import read_overrides
from coach.sentence import sentence
from coach.workspace import create_task
from pages.ui import choice_controls, figure_row, prose, session, yaml_editor
from pages.ui.sheet import Sheet
from tests.pages.conftest import LANGUAGES, as_read, words
from tests.pages.test_rules import ON_PAGES, name_of, tree

ANSWERS = {
    "title": "新聞情感",
    "business": {"problem": "輿情監控"},
    "task": {"type": "classification", "language": "zh-TW", "labels": ["正面", "負面", "中立"]},
    "resources": {"labelled_rows": 500, "gpu": "none"},
    "success": {"primary_metric": "macro_f1", "threshold": 0.8},
}


@pytest.fixture
def task(workspace):
    return create_task(workspace, "news", answers=Answers.model_validate(ANSWERS))


# --- Markdown ------------------------------------------------------------------------------------------------------------------


def test_the_value_of_a_figure_is_no_markdown(monkeypatch):
    drawn = []
    monkeypatch.setattr(figure_row.st, "metric", lambda *given, **_: drawn.append(given))
    hostile = "![](//a.bc/d)"
    label = sentence("advice.plain", said=hostile)
    figure_row.figure_row(SimpleNamespace(language="en"), [Figure(label, hostile, label)])  # type: ignore[arg-type]
    assert [as_read(part) for part in drawn[0]] == [hostile, hostile]
    assert all(part == prose.plain(hostile) for part in drawn[0])


def test_every_number_on_a_page_is_escaped_as_a_whole():
    """All three arguments of st.metric are Markdown: each is what prose.plain gave, here or a line above."""
    found = 0
    for path in ON_PAGES:
        for function in ast.walk(tree(path)):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [
                node for node in ast.walk(function) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".metric")
            ]
            source = ast.unparse(function)
            for call in calls:
                for given in call.args:
                    said = ast.unparse(given)
                    found += 1
                    assert "prose.plain(" in said or (f"{said}, " in source and "prose.plain(said) for said in" in source), (
                        name_of(path)
                    )
    assert found >= 5


@pytest.mark.parametrize("name", ["內文_2026", "price ($)", "a*b*c"])
def test_columns_in_a_box_have_the_names_they_have_in_the_file(workspace, open_page, name):
    task = create_task(workspace, "mail", answers=Answers.model_validate({"task": {"type": "classification"}}))
    rows = [f"這是第{n}封信的內容,另一則{n},{'甲乙'[n % 2]}" for n in range(40)]
    content = "\n".join([f"{name},備_註,類別", *rows]) + "\n"
    at = open_page("1_discover.py", task)
    at.get_by_key("mail.discover.topic").set_value("file").run()
    at.file_uploader("mail.discover.upload.0").upload("信.csv", content.encode(), "text/csv").run()
    assert not at.exception
    assert name in at.get_by_key("mail.discover.column.text").options
    assert "備_註" in at.get_by_key("mail.discover.column.beside").options


# --- half a surrogate ----------------------------------------------------------------------------------------------------------


def test_half_a_surrogate_from_the_browser_is_replaced_there_too(monkeypatch):
    kept = {"x": Sheet("a: 1\n", "a: 1\n", "f"), "x.editor": {"typed": {"text": "a: \ud800\n", "turn": 0}}}
    monkeypatch.setattr(session, "widget_value", lambda key, default=None: kept.get(key, default))
    monkeypatch.setattr(session, "put_widget_value", kept.__setitem__)
    yaml_editor._take_typed("x")
    assert kept["x"].text == "a: \ufffd\n" and kept["x"].turn == 1
    kept["x.editor"] = {"typed": {"text": "a: 2\n", "turn": 1}}
    yaml_editor._take_typed("x")
    assert kept["x"].text == "a: 2\n" and kept["x"].turn == 1, "a sound text leaves the cursor alone"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["2_goal.py", "4_confirm.py"])
def test_an_editor_outlives_half_a_surrogate(page, language, finished_task, open_page, monkeypatch):
    at = open_page(page, finished_task, language)
    key = f"{finished_task.name}.{page[2:-3]}.yaml"
    sheet = at.session_state[key]
    kept = {key: sheet, f"{key}.editor": {"typed": {"text": "a: \ud800", "turn": sheet.turn}}}
    with monkeypatch.context() as patched:
        patched.setattr(session, "widget_value", lambda key, default=None: kept.get(key, default))
        patched.setattr(session, "put_widget_value", kept.__setitem__)
        yaml_editor._take_typed(key)
    at.session_state[key] = kept[key]
    at.run()
    assert not at.exception and at.session_state[key].text == "a: \ufffd"


# --- numbers -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["1_discover.py", "3_recommend.py", "4_confirm.py"])
@pytest.mark.parametrize("said", ["resources:\n  labelled_rows: 1e300\n", "resources:\n  vram_gb: 1e300\n  gpu_count: 1e300\n"])
def test_a_number_without_measure_in_answers_yaml_is_told_with_its_limit(page, said, task, open_page):
    (task.folder / "answers.yaml").write_text(f"task: {{type: classification, labels: [a, b]}}\n{said}", encoding="utf-8")
    at = open_page(page, task, "en")
    assert not at.exception and "≤ 1" in words(at)


@pytest.mark.parametrize("page", ["3_recommend.py", "4_confirm.py"])
def test_the_largest_numbers_that_are_allowed_are_reckoned_with(page, workspace, open_page):
    largest = {"labelled_rows": 10**9, "preference_pairs": 10**9, "gpu": "local", "gpu_count": 10_000, "vram_gb": 100_000}
    said = {**ANSWERS, "business": {"deadline_weeks": 520}, "resources": largest, "needs": {"max_latency_ms": 86_400_000}}
    task = create_task(workspace, "large", answers=Answers.model_validate({**said, "versioning": {"retention": 1000}}))
    assert not open_page(page, task, "en").exception


@pytest.mark.parametrize(("field", "value"), [("epochs", "0.05"), ("alpha", "0.5")])
def test_a_value_below_what_is_offered_is_shown_as_it_stands(field, value, ready_task, open_page):
    content = ready_task.file_path.read_text(encoding="utf-8")
    lines = [f"{line.split(':')[0]}: {value}" if line.strip().startswith(f"{field}:") else line for line in content.split("\n")]
    assert lines != content.split("\n")
    ready_task.file_path.write_text("\n".join(lines), encoding="utf-8")
    at = open_page("3_recommend.py", ready_task, "en")
    shown = at.number_input(key=f"{ready_task.name}.recommend.{'lora_alpha' if field == 'alpha' else field}")
    assert not at.exception and shown.min <= shown.value == float(value), "the browser would put a value outside its bounds right"


@pytest.mark.parametrize(("choice", "value"), [("batch_size", "abc"), ("base_model", "Qwen/\x1b[31mQwen3")])
def test_a_choice_that_no_browser_offers_is_refused_in_a_sentence(choice, value, task, open_page):
    at = open_page("3_recommend.py", task, "en")
    assert choice_controls._value(choice, value) == value
    box = at.selectbox(key=f"news.recommend.{choice}")
    box.options.append(value)
    box.set_value(value).run()
    assert not at.exception and read_overrides(task) == {}


@pytest.mark.parametrize("retention", ["1e300", "99999999999999999999", "-3", "2.5"])
def test_a_number_without_measure_in_a_goals_text_leaves_its_field_open(retention, finished_task, open_page):
    path = finished_task.folder / "task_summary.yaml"
    lines = path.read_text(encoding="utf-8").split("\n")
    changed = [f"    retention: {retention}" if line.strip().startswith("retention:") else line for line in lines]
    assert changed != lines
    path.write_text("\n".join(changed), encoding="utf-8")
    at = open_page("2_goal.py", finished_task, "en")
    assert not at.exception and at.number_input(key=f"{finished_task.name}.goal.card.retention").value is None


# --- files ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("predictions.jsonl", "你好".encode("big5")),
        ("results.json", json.dumps({"primary_metric": {"name": "macro_f1", "value": 0.7}, "target": [1], "rows": 3}).encode()),
        ("data_snapshot.json", b'{"splits": ["train"]}'),
    ],
)
@pytest.mark.parametrize("page", ["5_train.py", "6_evaluate.py", "7_iterate.py", None])
def test_a_damaged_file_of_a_version_is_a_calm_page(page, name, content, finished_task, open_page):
    path = finished_task.version("v1").folder / name
    path.unlink()
    path.write_bytes(content)
    at = open_page(page, finished_task, "en")
    assert not at.exception
    read_by = {"predictions.jsonl": ("6_evaluate.py",), "results.json": (), "data_snapshot.json": ("5_train.py", "6_evaluate.py")}
    if page in read_by[name]:
        assert name in words(at)


@pytest.mark.parametrize(
    "page", ["1_discover.py", "2_goal.py", "3_recommend.py", "4_confirm.py", "5_train.py", "7_iterate.py", None]
)
def test_a_folder_called_task_yaml_is_a_calm_page(page, finished_task, open_page):
    finished_task.file_path.unlink()
    finished_task.file_path.mkdir()
    assert not open_page(page, finished_task, "en").exception
