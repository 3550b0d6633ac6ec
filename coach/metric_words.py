"""What a metric is called to a reader: Macro-F1 for `macro_f1`. In files and options it keeps its own name."""

from __future__ import annotations

from coach.sentence import Sentence, sentence
from coach.text import Language, has_text, text


def metric_words(metric: str) -> Sentence | str:
    """The name to stand within a sentence; a metric the catalogue does not know keeps its own."""
    key = f"metrics.{metric}"
    return sentence(key) if has_text(key) else metric


def metric_name(metric: str, language: Language) -> str:
    """The same in `language`: accuracy, weighted F1."""
    key = f"metrics.{metric}"
    return text(key, language) if has_text(key) else metric


def metric_label(metric: str, language: Language) -> str:
    """The name by itself, over a column or an axis: Accuracy, Weighted F1."""
    name = metric_name(metric, language)
    return name[:1].upper() + name[1:]
