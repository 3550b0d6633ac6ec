"""The arguments of `python -m coach`: its commands, their options and their help. What a command does is `__main__.py`'s."""

from __future__ import annotations

import argparse

from coach.command_line import CommandParser
from coach.text import Language, text

QUESTIONS_SHOWN = 3


def build_parser(language: Language) -> argparse.ArgumentParser:
    """The parser of all commands, its help in `language`."""

    def say(key: str) -> str:
        return text(f"cli.coach.help.{key}", language)

    parser = CommandParser(prog="python -m coach", description=say("about"), language=language)
    parser.add_argument("--lang", metavar="zh-TW|en", help=say("lang"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, *positional: tuple[str, str]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=say(name), description=say(name), language=language)
        for dest, metavar in positional:
            added.add_argument(dest, metavar=metavar, help=say(dest))
        added.add_argument("--json", action="store_true", help=say("json"))
        return added

    asked = command("ask")
    asked.add_argument("sentence", nargs="+", metavar="SENTENCE", help=say("sentence"))
    asked.add_argument("--limit", type=int, default=QUESTIONS_SHOWN, metavar="N", help=say("limit"))
    asked.add_argument("--figures", metavar="FILE", help=say("figures"))
    command("summarize", ("answers", "ANSWERS.yaml"))
    recommended = command("recommend", ("answers", "ANSWERS.yaml"))
    recommended.add_argument("--data", metavar="FILE", help=say("data"))
    drafted = command("task", ("answers", "ANSWERS.yaml"))
    drafted.add_argument("-o", "--output", metavar="DIR/task.yaml", help=say("output"))
    for one in (recommended, drafted):
        one.add_argument("--text", metavar="COL", action="append", help=say("text_column"))
        one.add_argument("--label", metavar="COL", help=say("label_column"))
    command("check", ("task_file", "task.yaml"))
    compared = command("compare", ("task_folder", "TASK"), ("first", "V1"))
    compared.add_argument("second", metavar="V2", nargs="?", help=say("second"))
    compared.add_argument("--system", metavar="FILE", help=say("system"))
    compared.add_argument("--column", metavar="COL", help=say("predicted_column"))
    compared.add_argument("--keep", action="store_true", help=say("keep"))
    command("diagnose", ("task_folder", "TASK"), ("version", "VERSION"))
    return parser
