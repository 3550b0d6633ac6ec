"""A change of settings in a reader's words: what a one-click experiment does, not what was found."""

from __future__ import annotations

from collections.abc import Mapping

from coach.config_changes import shown_value
from coach.recommendation.hyperparameters import short_rate
from coach.task_check import BUILT_METHODS
from pages.ui.page import TaskPage


def method_words(page: TaskPage, name: str) -> str:
    return page.say(f"iterate.next.methods.{name}") if name in BUILT_METHODS else name


def change_words(page: TaskPage, values: Mapping[str, float | str]) -> str:
    """「學習率 1e-4、輪數 5」 for the settings that change; empty where none does."""
    between = "、" if page.language == "zh-TW" else ", "
    return between.join(f"{page.say(f'iterate.next.{name}')} {_value(page, name, value)}" for name, value in values.items())


def _value(page: TaskPage, name: str, value: float | str) -> str:
    if name == "method":
        return method_words(page, str(value))
    if name == "balance":
        return page.say(f"iterate.next.balances.{value}")
    return short_rate(float(value)) if name == "learning_rate" else shown_value(value)
