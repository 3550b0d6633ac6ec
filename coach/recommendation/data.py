"""What to do to the rows: balancing skewed classes, adding made-up rows, and what the file itself says (evidence.md 2.5, 2.6)."""

from __future__ import annotations

from dataclasses import dataclass

from coach.plan import Advice, Augmentation
from coach.sentence import Data, Sentence, Value, sentence
from coach.situation import SKEWED_AT, Situation
from coach.task_schema import Balance

AUGMENT_BELOW_ROWS = 200  # evidence.md 2.6
AUGMENT_BELOW_CLASS = 20  # evidence.md 2.6
SYNTHETIC_TO_REAL = 3  # evidence.md 2.6: at most
SPEC_AUGMENT_BELOW = 500  # the specification's tree: data augmentation below 500
SHOWN_CLASSES = 5


@dataclass(frozen=True)
class DataChoice:
    balance: Balance
    augmentation: Augmentation
    reasons: tuple[Advice, ...]


def choose_data(s: Situation, *, trains: bool) -> DataChoice:
    """Balance and augmentation, with reasons; without training there is nothing to balance."""
    balance, why_balance = choose_balance(s)
    augmentation, why_augmentation = choose_augmentation(s)
    if not trains:
        return DataChoice("none", "none", ())
    reasons = [advice for advice in (why_balance, metric_for_skew(s), why_augmentation) if advice is not None]
    return DataChoice(balance, augmentation, tuple(reasons))


def choose_balance(s: Situation) -> tuple[Balance, Advice | None]:
    """Oversampling from a ratio of 3 between largest and smallest class, or where the person says the classes are skewed."""
    if s.task_type != "classification":
        return "none", None
    if not s.is_skewed:
        known = s.skew is not None or s.answers.resources.class_balance == "balanced"
        return "none", _balance("balanced" if known else "balance_unknown", "none", limit=SKEWED_AT)
    if s.skew is None:
        return "oversample", _balance("skewed_as_said", "oversample")
    counts = s.facts.class_counts if s.facts else {}
    largest, smallest = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    data: Data = {
        "largest": largest,
        "smallest": smallest,
        "ratio": s.skew,
        "limit": SKEWED_AT,
        "share": counts[smallest] / sum(counts.values()),
    }
    return "oversample", _balance("skewed", "oversample", **data)


def metric_for_skew(s: Situation) -> Advice | None:
    """Skewed classes are judged by macro-F1; accuracy can be high without the small class ever being named."""
    if not s.is_skewed or s.metric != "macro_f1":
        return None
    what = sentence("advice.data.metric_what", metric="macro-F1")
    return Advice("data", "data.metric_for_skew", what, sentence("advice.data.metric_for_skew"), "imbalance")


def choose_augmentation(s: Situation) -> tuple[Augmentation, Advice | None]:
    """Made-up rows below 200 rows in all, or for classes below 20; the specification advises them below 500."""
    if s.rows is None:
        return "none", None
    scarce = [name for name, count in (s.facts.class_counts if s.facts else {}).items() if count < AUGMENT_BELOW_CLASS]
    if s.rows < AUGMENT_BELOW_ROWS:
        return "all_classes", _augmentation("augment_all", "all_classes", rows=s.rows, most=SYNTHETIC_TO_REAL)
    if scarce:
        data: Data = {"classes": scarce[:SHOWN_CLASSES], "limit": AUGMENT_BELOW_CLASS, "most": SYNTHETIC_TO_REAL}
        return "small_classes", _augmentation("augment_small", "small_classes", **data)
    rule = "no_augmentation_though_specified" if s.rows < SPEC_AUGMENT_BELOW else "no_augmentation"
    return "none", _augmentation(rule, "none", rows=s.rows, limit=AUGMENT_BELOW_ROWS)


def _balance(rule: str, balance: Balance, **data: Value) -> Advice:
    source = "oversampling-tried" if balance == "oversample" else "imbalance"
    return Advice(
        "data", f"data.{rule}", sentence(f"advice.balance.{balance}"), Sentence(f"advice.data.{rule}", dict(data)), source
    )


def _augmentation(rule: str, augmentation: Augmentation, **data: Value) -> Advice:
    what = sentence(f"advice.augmentation.{augmentation}")
    return Advice("data", f"data.{rule}", what, Sentence(f"advice.data.{rule}", dict(data)), "augmentation")
