"""`python -m coach …`: the road from a first sentence to a judged version, without a browser (contract: design.md section 7).

Parses, calls, prints. What a command does is a function elsewhere that a page calls too. The one module of `coach` that may call
`training`, inside functions.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.command_line import EXIT_OK, EXIT_USER, print_json, print_lines, run_command
from coach.command_parser import build_parser
from coach.text import Language, text

if TYPE_CHECKING:
    from coach.answers import Answers
    from coach.comparison import Judged
    from coach.plan import Plan
    from coach.situation import Look
    from coach.workspace import Task

Runner = Callable[[argparse.Namespace, Language], int]


def ask(arguments: argparse.Namespace, language: Language) -> int:
    """Which road a first sentence is on, what it tells, what to ask next; with figures, what they show."""
    from coach.ask_lines import ask_document, ask_lines, diagnosis_of
    from coach.interview import understand

    said = understand(" ".join(arguments.sentence))
    found = diagnosis_of(arguments.figures, said) if arguments.figures is not None else None
    if arguments.json:
        print_json(ask_document(said, language, arguments.limit, found))
    else:
        print_lines(ask_lines(said, language, arguments.limit, found))
    return EXIT_OK


def summarize(arguments: argparse.Namespace, language: Language) -> int:
    """The task summary of the answers, as YAML (or the same as JSON)."""
    from coach.task_summary import summarize as summary_of
    from coach.task_summary import summary_to_yaml

    summary = summary_of(_answers(arguments.answers), language)
    if arguments.json:
        print_json({"task_summary": summary.model_dump(mode="json", exclude_none=True)})
    else:
        print_lines([summary_to_yaml(summary).rstrip("\n")])
    return EXIT_OK


def recommend(arguments: argparse.Namespace, language: Language) -> int:
    """The plan for the answers, with a look at the data file where one is given."""
    from coach.plan_lines import lines_here, look_lines

    answers = _answers(arguments.answers)
    look = _look(answers, Path(arguments.data), arguments) if arguments.data else None
    plan = _plan(answers, look)
    if arguments.json:
        print_json(plan.as_json(language))
        return EXIT_OK
    print_lines(look_lines(look, answers, language) if look else [])
    print_lines(lines_here(plan, language, answers, look.facts if look else None))
    return EXIT_OK


def task(arguments: argparse.Namespace, language: Language) -> int:
    """task.yaml for confirmation; written into a folder with -o, else printed."""
    from coach.errors import UserError
    from coach.task_file import task_to_yaml
    from training.first_folder import refuse_target, write_first_files
    from training.plan_to_task import draft_with

    answers, document = _answers(arguments.answers), Path(arguments.answers)
    if answers.task.type is None:
        raise UserError("command.no_task_type", name=document.name)
    target = _task_path(arguments.output) if arguments.output else None
    if target:
        refuse_target(target, document)
    data_path = document.parent / answers.resources.data_path if answers.resources.data_path else None
    look = _look(answers, data_path, arguments) if data_path else None
    plan, now = _plan(answers, look), datetime.now().astimezone().replace(microsecond=0)
    name = _task_name(answers, target, document)
    drafted = draft_with(answers, plan, None, name=name, look=look, document=document.name, now=now)
    if target is None:
        if arguments.json:
            print_json(drafted.task.model_dump(mode="json", by_alias=True, exclude_none=True))
        else:
            print_lines([task_to_yaml(drafted.task, language).rstrip("\n")])
        return EXIT_OK
    written = write_first_files(drafted, target, now=now)
    problems = _remarks(target)
    if arguments.json:
        print_json(
            {
                "task": str(target),
                "data_source": str(written.source_path) if written.source_path else None,
                "mapping": drafted.mapping,
                "kept": str(written.kept) if written.kept else None,
                "problems": [problem.as_json() for problem in problems],
            }
        )
        return EXIT_OK
    print_lines(_written_lines(drafted, written, problems, language))
    return EXIT_OK


def check(arguments: argparse.Namespace, language: Language) -> int:
    """Every problem of a task.yaml at once; 2 where one of them is an error."""
    from coach.hardware import this_machine
    from coach.judgement_lines import remark_lines
    from coach.problems import errors_in, refuse
    from coach.task_file import check_task_document
    from coach.yaml_document import read_document

    path = _task_path(arguments.task_file)
    _, problems = check_task_document(read_document(path), folder=path.parent, hardware=this_machine())
    faults = errors_in(problems)
    if arguments.json:
        said = [{**problem.as_json(), "sentence": problem.sentence(language)} for problem in problems]
        print_json({"path": str(path), "ok": not faults, "problems": said})
        return EXIT_USER if faults else EXIT_OK
    remarks = [problem for problem in problems if problem not in faults]
    key = "remarks" if faults else "sound" if remarks else "clean"
    if remarks or not faults:
        print_lines(
            [text(f"cli.coach.check.{key}", language, path=str(path), count=len(remarks)), *remark_lines(remarks, language)]
        )
    refuse("task.problems", faults, name=str(path))
    return EXIT_OK


def compare(arguments: argparse.Namespace, language: Language) -> int:
    """Two versions side by side, or one and the system in use today, with a judgement and its uncertainty."""
    from coach.comparison import compare as compare_versions
    from coach.errors import UserError
    from coach.history import entry_of
    from coach.judgement_lines import comparison_lines
    from coach.looks import looked_often
    from coach.workspace import Task

    opened = Task.open(Path(arguments.task_folder))
    if (arguments.second is None) == (arguments.system is None):
        raise UserError("command.compare_what", version=arguments.first)
    if arguments.system is not None:
        from training.system_command import compare_system

        return compare_system(opened, _judged(opened, arguments.first), arguments, language)
    if arguments.first == arguments.second:
        known = ", ".join(version.name for version in opened.versions()) or "—"
        raise UserError("command.same_version", version=arguments.first, known=known)
    first, second = (_judged(opened, name) for name in (arguments.first, arguments.second))
    found = compare_versions(first, second, seed=first.config.training.seed)
    entries = [entry_of(version) for version in opened.versions()]
    luck = looked_often(entries, next(entry for entry in entries if entry.name == second.name))
    if arguments.json:
        print_json({**found.as_json(language), "looks": luck.say(language) if luck else None})
    else:
        print_lines([*comparison_lines(found, language), *(["", luck.say(language)] if luck else [])])
    return EXIT_OK


def diagnose(arguments: argparse.Namespace, language: Language) -> int:
    """The verdict on a version and what may lie behind it."""
    from coach.diagnosis import diagnose as diagnose_version
    from coach.judgement_lines import diagnosis_lines
    from coach.workspace import Task
    from training.evidence import evidence_on, look_at_copies, look_at_labels

    version = Task.open(Path(arguments.task_folder)).version(arguments.version)
    results = _results(version, arguments.task_folder)
    looked = look_at_labels(version, results), look_at_copies(version)
    found = diagnose_version(evidence_on(version, results, *looked))
    if arguments.json:
        print_json({"version": version.name, **found.as_json(language)})
    else:
        print_lines(diagnosis_lines(version.name, found, language))
    return EXIT_OK


_RUNNERS: dict[str, Runner] = {
    "ask": ask,
    "summarize": summarize,
    "recommend": recommend,
    "task": task,
    "check": check,
    "compare": compare,
    "diagnose": diagnose,
}


def main(argv: Sequence[str], language: Language) -> int:
    arguments = build_parser(language).parse_args(argv)
    return _RUNNERS[arguments.command](arguments, language)


def _answers(path: str) -> Answers:
    from coach.answers import read_answers

    return read_answers(Path(path))


def _look(answers: Answers, path: Path, arguments: argparse.Namespace) -> Look:
    from coach.plan_lines import refuse_unnamed_labels
    from training.attached_file import look_in

    look = look_in(Path(arguments.answers).parent, answers, path, text=arguments.text or (), label=arguments.label)
    return refuse_unnamed_labels(look, answers)


def _plan(answers: Answers, look: Look | None) -> Plan:
    from coach.hardware import this_machine
    from coach.recommendation import recommend as recommend_plan

    return recommend_plan(answers, look.facts if look else None, this_machine())


def _task_path(said: str) -> Path:
    """`DIR` and `DIR/task.yaml` both mean the file."""
    path = Path(said).expanduser()
    return path / "task.yaml" if path.is_dir() or path.suffix.lower() not in (".yaml", ".yml") else path


def _task_name(answers: Answers, target: Path | None, document: Path) -> str:
    """The answers' name, else the folder's where it can be one. Raises UserError where there is neither."""
    from coach.errors import UserError
    from coach.task_schema import SLUG_PATTERN

    folder = target.absolute().parent.name if target else ""
    if answers.task.name or re.fullmatch(SLUG_PATTERN, folder):
        return answers.task.name or folder
    raise UserError("command.no_name", name=document.name)


def _remarks(path: Path) -> list[Any]:
    from coach.hardware import this_machine
    from coach.task_file import check_task_document
    from coach.yaml_document import read_document

    return check_task_document(read_document(path), folder=path.parent, hardware=this_machine())[1]


def _written_lines(drafted: Any, written: Any, problems: Sequence[Any], language: Language) -> list[str]:
    from coach.judgement_lines import written_lines

    return written_lines(drafted.task, drafted.mapping, drafted.entity_left_out, written, problems, language)


def _results(version: Any, task_folder: str) -> dict[str, Any]:
    from shlex import quote

    from coach.errors import WorkspaceError
    from coach.last_attempt import results_are_of_the_last_attempt

    results = version.results()
    if results is None:
        raise WorkspaceError("command.no_results", version=version.name, path=str(version.results_path), task=quote(task_folder))
    if not results_are_of_the_last_attempt(version.events_path):
        raise WorkspaceError(
            "command.not_finished", version=version.name, path=str(version.results_path), task=quote(task_folder)
        )
    return results  # type: ignore[no-any-return]


def _judged(opened: Task, name: str) -> Judged:
    from coach.comparison import judged

    version = opened.version(name)
    return judged(version, _results(version, str(opened.folder)))


if __name__ == "__main__":
    sys.exit(run_command(main, sys.argv[1:]))
