"""What the scores of the classes tell: one never named, one far weaker, one that draws the answers, a skewed training set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coach.finding import BEYOND_CHANCE, COUNTED, Bars, Evidence, Finding, Sureness, bars
from coach.sentence import Data, Sentence, sentence
from coach.shares import is_below
from coach.situation import SKEWED_AT

CLASS_BELOW_MEAN = 0.15  # judgement: F1 this far below macro-F1 is a class of its own trouble
FEW_IN_CLASS = 10  # test rows of a class below which its F1 says next to nothing
COLLAPSE_SHARE = 0.9  # one class in more than this share of the answers …
COLLAPSE_ACTUAL = 0.6  # … while fewer than this share of the rows are of it
WORTH_A_WORD = 0.01  # of macro-F1, for one row
NAMED_TOO_OFTEN = 1.25  # times as often as it occurs: judgement
SURE_EXCESS = 2.576  # standard deviations
MOST_IN_A_PICTURE = 6  # classes
SIGN_TEST = Sureness("high", "sign_test")
READ_ROWS = 20  # by then a pattern shows


def weak_classes(evidence: Evidence) -> list[Finding]:
    """D02: a class never predicted, or far below the others; and one class that takes nearly all answers."""
    matrix = evidence.results.get("confusion_matrix") or {}
    labels, counts = matrix.get("labels") or [], matrix.get("counts") or []
    found = _collapse(labels, counts)
    never = [label for column, label in enumerate(labels) if sum(counts[column]) and not any(row[column] for row in counts)]
    found += [_never_predicted(label, _support(evidence, label)) for label in never]
    macro = evidence.results.get("macro_f1")
    for label, scores in (evidence.results.get("per_class") or {}).items():
        if macro is None or label in never or not scores.get("support") or scores["f1"] >= macro - CLASS_BELOW_MEAN:
            continue
        name = "class_low" if scores["support"] >= FEW_IN_CLASS else "class_low_few_rows"
        data: Data = {score: float(scores.get(score) or 0.0) for score in ("f1", "recall", "precision")}
        data |= {"label": label, "macro": macro, "rows": scores["support"], "taken_for": _taken_for(label, labels, counts)}
        data["read"] = _worth_reading(_Named.of(scores).missed)
        found.append(Finding("D02", name, "warning", data, _sure_of(label, evidence), _f1_of_classes(label, evidence)))
    return found


def _never_predicted(label: str, rows: int) -> Finding:
    sure = COUNTED if rows >= FEW_IN_CLASS else Sureness("low", "few_rows", {"rows": rows})
    return Finding(
        "D02", "never_predicted", "warning", {"label": label, "rows": rows}, sure, bars("rows", actual=rows, answered=0)
    )


def _sure_of(label: str, evidence: Evidence) -> Sureness:
    """By what was found of the class, and what is right among the answers that name it, against all other classes.

    The class was picked for being low, so the level allows for two looks at every class.
    """
    classes = {name: _Named.of(scores) for name, scores in evidence.results["per_class"].items() if scores.get("support")}
    own = classes[label]
    if own.support < FEW_IN_CLASS:
        return Sureness("low", "few_rows", {"rows": round(own.support)})
    others = [named for name, named in classes.items() if name != label]
    right, rows, named = (sum(getattr(one, part) for one in others) for part in ("right", "support", "named"))
    looks = 2 * len(classes)
    if is_below(own.right, own.support, right, rows, looks=looks) or is_below(own.right, own.named, right, named, looks=looks):
        return BEYOND_CHANCE
    return Sureness("medium", "within_chance", {"rows": round(own.support)})


def _f1_of_classes(label: str, evidence: Evidence) -> Bars:
    """The class, and the others from the weakest on, as far as there is room."""
    scores = {name: float(scores["f1"]) for name, scores in evidence.results["per_class"].items() if scores.get("support")}
    others = sorted((name for name in scores if name != label), key=lambda name: scores[name])
    return Bars("score", tuple((name, scores[name]) for name in (label, *others[: MOST_IN_A_PICTURE - 1])))


def small_in_test(evidence: Evidence) -> list[Finding]:
    """D06: a class that counts in macro-F1 like any other and rests on a handful of test rows, or on none. Named unless D02 names it."""
    if (evidence.results.get("primary_metric") or {}).get("name") != "macro_f1":
        return []
    classes = {label: _Named.of(scores) for label, scores in (evidence.results.get("per_class") or {}).items()}
    rows = {label: float(named.support) for label, named in classes.items() if named.support < FEW_IN_CLASS}
    picture = Bars("rows", tuple(sorted(rows.items(), key=lambda pair: pair[1])[:MOST_IN_A_PICTURE]))
    absent = [label for label, support in rows.items() if not support]
    if absent:
        data: Data = {
            "label": absent[0],
            "classes": len(classes),
            "most": 1 - len(absent) / len(classes),
            **_others(len(absent) - 1),
        }
        return [Finding("D06", "absent_in_test", "warning", data, COUNTED, picture)]
    taken = {found.data["label"] for found in weak_classes(evidence)}
    small = min((label for label in rows if label not in taken), key=lambda label: rows[label], default=None)
    if small is None:
        return []
    step = classes[small].step / len(classes)
    data = {"label": small, "rows": round(rows[small]), "classes": len(classes), "step": step, "wanted": FEW_IN_CLASS}
    data |= _others(len(rows) - 1)
    return [Finding("D06", "small_in_test", "info", data, COUNTED, picture)] if step >= WORTH_A_WORD else []


def _others(count: int) -> Data:
    """A clause with how many more classes there are of the kind; nothing where there are none."""
    return {"others": sentence("diagnosis.small_others", count=count) if count else sentence("diagnosis.nothing")}


def leaning(evidence: Evidence) -> list[Finding]:
    """D02: one class is named far more often than it occurs, beyond chance, and another pays for it."""
    per_class = evidence.results.get("per_class") or {}
    found = [(label, _Named.of(scores)) for label, scores in per_class.items() if scores.get("support")]
    label, most = max(found, key=lambda pair: pair[1].excess, default=("", None))
    if most is None or not most.is_too_often or weak_classes(evidence):
        return []
    data: Data = {"label": label, "named": round(most.named), "rows": round(most.support)}
    picture = bars("rows", answered=round(most.named), actual=round(most.support))
    pays = _who_pays(evidence, label, list(per_class))
    if pays is None:
        return [Finding("D02", "leaning_alone", "warning", data, SIGN_TEST, picture)]
    loser, taken = pays
    data |= {"loser": loser, "missed": taken / _support(evidence, loser), "read": _worth_reading(taken)}
    return [Finding("D02", "leaning", "warning", data, SIGN_TEST, picture)]


def _who_pays(evidence: Evidence, label: str, labels: Sequence[str]) -> tuple[str, float] | None:
    """The class whose rows are most often answered with `label`, and how many of them; None where no matrix tells."""
    matrix = evidence.results.get("confusion_matrix") or {}
    names, counts = matrix.get("labels") or [], matrix.get("counts") or []
    if label in names:
        column = names.index(label)
        taken = [
            (row[column], name) for name, row in zip(names, counts, strict=False) if name != label and _support(evidence, name)
        ]
        most, loser = max(taken, default=(0, ""))
        return (loser, most) if most else None
    if len(labels) != 2:
        return None
    other = next(name for name in labels if name != label)
    scores = (evidence.results.get("per_class") or {})[other]
    return other, (1 - scores["recall"]) * scores["support"]


@dataclass(frozen=True)
class _Named:
    """How often a class is there, is named, and is named rightly, in rows; a score that is missing, or no number, counts as 0."""

    support: float
    named: float
    right: float

    @classmethod
    def of(cls, scores: Mapping[str, Any]) -> _Named:
        support, recall, precision = (_sound(scores.get(name)) for name in ("support", "recall", "precision"))
        right = recall * support
        return cls(support, right / precision if precision else 0.0, right)

    @property
    def step(self) -> float:
        """What one row more or less answered right moves the class's F1 by, the larger of the two."""
        f1 = _f1(self.right, self.named, self.support)
        moves = [abs(_f1(self.right + move, self.named + move, self.support) - f1) for move in (-1, 1)]
        return max(moves[0] if self.right >= 1 else 0.0, moves[1] if self.missed >= 1 else 0.0)

    @property
    def missed(self) -> float:
        return self.support - self.right

    @property
    def excess(self) -> float:
        return self.named - self.support

    @property
    def is_too_often(self) -> bool:
        """Wrong answers that name it against those that miss it: a sign test, two-sided at one per cent."""
        disagreeing = self.excess + 2 * self.missed
        often = self.support >= FEW_IN_CLASS and self.named >= NAMED_TOO_OFTEN * self.support
        return often and self.excess > SURE_EXCESS * math.sqrt(disagreeing)


def imbalance(evidence: Evidence) -> list[Finding]:
    """D07: the largest class has at least three times the rows of the smallest."""
    counts = {label: count for label, count in evidence.train_counts.items() if count}
    if len(counts) < 2:
        return []
    largest, smallest = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    ratio = counts[largest] / counts[smallest]
    if ratio < SKEWED_AT:
        return []
    data: Data = {"largest": largest, "smallest": smallest, "ratio": ratio, "rows": counts[smallest]}
    largest_first = sorted(counts, key=lambda name: counts[name], reverse=True)
    shown = largest_first if len(counts) <= MOST_IN_A_PICTURE else [*largest_first[: MOST_IN_A_PICTURE - 1], smallest]
    picture = Bars("rows", tuple((name, float(counts[name])) for name in shown))
    if evidence.balance != "none":
        return [Finding("D07", "imbalance_treated", "info", data, COUNTED, picture)]
    return [Finding("D07", "imbalance", "warning", data, COUNTED, picture)]


def _collapse(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> list[Finding]:
    total = sum(map(sum, counts))
    for column, label in enumerate(labels):
        share = sum(row[column] for row in counts) / total if total else 0.0
        actual = sum(counts[column]) / total if total else 0.0
        if share > COLLAPSE_SHARE and actual < COLLAPSE_ACTUAL:
            picture = bars("share", answered=share, actual=actual)
            return [Finding("D02", "collapse", "warning", {"label": label, "share": share, "actual": actual}, COUNTED, picture)]
    return []


def _f1(right: float, named: float, support: float) -> float:
    return 2 * right / (named + support) if named + support > 0 else 0.0


def _sound(score: Any) -> float:
    number = float(score or 0.0)
    return number if math.isfinite(number) and number >= 0 else 0.0


def _worth_reading(rows: float) -> int:
    """How many of so many rows somebody should read: all, where they are few."""
    return max(1, min(READ_ROWS, round(rows)))


def _support(evidence: Evidence, label: str) -> int:
    return int(((evidence.results.get("per_class") or {}).get(label) or {}).get("support") or 0)


def _taken_for(label: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Sentence:
    """A clause with the label that rows of `label` are most often taken for; nothing where there is none."""
    nothing = sentence("diagnosis.nothing")
    if label not in labels:
        return nothing
    place = labels.index(label)
    wrong = [(count, labels[column]) for column, count in enumerate(counts[place][: len(labels)]) if column != place]
    count, name = max(wrong, default=(0, ""))
    return sentence("diagnosis.taken_for", label=name, count=count) if count else nothing
