"""`python -m training errors TASK [VERSION] [--json]`: what the wrong answers have in common, and where the training data come in."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.command_line import EXIT_OK, print_json, print_lines
from coach.errors import WorkspaceError
from coach.history import entry_of, finished_results, latest_finished
from coach.row_findings import SURE_FROM
from coach.text import Language, text
from coach.version_folder import Version
from coach.workspace import Task
from training.answered_rows import AnsweredRow, answered_rows
from training.error_analysis import ConfusedPair, ErrorAnalysis, analyse_errors
from training.nearest_rows import Lesson, Near, lesson, training_index

SHOWN_ROWS = 5  # wrong rows with the training rows nearest to them, the surest first
LETTERS = 60


@dataclass(frozen=True)
class LookedUp:
    """A wrong row beside the training rows most like it."""

    row: AnsweredRow
    near: list[Near]
    lesson: Lesson


def errors(arguments: argparse.Namespace, language: Language) -> int:
    version = _version(Task.open(Path(arguments.task)), arguments.version)
    if finished_results(version) is None:  # what an earlier attempt has answered says nothing of this one
        raise WorkspaceError("training.no_model", version=version.name)
    target = next(iter(version.config.targets), None)
    rows = answered_rows(version, target)
    if not rows:
        raise WorkspaceError("training.no_answers", version=version.name, path=str(version.predictions_path))
    found = analyse_errors(rows, version.config.language)
    looked_up = _looked_up(version, target, found)
    if arguments.json:
        print_json(error_document(version, found, looked_up, language))
    else:
        print_lines(error_lines(version, found, looked_up, language))
    return EXIT_OK


def _version(task: Task, name: str | None) -> Version:
    """The one named, else the latest finished. Raises WorkspaceError where there is none."""
    if name is not None:
        return task.version(name)
    latest = latest_finished([entry_of(version) for version in task.versions()])
    if latest is None:
        raise WorkspaceError("training.none_finished", task=task.name)
    return task.version(latest.name)


def _looked_up(version: Version, target: str | None, found: ErrorAnalysis) -> list[LookedUp]:
    index = training_index(version, target)
    if index is None:
        return []
    with_text = [row for row in found.wrong if row.inputs][:SHOWN_ROWS]
    near = [index.nearest(row.inputs) for row in with_text]
    return [LookedUp(row, rows, lesson(rows, row.actual, row.predicted)) for row, rows in zip(with_text, near)]


def error_document(version: Version, found: ErrorAnalysis, looked_up: list[LookedUp], language: Language) -> dict[str, Any]:
    """`errors --json`. Rows are named by id, the surest first; `p` allows for all words looked at; `nearest`: of the surest wrong rows."""
    return {
        "version": version.name,
        "rows": found.rows,
        "wrong": [row.id for row in found.wrong],
        "sure_and_wrong": [row.id for row in found.sure],
        "pairs": [
            {"actual": pair.actual, "predicted": pair.predicted, "count": pair.count, "of_class": pair.of_class,
             "rows": [row.id for row in pair.rows]}
            for pair in found.pairs
        ],
        "words": [
            {"word": word.word, "rows": word.rows, "wrong": word.wrong, "wrong_without": word.elsewhere, "p": word.p,
             "wrong_rows": list(word.wrong_rows)}
            for word in found.words
        ],
        "words_looked_for_in": found.looked_at,
        "lengths": [finding.as_json(language) for finding in found.lengths],
        "nearest": [_looked_up_document(one) for one in looked_up],
    }  # fmt: skip


def _looked_up_document(one: LookedUp) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "input": dict(row.inputs),
        "actual": row.actual,
        "predicted": row.predicted,
        "sure": row.sure,
        "lesson": one.lesson,
        "training_rows": [
            {"id": near.id, "input": dict(near.inputs), "label": near.label, "similarity": round(near.similarity, 4)}
            for near in one.near
        ],
    }


def error_lines(version: Version, found: ErrorAnalysis, looked_up: list[LookedUp], language: Language) -> list[str]:
    """Numbers, pairs, words, lengths, then the surest wrong rows with the training rows most like them."""

    def say(key: str, **data: Any) -> str:
        return text(f"cli.training.errors.{key}", language, **data)

    if not found.wrong:
        return [say("none", version=version.name, rows=found.rows)]
    numbers = {"wrong": len(found.wrong), "rows": found.rows, "sure": len(found.sure), "least": SURE_FROM}
    outside = text("ui.evaluate.rows.outside", language)
    lines = [say("counts", version=version.name, **numbers), "", text("ui.errors_seen.pairs", language)]
    lines += [say("pair", **_pair_data(pair, outside)) for pair in found.pairs]
    lines += ["", text("ui.errors_seen.words", language)]
    if found.words_drawn:
        numbers = {"looked_at": found.looked_at, "with_text": found.with_text}
        lines.append("  " + text("ui.errors_seen.words_drawn", language, **numbers))
    lines += [
        say("word", word=word.word, wrong=word.wrong, rows=word.rows, elsewhere=word.elsewhere, p=word.p) for word in found.words
    ]
    lines += [] if found.words else ["  " + text("ui.errors_seen.no_words", language)]
    lines += ["", *(finding.evidence.say(language) for finding in found.lengths)] if found.lengths else []
    lines += ["", say("surest")] if looked_up else []
    for one in looked_up:
        lines += _looked_up_lines(one, outside, language)
    return lines


def _pair_data(pair: ConfusedPair, outside: str) -> Mapping[str, Any]:
    return {"actual": pair.actual, "predicted": pair.predicted or outside, "count": pair.count, "share": pair.of_class}


def _looked_up_lines(one: LookedUp, outside: str, language: Language) -> list[str]:
    row, names = one.row, {"actual": one.row.actual or outside, "predicted": one.row.predicted or outside}
    sure = "" if row.sure is None else f" {row.sure:.2f}"
    lines = [text("cli.training.errors.row", language, id=row.id, said=_short(row.inputs), sure=sure, **names)]
    for near in one.near:
        shown = {"label": near.label, "similarity": near.similarity, "said": _short(near.inputs)}
        lines.append(text("cli.training.errors.near", language, **shown))
    return [*lines, "    " + text(f"ui.errors_seen.lesson.{one.lesson}", language, **names)]


def _short(inputs: Mapping[str, str]) -> str:
    return " ".join(" ".join(inputs.values()).split())[:LETTERS]
