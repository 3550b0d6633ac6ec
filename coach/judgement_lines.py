"""Judgements and written files as lines for a terminal: a comparison, a diagnosis, what `task` has written. Owns layout alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from coach.comparison import Comparison, ScoreChange
from coach.config_changes import changed_words
from coach.diagnosis import Diagnosis
from coach.problems import Problem
from coach.task_schema import TaskFile
from coach.text import Language, text


class WrittenFiles(Protocol):
    """What writing a task's first files reports (`training.first_folder.Written`)."""

    @property
    def task_path(self) -> Path: ...
    @property
    def source_path(self) -> Path | None: ...
    @property
    def source_existed(self) -> bool: ...
    @property
    def kept(self) -> Path | None: ...
    @property
    def copied(self) -> Path | None: ...


def comparison_lines(found: Comparison, language: Language) -> list[str]:
    """The judgement first, then scores, then what changed in the configuration."""
    lines = [*(said.say(language) for said in found.sentences()), *score_lines(found, language)]
    if found.config:
        lines += ["", text("cli.coach.compare.config", language), *(f"  {line}" for line in changed_words(found.config))]
    return lines


def score_lines(found: Comparison, language: Language) -> list[str]:
    """The scores of both sides, overall and by class, after an empty line."""
    lines = ["", text("cli.coach.compare.scores", language, metric=found.metric)]
    lines.append("  " + _score_line(found.overall, text("cli.coach.compare.overall", language), language))
    return lines + ["  " + _score_line(change, change.name, language) for change in found.per_class]


def diagnosis_lines(version: str | None, found: Diagnosis, language: Language) -> list[str]:
    """The state, then each finding with its numbers and one experiment. `version` is None for figures from elsewhere."""
    state, *rest = [said.say(language) for said in found.verdict.sentences()]
    lines = [f"{version}: {state}" if version else state, *rest]
    if found.findings:
        lines += ["", text("cli.coach.diagnose.findings", language)]
    for finding in found.findings:
        lines += [f"  {finding.code} {finding.title.say(language)}", f"    {finding.evidence.say(language)}"]
        lines.append("    " + text("diagnosis.next_label", language, next=finding.next_experiment.say(language)))
        lines.append("    " + finding.sure.sentence().say(language))
    return [*lines, "", found.closing().say(language)]


def written_lines(
    task: TaskFile,
    mapping: Mapping[str, str],
    entity_left_out: bool,
    written: WrittenFiles,
    problems: Sequence[Problem],
    language: Language,
) -> list[str]:
    """What was written, what to confirm, and the next command."""
    path = str(written.task_path)
    lines = [text("cli.coach.task.written", language, path=path)]
    if written.kept:
        lines.append(text("cli.coach.task.kept", language, path=str(written.kept)))
    if written.source_path:
        key = "source_kept" if written.source_existed else "written"
        lines.append(text(f"cli.coach.task.{key}", language, path=str(written.source_path)))
    if written.copied:
        lines.append(text("cli.coach.task.copied", language, path=str(written.copied)))
    if mapping:
        shown = ", ".join(f"{name} ← {column}" for name, column in mapping.items())
        lines.append(text("cli.coach.task.columns", language, mapping=shown))
    if entity_left_out:
        lines.append(text("cli.coach.task.entity_left_out", language))
    if task.training.method == "baseline" and task.training.lora:
        lines.append(text("cli.coach.task.baseline_first", language, version=task.version))
    if problems:
        lines.append(text("cli.coach.task.remarks", language))
        lines += remark_lines(problems, language)
    trained = str(written.task_path.parent) if written.task_path.name == "task.yaml" else path
    return [*lines, text("cli.coach.task.next", language, path=shlex.quote(path), folder=shlex.quote(trained))]


def remark_lines(problems: Sequence[Problem], language: Language) -> list[str]:
    """One problem a line, its level in front."""
    return [f"  {text(f'cli.coach.check.level.{problem.level}', language)}: {problem.sentence(language)}" for problem in problems]


def _score_line(change: ScoreChange, name: str, language: Language) -> str:
    shown = {"before": _shown(change.before), "after": _shown(change.after), "difference": _shown(change.difference, signed=True)}
    return text("cli.coach.compare.row", language, name=name, **shown)


def _shown(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "—"
    return f"{value:+.3f}" if signed else f"{value:.3f}"
