"""`python -m training …`: everything the pages do about data and runs, without a browser (contract: design.md section 7).

Parses, calls, prints. What a command does is a function elsewhere that a page calls too; errors become sentences in
`coach.command_line`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from coach.command_line import CommandParser, run_command
from coach.text import Language, text
from training import commands, estimate_command, review_commands

Runner = Callable[[argparse.Namespace, Language], int]

_RUNNERS: dict[str, Runner] = {
    "audit": commands.audit_file,
    "run": commands.run,
    "resume": commands.resume,
    "stop": commands.stop,
    "status": commands.status,
    "errors": commands.errors,
    "predict": commands.predict,
    "baseline": commands.baseline,
    "estimate": estimate_command.estimate,
    "sample": commands.sample,
    "suspects": review_commands.suspects,
    "mark": review_commands.mark,
    "correct": review_commands.correct,
}


def build_parser(language: Language) -> argparse.ArgumentParser:
    """The parser of all commands, its help in `language`."""

    def say(key: str) -> str:
        return text(f"cli.training.help.{key}", language)

    parser = CommandParser(prog="python -m training", description=say("about"), language=language)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, *, as_json: bool = True) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=say(name), description=say(name), language=language)
        if as_json:
            added.add_argument("--json", action="store_true", help=say("json"))
        return added

    audit = command("audit")
    audit.add_argument("file", metavar="FILE", help=say("file"))
    audit.add_argument("--text", metavar="COL", action="append", help=say("text_column"))
    audit.add_argument("--label", metavar="COL", help=say("label_column"))
    audit.add_argument("--labels", metavar="A,B,…", help=say("labels"))

    run = command("run")
    run.add_argument("task", metavar="TASK", help=say("task"))
    run.add_argument("--version", metavar="NAME", help=say("version"))
    run.add_argument("--max-steps", metavar="N", type=_positive, help=say("max_steps"))

    for name, which in (("resume", "version"), ("stop", "version"), ("status", "version"), ("errors", "latest_version")):
        one = command(name)
        one.add_argument("task", metavar="TASK", help=say("task"))
        one.add_argument("version", metavar="VERSION", nargs="?" if name == "errors" else None, help=say(which))

    predict = command("predict")
    predict.add_argument("task", metavar="TASK", help=say("task"))
    predict.add_argument("version", metavar="VERSION", help=say("version"))
    predict.add_argument("--text", metavar="TEXT", action="append", default=[], help=say("text"))
    predict.add_argument("--input", metavar="NAME=VALUE", action="append", default=[], help=say("input"))
    predict.add_argument("--file", metavar="FILE", help=say("unlabelled"))
    predict.add_argument("-o", "--output", metavar="OUT", help=say("output"))

    command("baseline").add_argument("task", metavar="TASK", help=say("task"))
    estimate = command("estimate")
    estimate.add_argument("task", metavar="task.yaml", help=say("task"))
    estimate.add_argument("--calibrate", action="store_true", help=say("calibrate"))

    sample = command("sample")
    sample.add_argument("name", metavar="NAME", help=say("sample_name"))
    sample.add_argument("folder", metavar="DIR", help=say("sample_folder"))
    sample.add_argument("--seed", metavar="N", type=int, help=say("sample_seed"))
    _add_review(command, say)
    return parser


def _add_review(command: Callable[[str], argparse.ArgumentParser], say: Callable[[str], str]) -> None:
    """Doubtful labels: listing rows, marking one, making data with the corrections."""
    suspects, mark, correct = (command(name) for name in ("suspects", "mark", "correct"))
    for one in (suspects, mark, correct):
        one.add_argument("task", metavar="TASK", help=say("task"))
    suspects.add_argument("--version", metavar="NAME", help=say("suspects_version"))
    mark.add_argument("row", metavar="ROW", help=say("row"))
    mark.add_argument("mark", metavar="MARK", choices=review_commands.SAID, help=say("row_mark"))
    mark.add_argument("--label", metavar="LABEL", help=say("right_label"))
    for one in (suspects, mark):
        one.add_argument("--target", metavar="NAME", help=say("target"))
    correct.add_argument("--leave-out-ambiguous", action="store_true", help=say("leave_out_ambiguous"))


def _positive(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError(value)
    return number


def main(argv: Sequence[str], language: Language) -> int:
    arguments = build_parser(language).parse_args(argv)
    return _RUNNERS[arguments.command](arguments, language)


if __name__ == "__main__":
    sys.exit(run_command(main, sys.argv[1:]))
