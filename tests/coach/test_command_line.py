"""`python -m coach`, called in this process: what it prints, its exit codes, and that nothing else is printed."""

import csv
import io
import json
import random
import shutil
from pathlib import Path

import pytest
import yaml

from coach.__main__ import main
from coach.command_line import DEBUG_VARIABLE, run_command, take_language
from coach.errors import TrainingError, UserError

EXAMPLE = Path(__file__).parent.parent / "data" / "example-task"
ANSWERS = EXAMPLE / "answers.yaml"


@pytest.fixture
def coach(capsys):
    """Runs a command line and returns (exit code, stdout, stderr)."""

    def run(*arguments, environment=None):
        code = run_command(main, [str(argument) for argument in arguments], environment or {})
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def sheet(tmp_path):
    """A CSV of 240 rows in two classes that a baseline can tell apart, and answers that point at it."""
    random_ = random.Random(0)
    words = {"好": ["讚", "滿意", "推薦", "值得"], "壞": ["退貨", "失望", "太慢", "難用"]}
    path = tmp_path / "answers" / "sheet.csv"
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["編號", "留言", "標籤"])
        for number in range(240):
            label = random_.choice(list(words))
            said = "".join(random_.choices(words[label] + ["商品", "店家", "這次"], k=6))
            writer.writerow([number, f"{said}{number}號訂單", label])
    answers = {
        "task": {"name": "reviews", "type": "classification", "language": "zh-TW"},
        "resources": {"labelled_rows": 240, "data_format": "csv", "data_path": "sheet.csv", "gpu": "none"},
        "success": {"primary_metric": "macro_f1", "threshold": 0.8},
    }
    document = path.parent / "answers.yaml"
    document.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    return document


# --- shared behaviour ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--lang", "en", "ask", "hi"], ["ask", "--lang=en", "hi"], ["ask", "hi", "--lang", "en"]])
def test_the_language_switch_may_stand_anywhere(coach, arguments):
    code, out, _ = coach(*arguments)
    assert code == 0 and "Next we would like to know" in out


def test_the_language_comes_from_the_environment_and_else_is_traditional_chinese(coach):
    assert "接下來" in coach("ask", "你好")[1]
    assert "Next we" in coach("ask", "hi", environment={"LANG": "en_US.UTF-8"})[1]
    assert "接下來" in coach("ask", "hi", environment={"LANG": "en_US.UTF-8", "COACH_LANG": "zh-TW"})[1]


def test_after_two_dashes_nothing_is_a_switch():
    assert take_language(["ask", "--", "--lang", "en"], {}) == ("zh-TW", ["ask", "--", "--lang", "en"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ask"],
        ["recommend"],
        ["ask", "x", "--limit", "many"],
        ["ask", "x", "--lang", "fr"],
        ["check", "a", "b"],
        ["recommend", "a.yaml", "--data"],
        ["ask", "x", "--lang"],
        ["ask", " "],
    ],
)
def test_a_command_line_that_cannot_be_read_is_three_lines_and_two(coach, arguments):
    for language in ("zh-TW", "en"):
        code, out, err = coach(*arguments, environment={"COACH_LANG": language})
        assert code == 2 and out == "" and len(err.splitlines()) == 3


def test_help_is_in_the_language_asked_for(coach):
    assert "痛點" in coach("--help")[1] or "需求" in coach("--help")[1]
    code, out, _ = coach("--lang", "en", "recommend", "--help")
    assert code == 0 and "data file" in out


def test_what_nobody_foresaw_is_one_sentence_and_one(capsys):
    def breaks(arguments, language):
        raise RuntimeError("boom")

    assert run_command(breaks, [], {"COACH_LANG": "en"}) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "boom" in err and DEBUG_VARIABLE in err
    assert run_command(breaks, [], {DEBUG_VARIABLE: "1"}) == 1
    assert "Traceback" in capsys.readouterr().err


def test_exit_codes_tell_whose_mistake_it_was(capsys):
    def ours(arguments, language):
        raise TrainingError("command.nothing_said")

    def theirs(arguments, language):
        raise UserError("command.nothing_said")

    def stopped(arguments, language):
        raise KeyboardInterrupt

    assert [run_command(command, [], {}) for command in (ours, theirs, stopped)] == [1, 2, 130]


# --- the commands --------------------------------------------------------------------------------------------------------------


def test_ask_answers_with_one_json_document_and_nothing_else(coach):
    code, out, err = coach("ask", "F1", "只有", "72%，怎麼辦？", "--json")
    document = json.loads(out)
    assert code == 0 and err == "" and document["road"] == "diagnose" and document["score"] == 0.72
    assert {"road", "known", "next_questions", "next_command"} <= set(document)


def test_whoever_asks_which_way_gets_advice_from_what_is_known_and_what_would_change_it(coach):
    code, out, _ = coach("ask", "LoRA or full fine-tuning? 300 rows", "--json", "--lang", "en")
    advice = json.loads(out)["advice"]
    assert code == 0 and advice["method"] == "sft" and "300" in advice["headline"] and advice["source"]
    assert 1 <= len(advice["would_change"]) <= 2 and "task.type" in advice["would_change"]
    assert "LoRA" in coach("ask", "LoRA 還是 full fine-tuning？")[1].split("理由")[1]
    assert "advice" not in json.loads(coach("ask", "我想做情感分析", "--json")[1])


def test_ask_points_out_what_does_not_go_together(coach):
    few = "把信分成物流、退款、帳號、其他四類，有 20 筆標註資料"
    (said,) = json.loads(coach("ask", few, "--json")[1])["contradictions"]
    assert "50" in said and said in coach("ask", few)[1]
    assert json.loads(coach("ask", few.replace("20", "200"), "--json")[1])["contradictions"] == []


def test_summarize_gives_yaml_that_reads_back(coach):
    code, out, _ = coach("summarize", ANSWERS)
    assert code == 0 and list(yaml.safe_load(out)) == ["task_summary"]
    assert json.loads(coach("summarize", ANSWERS, "--json")[1])["task_summary"]["type"] == "classification"


def test_recommend_says_a_sentence_and_three_numbers_first(coach):
    code, out, err = coach("recommend", ANSWERS, "--lang", "en")
    lines = out.splitlines()
    assert code == 0 and err == "" and lines[0].startswith("With ") and lines[1] == ""
    assert [line.split(":")[0].strip().split()[0] for line in lines[2:5]] == ["expected", "time", "GPU"]
    assert "Source: " in out


def test_recommend_json_is_the_contract(coach):
    code, out, err = coach("recommend", ANSWERS, "--json")
    document = json.loads(out)
    assert code == 0 and err == "" and {"method", "peft", "base_model", "reasons", "forecast", "estimate"} <= set(document)


def test_a_file_narrows_the_forecast_and_is_named(coach, sheet):
    without = json.loads(coach("recommend", sheet, "--json")[1])["forecast"]
    code, out, _ = coach("recommend", sheet, "--data", sheet.parent / "sheet.csv", "--json")
    with_file = json.loads(out)["forecast"]
    assert code == 0 and with_file["high"] - with_file["low"] < without["high"] - without["low"]
    _, out, _ = coach("recommend", sheet, "--data", sheet.parent / "sheet.csv", "--lang", "en")
    assert "Looked at sheet.csv: 240 usable rows; text in 留言, label in 標籤" in out
    changes = out.split("What would change this advice")[1].split("Forecast:")[0]
    assert "only 49 rows → TF-IDF baseline\n" in changes and changes.count("\n  - ") >= 3


@pytest.mark.parametrize("command", [("recommend",), ("task",)])
def test_a_file_without_any_of_the_named_labels_is_refused_and_one_with_some_says_which_are_left_out(coach, sheet, command):
    answers = yaml.safe_load(sheet.read_text(encoding="utf-8"))
    data = ("--data", sheet.parent / "sheet.csv") if command == ("recommend",) else ()

    def with_labels(*labels):
        answers["task"]["labels"] = list(labels)
        sheet.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
        return coach(*command, sheet, *data)

    code, out, error = with_labels("物流", "退換貨")
    assert code == 2 and not out and "好" in error and "物流" in error and "task.labels" in error
    code, out, _ = with_labels("好", "退換貨")
    assert code == 0 and ("壞" in out) == (command == ("recommend",))


def test_task_without_output_prints_a_task_that_is_sound(coach, tmp_path, sheet):
    code, out, _ = coach("task", sheet)
    assert code == 0
    (tmp_path / "task.yaml").write_text(out, encoding="utf-8")
    assert coach("check", tmp_path / "task.yaml")[0] == 0
    assert json.loads(coach("task", sheet, "--json")[1])["task_name"] == "reviews"


def test_task_writes_a_whole_folder_from_answers_and_a_file(coach, tmp_path, sheet):
    code, out, _ = coach("task", sheet, "-o", tmp_path / "reviews" / "task.yaml", "--lang", "en")
    folder = tmp_path / "reviews"
    assert code == 0 and "Next: python -m coach check" in out
    task, source = (yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("task.yaml", "data_source.yaml"))
    assert task["training"]["base_model"] == "starter/gemma-3-270m"
    assert task["training"]["method"] == "baseline", "TF-IDF tells these rows apart, so it comes first"
    assert task["output_format"] == {"type": "text", "enum": ["壞", "好"]} or task["output_format"]["enum"] == sorted(
        ["好", "壞"]
    )
    assert source["sources"][0]["mapping"] == {"text": "留言", "label": "標籤"}
    assert source["sources"][0]["config"]["source_path"] == "raw/sheet.csv" and (folder / "raw" / "sheet.csv").is_file()
    assert coach("check", folder)[0] == 0


def test_a_second_task_keeps_what_stood_there_and_the_data_source(coach, tmp_path, sheet):
    folder = tmp_path / "reviews"
    coach("task", sheet, "-o", folder)
    written = (folder / "data_source.yaml").read_text(encoding="utf-8")
    (folder / "task.yaml").write_text((folder / "task.yaml").read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    code, out, _ = coach("task", sheet, "-o", folder, "--lang", "en")
    assert code == 0 and "kept" in out and (folder / "task.yaml.before").read_text(encoding="utf-8").endswith("# mine\n")
    assert (folder / "data_source.yaml").read_text(encoding="utf-8") == written
    coach("task", sheet, "-o", folder)
    assert len(list((folder / "raw").iterdir())) == 1


def test_an_entity_in_the_described_input_becomes_a_placeholder_where_the_file_has_it(coach, tmp_path, sheet):
    answers = yaml.safe_load(sheet.read_text(encoding="utf-8"))
    answers["task"] |= {"input": "一段留言與一個實體名稱", "output": "JSON，sentiment 為兩類之一"}
    sheet.write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    code, out, _ = coach("task", sheet, "-o", tmp_path / "one", "--lang", "en")
    assert code == 0 and "no column for the entity" in out
    rows = (sheet.parent / "sheet.csv").read_text(encoding="utf-8").replace("編號,", "公司,", 1)
    (sheet.parent / "sheet.csv").write_text(rows, encoding="utf-8")
    assert coach("task", sheet, "-o", tmp_path / "two")[0] == 0
    task = yaml.safe_load((tmp_path / "two" / "task.yaml").read_text(encoding="utf-8"))
    assert "{entity}" in task["input_template"] and list(task["output_format"]["schema"]) == ["sentiment"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"task": {"name": "x"}}, "task.type"),
        ({"task": {"type": "classification", "name": "x"}}, "task.labels"),
        ({"task": {"type": "classification", "labels": ["a", "b"]}}, "task.name"),
    ],
)
def test_answers_that_cannot_become_a_task_say_what_is_missing(coach, tmp_path, change, word):
    path = tmp_path / "answers.yaml"
    path.write_text(yaml.safe_dump(change), encoding="utf-8")
    code, out, err = coach("task", path, "--lang", "en")
    assert code == 2 and out == "" and word in err and len(err.splitlines()) == 3


def test_check_lists_every_fault_with_its_line(coach, tmp_path):
    wrong = (
        (EXAMPLE / "task.yaml")
        .read_text(encoding="utf-8")
        .replace("learning_rate", "lerning_rate")
        .replace("epochs:", "epochs: many #")
    )
    (tmp_path / "task.yaml").write_text(wrong, encoding="utf-8")
    code, _, err = coach("check", tmp_path / "task.yaml", "--lang", "en")
    assert code == 2 and "learning_rate" in err and err.count("line ") >= 2
    code, out, _ = coach("check", tmp_path / "task.yaml", "--json")
    document = json.loads(out)
    assert code == 2 and document["ok"] is False and all(problem["line"] for problem in document["problems"])


def test_check_of_a_sound_task_is_zero_and_a_missing_one_is_two(coach, tmp_path):
    assert coach("check", EXAMPLE / "task.yaml")[0] == 0
    assert json.loads(coach("check", EXAMPLE, "--json")[1])["ok"] is True
    assert coach("check", tmp_path / "none.yaml")[0] == 2


def test_diagnose_reads_the_example(coach):
    code, out, err = coach("diagnose", EXAMPLE, "v1", "--lang", "en")
    assert code == 0 and err == "" and out.startswith("v1: ")
    document = json.loads(coach("diagnose", EXAMPLE, "v1", "--json")[1])
    assert document["version"] == "v1" and {"verdict", "findings", "closing"} <= set(document)


def test_compare_says_what_changed(coach, tmp_path):
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    shutil.copytree(folder / "versions" / "v1", folder / "versions" / "v2")
    config = folder / "versions" / "v2" / "config.yaml"
    config.write_text(
        config.read_text(encoding="utf-8").replace("version: v1", "version: v2").replace("    r: ", "    r: 1"), encoding="utf-8"
    )
    code, out, _ = coach("compare", folder, "v1", "v2", "--lang", "en")
    assert code == 0 and "training.lora.r" in out
    document = json.loads(coach("compare", folder, "v1", "v2", "--json")[1])
    assert document["metric"] == "macro_f1" and document["config"][0]["path"] == "training.lora.r"


@pytest.fixture
def with_rules(tmp_path):
    """The example, and what a keyword list answers to five of its six test rows, one of them in words of its own."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    lines = (folder / "versions" / "v1" / "data" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [(row["id"], row["output"]["urgency"]) for row in map(json.loads, lines)][:5]
    rows[0] = (rows[0][0], "＿不清楚")
    path = tmp_path / "keywords.csv"
    path.write_text("id,predicted\n" + "".join(f"{row},{said}\n" for row, said in rows), encoding="utf-8")
    return folder, path


def test_a_version_is_compared_with_the_system_in_use(coach, with_rules):
    folder, path = with_rules
    code, out, err = coach("compare", folder, "v1", "--system", path, "--lang", "en")
    assert code == 0 and "keywords" in out and "0.520" not in out, "of five rows nobody is told to go by what was measured"
    assert "5 of 6 test rows" in err and not (folder / "systems").exists()
    document = json.loads(coach("compare", folder, "v1", "--system", path, "--json")[1])
    assert document["first"] == "keywords" and document["shared_rows"] == 5 and len(document["left_out"]) == 1
    assert document["outside"] == {"＿不清楚": 1} and document["judgement"] == "unpaired", "five rows judge nothing"


def test_a_system_that_was_kept_is_compared_by_its_name(coach, with_rules):
    folder, path = with_rules
    assert coach("compare", folder, "v1", "--system", path, "--keep")[0] == 0
    assert (folder / "systems" / "keywords.jsonl").is_file()
    assert json.loads(coach("compare", folder, "v1", "--system", "keywords", "--json")[1])["first"] == "keywords"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "--system"),
        (["v2", "--system", "keywords.csv"], "one of the two"),
        (["--system", "nowhere.csv"], "nowhere.csv"),
        (["--system", "."], "is a folder"),
        (["--system", "{path}", "--column", "gone"], "gone"),
    ],
)
def test_what_cannot_be_compared_with_a_version_is_three_lines_and_two(coach, with_rules, more, said):
    folder, path = with_rules
    code, out, err = coach("compare", folder, "v1", *(part.format(path=path) for part in more), "--lang", "en")
    assert code == 2 and out == "" and len(err.splitlines()) == 3 and said in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "{}", "v1", "v1"],
        ["compare", "{}", "v1", "v9"],
        ["diagnose", "{}", "v9"],
        ["diagnose", "{}", "../v1"],
        ["diagnose", "{}/nowhere", "v1"],
    ],
)
def test_versions_that_are_not_there_are_three_lines_and_two(coach, arguments):
    code, out, err = coach(*(argument.format(EXAMPLE) for argument in arguments))
    assert code == 2 and out == "" and len(err.splitlines()) == 3


def test_a_version_without_results_says_how_to_get_them(coach, tmp_path):
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    (folder / "versions" / "v1" / "results.json").unlink()
    code, _, err = coach("diagnose", folder, "v1", "--lang", "en")
    assert code == 2 and "python -m training run" in err


@pytest.mark.parametrize("last", ["resumed", "failed", "stopped"])
def test_results_of_an_earlier_attempt_are_not_judged(coach, tmp_path, last):
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    shutil.copytree(folder / "versions" / "v1", folder / "versions" / "v2")
    log = folder / "versions" / "v1" / "events.jsonl"
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"type": "resumed"}) + "\n" + json.dumps({"type": last}) + "\n")
        file.writelines(json.dumps({"type": "step", "loss": 0.5}) + "\n" for _ in range(5000))  # longer than one look at the end
        file.write('{"type": "finished"')  # torn
    for command in (["diagnose", folder, "v1"], ["compare", folder, "v1", "v2"], ["compare", folder, "v2", "v1"]):
        code, out, err = coach(*command, "--lang", "en")
        assert code == 2 and out == "" and len(err.splitlines()) == 3 and "has not finished" in err
    with log.open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps({"type": "finished"}) + "\n")
    assert coach("diagnose", folder, "v1")[0] == 0


def test_results_without_a_log_are_judged(coach, tmp_path):
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)
    (folder / "versions" / "v1" / "events.jsonl").unlink()
    assert coach("diagnose", folder, "v1")[0] == 0


def test_every_former_task_is_kept_under_a_name_of_its_own(coach, tmp_path, sheet):
    folder = tmp_path / "reviews"
    coach("task", sheet, "-o", folder)
    for number in (1, 2, 3):
        (folder / "task.yaml").write_text(f"# mine {number}\n", encoding="utf-8")
        assert coach("task", sheet, "-o", folder)[0] == 0
    kept = [
        (folder / name).read_text(encoding="utf-8") for name in ("task.yaml.before", "task.yaml.before-2", "task.yaml.before-3")
    ]
    assert kept == ["# mine 1\n", "# mine 2\n", "# mine 3\n"] and coach("check", folder)[0] == 0


def test_answers_are_not_overwritten_by_the_task_made_from_them(coach, sheet):
    before = sheet.read_bytes()
    code, out, err = coach("task", sheet, "-o", sheet.parent / ".." / "answers" / "answers.yaml", "--lang", "en")
    assert code == 2 and out == "" and len(err.splitlines()) == 3 and "answers file itself" in err
    assert sheet.read_bytes() == before


def test_the_next_commands_can_be_pasted_and_name_the_file(coach, tmp_path, sheet):
    target = tmp_path / "my tasks" / "second.yaml"
    _, out, _ = coach("task", sheet, "-o", target, "--lang", "en")
    assert f"python -m coach check '{target}', then python -m training run '{target}'" in out
    _, out, _ = coach("task", sheet, "-o", tmp_path / "my tasks" / "task.yaml", "--lang", "en")
    assert f"then python -m training run '{tmp_path / 'my tasks'}'" in out


def test_a_number_no_file_can_hold_is_passed_over(coach):
    code, out, _ = coach("ask", f"我有 {'9' * 400} 筆留言要分類", "--json")
    assert code == 0 and "resources.labelled_rows" not in json.loads(out)["known"]
    code, out, _ = coach("ask", f"我有 {'9' * 400} 筆，其中 500 筆有標註", "--json")
    assert code == 0 and json.loads(out)["known"]["resources.labelled_rows"] == 500


def test_figures_from_elsewhere_are_judged_beside_the_questions(coach, tmp_path, monkeypatch):
    (tmp_path / "matrix.csv").write_text(",a,b\na,50,30\nb,5,15", encoding="utf-8")
    code, out, _ = coach("ask", "F1 只有 72%，怎麼辦？", "--figures", tmp_path / "matrix.csv", "--json")
    document = json.loads(out)
    assert code == 0 and document["road"] == "diagnose" and document["diagnosis"]["verdict"]["metric"] == "macro_f1"
    assert {finding["code"] for finding in document["diagnosis"]["findings"]} == {"D02", "D06"}
    monkeypatch.setattr("sys.stdin", io.StringIO("no figures"))
    code, _, err = coach("ask", "F1 is only 72%", "--figures", "-", "--lang", "en")
    assert code == 2 and "neither a report nor a matrix" in err
