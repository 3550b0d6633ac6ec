"""Everything stage 3 shows of a task: the plan, what stands in the folder beside it, and what the choices made there cost.

One reading of the folder, put together. Looks at no data file itself: what a look at it showed comes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from coach.answers import Answers
from coach.choices import (
    OF_TRAINING,
    STRUCTURE,
    Choice,
    ChoiceValue,
    Settings,
    advised_settings,
    differences,
    numbers_beside,
    same,
    task_settings,
)
from coach.estimate import Estimate
from coach.forecast import Forecast, forecast
from coach.hardware import Hardware
from coach.interview import Question, missing
from coach.opinions import Opinion, opinion
from coach.overrides import read_overrides
from coach.plan import Advice, LoraSize, Plan
from coach.recommendation import recommend, situation_of
from coach.recommendation.data import DataChoice
from coach.recommendation.draft import estimate_of
from coach.recommendation.hyperparameters import Numbers
from coach.reference_data import model_or_unknown
from coach.seen_gains import gains_beside
from coach.situation import DataFacts, Situation
from coach.task_knowledge import answers_with_task, facts_of_data
from coach.workspace import Task


@dataclass(frozen=True)
class Advised:
    """`chosen`: what stands in the folder, in task.yaml or beside the plan. `advised`: the coach's value for each choice, beside the
    method, model and way of training chosen. `forecast` and `estimate` are those of what was chosen. `frozen`: names of versions.
    """

    answers: Answers
    facts: DataFacts | None
    hardware: Hardware
    situation: Situation
    plan: Plan
    chosen: Settings
    advised: Settings
    forecast: Forecast
    estimate: Estimate
    has_file: bool
    frozen: tuple[str, ...]
    open_questions: tuple[Question, ...]

    @property
    def trains(self) -> bool:
        """Whether anything is trained, now or, where the plan begins with the baseline, by its next stage."""
        return trains(self.plan, self.chosen)

    @property
    def reasons(self) -> tuple[Advice, ...]:
        """The plan's, with those of the numbers for the model and the way of training that were chosen."""
        others = tuple(advice for advice in self.plan.reasons if advice.topic != "hyperparameters")
        if not self.trains:
            return others
        model = model_or_unknown(self.chosen.base_model)
        return others + tuple(numbers_beside(self.situation, model, self.chosen.peft, self.chosen.balance)[1])

    @property
    def otherwise(self) -> list[Choice]:
        """The choices made otherwise than advised, in their order."""
        return differences(self.chosen, self.advised, trains=self.trains)

    @property
    def ways_back(self) -> dict[Choice, ChoiceValue]:
        """Every choice that is not the plan's own, with the plan's value: what leads back to the plan as a whole."""
        own = advised_settings(self.plan, self.situation)
        return {choice: own.value(choice) for choice in differences(self.chosen, own, trains=trains(self.plan, own))}

    def opinion(self, choice: Choice) -> Opinion:
        """What the coach thinks of the value chosen."""
        return opinion(self.plan, choice, self.chosen.value(choice), self.situation, self.chosen)


def advise(task: Task, facts: DataFacts | None, hardware: Hardware) -> Advised:
    """`facts`: what the attached file showed, where there is one. Raises DocumentError for a damaged document in the folder."""
    file = task.file if task.has_file else None
    said = task.answers()
    answers = answers_with_task(said, file) if file else said
    known = _with_seen_gains(task, facts or facts_of_data(task), answers)
    plan, situation = recommend(answers, known, hardware), situation_of(answers, known, hardware)
    given = {} if file else read_overrides(task)
    advised = advised_settings(plan, situation, given)
    chosen = task_settings(file, advised) if file else advised.with_values(given)
    is_plan = not differences(chosen, advised_settings(plan, situation), trains=trains(plan, chosen))
    return Advised(
        answers=answers,
        facts=known,
        hardware=hardware,
        situation=situation,
        plan=plan,
        chosen=chosen,
        advised=_advised_beside(plan, situation, chosen),
        forecast=plan.forecast if is_plan else _forecast(plan, situation, chosen),
        estimate=plan.estimate if is_plan else _estimate(plan, situation, chosen),
        has_file=file is not None,
        frozen=tuple(version.name for version in task.versions()),
        open_questions=() if file else tuple(missing(said)),
    )


def _with_seen_gains(task: Task, facts: DataFacts | None, answers: Answers) -> DataFacts | None:
    return replace(facts, seen_gains=gains_beside(task, answers.success.primary_metric or "macro_f1")) if facts else None


def trains(plan: Plan, chosen: Settings) -> bool:
    return chosen.trains or (plan.trains and chosen.method == plan.method)


def wishes_to_train(advised: Advised, choice: Choice, value: ChoiceValue) -> bool:
    """Whether a choice of another value has no effect on the baseline that stands first, and so asks to fine-tune straight away."""
    first_is_baseline = advised.plan.trains and advised.chosen.method == "baseline"
    concerns_training = choice == "base_model" or choice in OF_TRAINING
    return first_is_baseline and concerns_training and not same(value, advised.advised.value(choice))


def _advised_beside(plan: Plan, situation: Situation, chosen: Settings) -> Settings:
    """The plan's own method, model and way of training, with the numbers that fit the ones chosen."""
    structure: Mapping[Choice, object] = {choice: chosen.value(choice) for choice in STRUCTURE}
    own = advised_settings(plan, situation)
    numbers = advised_settings(plan, situation, structure)
    return numbers.with_values({choice: own.value(choice) for choice in STRUCTURE})


def _methods(plan: Plan, chosen: Settings) -> list[str]:
    return [stage.method for stage in plan.stages] if same(plan.method, chosen.method) else [chosen.method]


def _forecast(plan: Plan, situation: Situation, chosen: Settings) -> Forecast:
    return forecast(situation, _methods(plan, chosen), model_or_unknown(chosen.base_model))  # type: ignore[arg-type]


def _estimate(plan: Plan, situation: Situation, chosen: Settings) -> Estimate:
    methods = _methods(plan, chosen)
    trains = any(method not in ("prompt", "baseline") for method in methods)
    lora = None if chosen.peft == "none" else LoraSize(chosen.lora_r, round(chosen.lora_alpha))
    numbers = Numbers(lora, chosen.learning_rate, round(chosen.epochs) or 1, chosen.batch_size) if trains else None
    data = DataChoice(chosen.balance, plan.augmentation, ())
    model = model_or_unknown(chosen.base_model)
    return estimate_of(situation, methods, model, chosen.peft if trains else "none", numbers, data)  # type: ignore[arg-type]
