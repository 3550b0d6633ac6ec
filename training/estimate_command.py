"""`python -m training estimate task.yaml [--calibrate] [--json]`: what a training will take, reckoned or measured by a few steps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from coach.command_line import EXIT_OK, print_json, print_lines
from coach.estimate import Estimate
from coach.hardware import this_machine
from coach.text import Language, text
from coach.workspace import Task
from training.clock import local_now


def estimate(arguments: argparse.Namespace, language: Language) -> int:
    task, machine = Task.open(Path(arguments.task)), this_machine()
    if arguments.calibrate:
        found = _calibrated(task, language, quiet=arguments.json)
    else:
        from training.run_estimate import estimate_task

        found = estimate_task(task.file, task.data_folder, machine)
    if arguments.json:
        print_json(estimate_document(found, language))
    else:
        print_lines(estimate_lines(found, language))
    return EXIT_OK


def _calibrated(task: Task, language: Language, *, quiet: bool) -> Estimate:
    """Data are made first where they have not been, as for a baseline or a training."""
    from training.calibration import calibrate
    from training.new_version import prepare_data

    task.file  # noqa: B018 - a broken task.yaml is said before any work
    prepare_data(task, local_now())
    said = (lambda phase: None) if quiet else lambda phase: _say(text(f"cli.training.measuring.{phase}", language))
    measured = calibrate(task, this_machine(), said)
    if not measured.kept:
        _say(text("cli.training.measured_not_kept", language))
    return measured.estimate


def _say(line: str) -> None:
    print_lines([line], to=sys.stderr)


def estimate_document(found: Estimate, language: Language) -> dict[str, Any]:
    """`estimate --json`. Ranges are [low, high]; `measured` says on what this machine has been measured, null where on nothing."""
    return {
        **found.as_json(language),
        "minutes_range": found.minutes_range and list(found.minutes_range),
        "vram_range": found.vram_range and list(found.vram_range),
        "ram_gb": found.ram_gb,
        "ram_range": found.ram_range and list(found.ram_range),
        "seconds": found.seconds and {part: round(value, 1) for part, value in found.seconds.items()},
        "measured": found.measured.how if found.measured else None,
    }


def estimate_lines(found: Estimate, language: Language) -> list[str]:
    lines = []
    if found.minutes_range:
        low, high = found.minutes_range
        lines.append(text("cli.training.estimate_time", language, low=low, high=high))
    if found.vram_range:
        low, high = found.vram_range
        lines.append(text("cli.training.estimate_memory", language, low=low, high=high))
    if found.ram_range:
        low, high = found.ram_range
        lines.append(text("cli.training.estimate_main_memory", language, low=low, high=high))
    return [*lines, found.basis.say(language)]
