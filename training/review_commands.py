"""`python -m training suspects | mark | correct`: doubtful labels listed, marked and put right, as on the evaluation page.

Owns what is printed. The work is done by the modules that pages call too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Any

from coach.command_line import EXIT_OK, print_json, print_lines
from coach.errors import DataError, UserError
from coach.reviews import MARKS, Reviews, mark_row, read_reviews, unmark_row
from coach.task_schema import TaskFile
from coach.text import Language, text
from coach.version_folder import SPLITS
from coach.workspace import Task
from training.clock import local_now
from training.data.rows import find_rows
from training.data.split import label_of
from training.new_version import prepare_data

NO_MARK = "none"
SAID = (*MARKS, NO_MARK)
MOST_LETTERS = 60  # of a row's text, in a line
ALL_ROWS = 10**9


def suspects(arguments: argparse.Namespace, language: Language) -> int:
    from training.label_suspects import suspects_in, suspects_of

    task = Task.open(Path(arguments.task))
    version = task.version(arguments.version) if arguments.version else None
    target = _target(version.config if version else task.file, arguments.target)
    if version is None:
        prepare_data(task, local_now())
    found = suspects_of(version, target) if version else suspects_in(task, target)
    reviews = read_reviews(task.folder)
    if arguments.json:
        rows = [{**asdict(row), "mark": _mark(reviews, row.id, target)} for row in found.shown]
        print_json({"rows": found.rows, "agreement": found.agreement, "passed_over": found.passed_over, "suspects": rows})
        return EXIT_OK
    print_lines([_say("head", language, rows=found.rows, agreement=found.agreement, count=len(found.shown))])
    for row in found.shown:
        words = " ".join(" ".join(row.inputs.values()).split())[:MOST_LETTERS]
        part, mark = text(f"audit.build.part.{row.part}", language), _mark(reviews, row.id, target) or ""
        values = {"given": row.given, "proposed": row.proposed, "probability": row.probability}
        print_lines([_say("row", language, id=row.id, part=part, mark=mark, words=words, **values)])
    print_lines([_say("next", language, task=quote(arguments.task))])
    return EXIT_OK


def mark(arguments: argparse.Namespace, language: Language) -> int:
    task = Task.open(Path(arguments.task))
    target = _target(task.file, arguments.target)
    key = (arguments.row, target)
    stands = read_reviews(task.folder).get(key)
    if arguments.mark == NO_MARK:
        unmark_row(task, key, seen=stands)
    else:
        given, labels = _carried(task, arguments.row, target), task.file.targets[target]
        mark_row(task, key, arguments.mark, arguments.label, given=given, labels=labels, seen=stands, now=local_now())
    count = len(read_reviews(task.folder))
    if arguments.json:
        print_json({"id": arguments.row, "mark": None if arguments.mark == NO_MARK else arguments.mark, "marked": count})
        return EXIT_OK
    said = "unmarked" if arguments.mark == NO_MARK else "marked"
    print_lines([text(f"cli.training.{said}", language, id=arguments.row, mark=arguments.mark, count=count)])
    return EXIT_OK


def correct(arguments: argparse.Namespace, language: Language) -> int:
    from training.corrected_data import correct_data

    task = Task.open(Path(arguments.task))
    made = correct_data(task, local_now(), leave_out_ambiguous=arguments.leave_out_ambiguous)
    if arguments.json:
        print_json(
            {"data_version": made.version, "labels": dict(made.labels), "left_out": made.left_out, "missing": made.missing}
        )
    else:
        print_lines(made.lines(language))
    return EXIT_OK


def _say(name: str, language: Language, **data: Any) -> str:
    return text(f"cli.training.suspects.{name}", language, **data)


def _target(task: TaskFile, named: str | None) -> str | None:
    """The slot that is meant. Raises DataError where there are no classes, UserError for a name that is none of them."""
    targets = list(task.targets)
    if not targets:
        raise DataError("data.suspects_no_classes")
    if named is not None and named not in targets:
        raise UserError("reviews.no_such_target", target=named, known=", ".join(map(str, filter(None, targets))) or "—")
    return named if named is not None else targets[0]


def _carried(task: Task, row_id: str, target: str | None) -> str:
    """The label the row carries: in `data/`, else in the latest version that has it. Raises UserError for an id nobody knows."""
    for path in _files(task):
        if row := find_rows(path, {row_id}, within=ALL_ROWS).get(row_id):
            return label_of(row, target)
    raise UserError("reviews.no_such_row", id=row_id, task=quote(str(task.folder)))


def _files(task: Task) -> Iterator[Path]:
    yield from (task.data_folder / f"{part}.jsonl" for part in SPLITS)
    for version in reversed(task.versions()):
        yield from (version.split_path(part) for part in SPLITS)


def _mark(reviews: Reviews, row_id: str, target: str | None) -> str | None:
    review = reviews.get((row_id, target))
    return review.mark if review else None
