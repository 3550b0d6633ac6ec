"""What both command lines share: the language switch, usage errors as sentences, three lines for an error, exit codes.

`coach/__main__.py` and `training/__main__.py` each hand their command to `run_command`. Knows no command of either.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from coach.errors import CoachError, UserError
from coach.text import DEFAULT_LANGUAGE, LANGUAGES, Language, preferred_language, text

EXIT_OK, EXIT_OURS, EXIT_USER, EXIT_INTERRUPTED = 0, 1, 2, 130
DEBUG_VARIABLE = "COACH_DEBUG"
Command = Callable[[Sequence[str], Language], int]
_USAGE_PROBLEMS = {  # how argparse of Python 3.11 to 3.14 words them
    "missing": r"the following arguments are required: (?P<names>.+)",
    "choice": r"argument (?P<name>.+?): invalid choice: (?P<value>.+?) \(choose from (?P<known>.+)\)",
    "unknown": r"unrecognized arguments: (?P<names>.+)",
    "value_missing": r"argument (?P<name>.+?): expected (?:one|at least one) argument",
    "kind": r"argument (?P<name>.+?): invalid (?P<kind>.+?) value: (?P<value>.+)",
}


class UsageError(UserError):
    """The command line itself cannot be read: unknown command or option, a value missing or of the wrong kind."""


class CommandParser(argparse.ArgumentParser):
    """An argparse parser that raises UsageError instead of printing English and leaving, and heads its help in `language`."""

    def __init__(self, *, language: Language = DEFAULT_LANGUAGE, **settings: Any) -> None:
        super().__init__(**{**settings, "add_help": False, "allow_abbrev": False})
        self.language = language
        self._positionals.title = text("cli.coach.help.arguments", language)
        self._optionals.title = text("cli.coach.help.options", language)
        self.add_argument("-h", "--help", action="help", help=text("cli.coach.help.help", language))

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            "command.usage",
            problem=_usage_problem(message, self.language),
            usage=" ".join(self.format_usage().split()[1:]),
            program=self.prog,
        )


def _usage_problem(message: str, language: Language) -> str:
    """What argparse says, in `language`; a message of a form not known here stays as it is."""
    for name, pattern in _USAGE_PROBLEMS.items():
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return text(f"cli.coach.usage.{name}", language, **found.groupdict())
    return message


def run_command(command: Command, argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Runs `command(arguments, language)` and returns its exit code; whatever it raises becomes sentences on stderr.

    `--lang zh-TW|en` may stand anywhere in `argv` and is taken out. 2: the user's mistake; 1: ours; 130: interrupted. A traceback
    is printed only where COACH_DEBUG is set.
    """
    language = preferred_language(None, environment)
    try:
        language, arguments = take_language(argv, environment)
        return command(arguments, language)
    except SystemExit as leaving:  # argparse leaves this way after --help
        return int(leaving.code or 0)
    except CoachError as error:
        _debug(environment)
        print_lines(error.lines(language), to=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print_lines([text("cli.coach.interrupted", language)], to=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader (`| head`) has left; Python would complain once more at its own end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except Exception as error:
        _debug(environment)
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        print_lines([text("cli.coach.unexpected", language, problem=said, variable=DEBUG_VARIABLE)], to=sys.stderr)
        return EXIT_OURS


def take_language(argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> tuple[Language, list[str]]:
    """The language of `--lang X` or `--lang=X`, wherever it stands before `--`, and the other arguments. Raises UsageError."""
    rest: list[str] = []
    chosen: str | None = None
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":
            rest += [argument, *arguments]
        elif argument == "--lang":
            chosen = next(arguments, "")
        elif argument.startswith("--lang="):
            chosen = argument.removeprefix("--lang=")
        else:
            rest.append(argument)
    if chosen is not None and chosen not in LANGUAGES:
        raise UsageError("command.language", value=chosen, known=", ".join(LANGUAGES))
    return preferred_language(chosen, environment), rest


def print_lines(lines: Sequence[str], *, to: Any = None) -> None:
    """Lines for a person; a terminal that cannot show a character gets a question mark, not an error."""
    stream = to or sys.stdout
    for line in lines:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        print(line.encode(encoding, "replace").decode(encoding), file=stream)


def print_json(document: Any) -> None:
    """One JSON document on stdout; NaN and infinity are refused, since they are no JSON."""
    print_lines([json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)])


def _debug(environment: Mapping[str, str]) -> None:
    if environment.get(DEBUG_VARIABLE):
        traceback.print_exc()
