"""`python -m coach compare TASK VERSION --system FILE|NAME [--column COL] [--keep] [--json]`: a version against the system in use today."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from coach.command_line import EXIT_OK, print_json, print_lines
from coach.comparison import Judged
from coach.errors import WorkspaceError
from coach.judgement_lines import score_lines
from coach.system_comparison import compare_with_system
from coach.systems import Predicted, systems
from coach.text import Language
from coach.workspace import Task
from training.entering_system import enter_path, read_for


def compare_system(task: Task, judged: Judged, arguments: argparse.Namespace, language: Language) -> int:
    """Prints the judgement; what was read of a file goes to stderr. With --keep its answers stay in the task's folder."""
    name, predicted = _system(task, judged.name, arguments, language)
    found = compare_with_system(judged, name, predicted, seed=judged.config.training.seed)
    if arguments.json:
        print_json(found.as_json(language))
    else:
        print_lines([*(said.say(language) for said in found.sentences()), *score_lines(found.comparison, language)])
    return EXIT_OK


def _system(task: Task, version_name: str, arguments: argparse.Namespace, language: Language) -> tuple[str, Predicted]:
    """The answers in the file said, else those entered before under that name."""
    said, path = str(arguments.system), Path(arguments.system).expanduser()
    if not os.path.lexists(path):
        entered = {system.name: system for system in systems(task)}
        if said in entered:
            return said, entered[said].predicted()
        raise WorkspaceError("systems.unknown", said=said, known=", ".join(entered) or "—")
    version = task.version(version_name)
    if arguments.keep:
        kept = enter_path(task, version, str(path.absolute()), column=arguments.column)
        name, file = kept.system.name, kept.file
    else:
        file = read_for(task, version, path, column=arguments.column)
        name = path.stem
    print_lines([line.say(language) for line in file.sentences()], to=sys.stderr)
    return name, file.predicted
