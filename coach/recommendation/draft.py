"""The plan's choices so far, for the rules that look at all of them: cautions, alternatives, the headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coach.estimate import Estimate, estimate_baseline, estimate_prompt, estimate_training
from coach.forecast import Forecast
from coach.plan import Peft, PlannedStage
from coach.recommendation.data import DataChoice
from coach.recommendation.hyperparameters import Numbers
from coach.reference_data import ModelRow
from coach.situation import TEST_SHARE, TRAIN_SHARE, VALID_SHARE, Situation
from coach.task_schema import Method
from coach.work import Work

OVERSAMPLING_EXPONENT = 0.5  # how training balances classes: half way to equal, on a log scale (training/methods/sft.py)


@dataclass(frozen=True)
class Draft:
    """Everything chosen. `numbers` is None where nothing is trained."""

    situation: Situation
    stages: tuple[PlannedStage, ...]
    model: ModelRow
    peft: Peft
    numbers: Numbers | None
    data: DataChoice
    forecast: Forecast
    estimate: Estimate

    @property
    def methods(self) -> list[Method]:
        return [stage.method for stage in self.stages]

    @property
    def trains(self) -> bool:
        return self.numbers is not None

    @property
    def target(self) -> str:
        """How the person's target lies against the forecast: none, unknown, likely, possible, unlikely."""
        threshold = self.situation.answers.success.threshold
        low, expected, high = self.forecast.low, self.forecast.expected, self.forecast.high
        if threshold is None:
            return "none"
        if low is None or expected is None or high is None:
            return "unknown"
        return "unlikely" if high < threshold else "possible" if expected < threshold else "likely"

    @property
    def target_words(self) -> str:
        """`target` as its sentences are named: an unlikely one has others where no rows can be added."""
        return "unlikely_as_is" if self.target == "unlikely" and not self.situation.can_label else self.target


def work_of(situation: Situation, numbers: Numbers, data: DataChoice) -> Work | None:
    """The amount to compute, or None where the number of rows is not known. Given test rows leave more to train on."""
    rows = situation.learnable_rows
    if rows is None:
        return None
    given_test = situation.facts is not None and situation.facts.test_rows is not None
    train = rows * (TRAIN_SHARE if not given_test else 1 - VALID_SHARE)
    return Work(
        train_rows=train
        * (oversampling(situation.facts.class_counts if situation.facts else {}) if data.balance == "oversample" else 1.0),
        valid_rows=rows * VALID_SHARE,
        test_rows=situation.test_rows if given_test and situation.test_rows is not None else rows * TEST_SHARE,
        epochs=numbers.epochs,
        batch_size=numbers.batch_size,
        row_tokens=situation.row_tokens,
        long_row_tokens=situation.long_row_tokens,
        rank=numbers.lora.r if numbers.lora else 0,
        labels=len(situation.labels) or 2,
    )


def estimate_of(
    situation: Situation, methods: Sequence[Method], model: ModelRow, peft: Peft, numbers: Numbers | None, data: DataChoice
) -> Estimate:
    """Of the training where there is one, else of the baseline or of prompting."""
    if numbers is not None:
        return estimate_training(model, peft, situation.machine, work_of(situation, numbers, data))
    return estimate_baseline() if "baseline" in methods else estimate_prompt()


def oversampling(class_counts: Mapping[str, int]) -> float:
    """Rows after oversampling for each row before; as on the news sample where the counts are not known."""
    counts = list(class_counts.values())
    if not counts or not min(counts):
        return 1.2  # judgement: the news sample (11:50:39) grows by a sixth
    return float(sum(count * (max(counts) / count) ** OVERSAMPLING_EXPONENT for count in counts) / sum(counts))
