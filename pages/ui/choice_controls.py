"""Choosing otherwise: a control for each choice of the plan, written into the task's folder as it is chosen, and the way back.

Which values there are and what is thought of them is `coach`'s; that a value fits is checked where it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import get_args

import streamlit as st

from coach.advised import Advised, wishes_to_train
from coach.choices import Choice, ChoiceValue, is_built, same
from coach.errors import CoachError
from coach.overrides import choose
from coach.plan import Peft
from coach.plan_cards import value_sentence
from coach.recommendation.hyperparameters import SPEC_EPOCHS, SPEC_LEARNING_RATE, short_rate
from coach.reference_data import models
from coach.task_schema import Balance, DeployTarget, Method, VersionStrategy
from pages.ui import prose, session
from pages.ui.page import TaskPage

OFFERED: dict[Choice, tuple[ChoiceValue, ...]] = {
    "method": get_args(Method),
    "base_model": tuple(row.id for row in models()),
    "peft": get_args(Peft),
    "learning_rate": (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3),
    "batch_size": (1, 2, 4, 8, 16, 32, 64, 128),
    "balance": get_args(Balance),
    "strategy": get_args(VersionStrategy),
    "deployment": get_args(DeployTarget),
}
NUMBERS: dict[Choice, tuple[int | float, int | float]] = {
    "lora_r": (1, 1024),
    "lora_alpha": (1.0, 4096.0),
    "epochs": (0.1, 1000.0),
    "retention": (1, 1000),
}
COMMON: dict[Choice, ChoiceValue] = {"learning_rate": SPEC_LEARNING_RATE, "epochs": SPEC_EPOCHS}
FREE_TEXT: dict[Choice, str] = {"base_model": "new_model", "learning_rate": "new_rate"}


def control(page: TaskPage, advised: Advised, choice: Choice) -> None:
    """The control of one choice, holding what the folder holds."""
    current = advised.chosen.value(choice)
    key = session.key_of_value(page.key(choice), _name(choice, current))
    label = prose.plain(page.say(f"recommend.choice.{choice}"))
    written = partial(_written, page, advised, choice, key)
    if choice in NUMBERS:
        low, high = NUMBERS[choice]
        low, high = min(low, type(low)(current)), max(high, type(high)(current))  # task.yaml may hold what is not offered
        session.put_widget_value(key, type(low)(current))
        shown = "%d" if isinstance(low, int) else "%g"
        step = 1 if isinstance(low, int) else 1.0
        st.number_input(label, min_value=low, max_value=high, step=step, format=shown, key=key, on_change=written)
        return
    named = {_name(choice, value): page_label for value, page_label in _options(page, advised, choice)}
    session.put_widget_value(key, _name(choice, current))
    free = FREE_TEXT.get(choice)
    st.selectbox(
        label,
        list(named),
        format_func=lambda name: named.get(name, name),
        key=key,
        on_change=written,
        accept_new_options=free is not None,
        help=page.say(f"recommend.{free}") if free else None,
    )


def way_back(page: TaskPage, advised: Advised, choice: Choice) -> None:
    """The button that takes the coach's value."""
    value = advised.advised.value(choice)
    label = page.say("recommend.back", value=value_sentence(choice, value).say(page.language))
    press = partial(write_choice, page, advised, choice, value)
    st.button(prose.plain(label), key=page.key(f"back.{choice}"), icon=":material/undo:", type="tertiary", on_click=press)


def write_choice(page: TaskPage, advised: Advised, choice: Choice, value: ChoiceValue) -> None:
    """Writes one choice; what stands in the way is told at the top of the next run."""
    today = datetime.now().astimezone().date()
    try:
        kept = choose(page.task, choice, value, seen=advised.chosen.value(choice), advised=advised.advised, today=today)
        if wishes_to_train(advised, choice, value):
            kept = choose(page.task, "method", "sft", seen="baseline", advised=advised.advised, today=today) or kept
            session.leave_message("info", [page.say("recommend.now_trains", choice=page.say(f"recommend.choice.{choice}"))])
    except CoachError as error:
        session.leave_message("warning", error.lines(page.language))
        return
    if kept is not None:
        session.leave_message("info", [page.say("recommend.taken.rewritten", kept=kept.name)])


def _written(page: TaskPage, advised: Advised, choice: Choice, key: str) -> None:
    said = session.widget_value(key)
    if said is None:
        return
    value = _value(choice, said)
    if not same(value, advised.chosen.value(choice)):
        session.widget_took(page.key(choice), _name(choice, value))
        write_choice(page, advised, choice, value)


def _value(choice: Choice, said: str | int | float) -> ChoiceValue:
    """What a control holds as the choice's value; text that is no number goes on as it is and is refused with its reason."""
    number = {"batch_size": int, "learning_rate": float}.get(choice)
    try:
        return number(said) if number else said
    except ValueError:
        return said


def _options(page: TaskPage, advised: Advised, choice: Choice) -> Iterator[tuple[ChoiceValue, str]]:
    """Every value on offer and the one that stands there, the coach's and the common example's marked."""
    current, coachs = advised.chosen.value(choice), advised.advised.value(choice)
    offered = list(OFFERED[choice])
    offered += [value for value in (coachs, current) if not any(same(value, known) for known in offered)]
    numeric = all(isinstance(value, int | float) for value in offered)
    for value in sorted(dict.fromkeys(offered), key=float) if numeric else dict.fromkeys(offered):
        said = value_sentence(choice, value).say(page.language)
        if not is_built(choice, value):
            said = page.say("recommend.option_not_built", value=said)
        if same(value, coachs):
            said = page.say("recommend.option_advised", value=said)
        elif choice in COMMON and same(value, COMMON[choice]):
            said = page.say("recommend.option_common", value=said)
        yield value, said


def _name(choice: Choice, value: ChoiceValue) -> str:
    """A value as the option's name: the same number is the same name."""
    if choice == "learning_rate" and isinstance(value, int | float):
        return short_rate(float(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
