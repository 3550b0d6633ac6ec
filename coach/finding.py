"""What a diagnosis reads of a version, and one thing it finds: its words, how sure it is, its picture. How it finds is diagnosis.py's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from coach.sentence import Data, Sentence, Value, sentence
from coach.text import Language

Level = Literal["warning", "info"]
Grade = Literal["high", "medium", "low"]
Unit = Literal["share", "score", "rows"]


@dataclass(frozen=True)
class Answered:
    """One test row as a diagnosis reads it. `letters`: length of its texts; `sure`: probability of the answer, None where unscored.

    `copied`: whether a training row has nearly the same text; None where nobody looked.
    """

    letters: int
    right: bool
    sure: float | None = None
    copied: bool | None = None


@dataclass(frozen=True)
class LabelSuspects:
    """Of `rows` looked at, `count` to which the cheap baseline, not having seen them, gives another label with long odds.

    `agreement`: the share of the rows that it gives the label they carry. Rows a person has marked already are not counted.
    """

    rows: int
    count: int
    agreement: float


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis reads. `evals`, `steps`: events in order; `train_counts`, `test_counts`: rows of each class.

    `learning_rate` is that of a LoRA training, None with other methods. `answered`: the test rows, none where they are not at hand.
    `suspects` is None where labels were not looked at, or could not be. `training_seen`: share of the training rows among which copies of
    the answered rows were looked for.
    """

    results: Mapping[str, Any]
    evals: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Mapping[str, Any]] = ()
    train_counts: Mapping[str, int] = field(default_factory=dict)
    balance: str = "none"
    learning_rate: float | None = None
    test_counts: Mapping[str, int] = field(default_factory=dict)
    answered: Sequence[Answered] = ()
    suspects: LabelSuspects | None = None
    training_seen: float = 1.0


@dataclass(frozen=True)
class Sureness:
    """How sure it is that a finding is so, and what makes it so: `ground` names the sentence `diagnosis.sure.<ground>`."""

    grade: Grade
    ground: str
    data: Mapping[str, Value] = field(default_factory=dict)

    def sentence(self) -> Sentence:
        grade = sentence(f"diagnosis.sure.{self.grade}")
        return sentence("diagnosis.sure.said", grade=grade, ground=Sentence(f"diagnosis.sure.{self.ground}", self.data))


COUNTED, BEYOND_CHANCE = Sureness("high", "counted"), Sureness("high", "beyond_chance")


@dataclass(frozen=True)
class Bars:
    """A picture of a few named amounts, all of one unit: shares and scores from 0 to 1, or numbers of rows."""

    unit: Unit
    amounts: tuple[tuple[Sentence | str, float], ...]

    def named(self, language: Language) -> list[tuple[str, float]]:
        return [(name.say(language) if isinstance(name, Sentence) else name, value) for name, value in self.amounts]

    def as_json(self, language: Language) -> dict[str, Any]:
        return {"kind": "bars", "unit": self.unit, "amounts": [list(amount) for amount in self.named(language)]}


@dataclass(frozen=True)
class Curve:
    """A picture of the training: the validation score by step, or the losses."""

    of: Literal["metric", "loss"]
    evals: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Mapping[str, Any]] = ()

    def as_json(self, _language: Language) -> dict[str, Any]:
        """Where it is to be found; the numbers stand in events.jsonl."""
        return {"kind": "curve", "of": self.of}


def bars(unit: Unit, **amounts: float) -> Bars:
    """`bars("share", train=.4, test=.6)`: each amount is named by `diagnosis.bar.<name>`."""
    return Bars(unit, tuple((sentence(f"diagnosis.bar.{name}"), value) for name, value in amounts.items()))


@dataclass(frozen=True)
class Finding:
    """`name` names the sentences `diagnosis.<name>.title|evidence|next`; `data` holds the numbers, `picture` shows them."""

    code: str
    name: str
    level: Level
    data: Data = field(default_factory=dict)
    sure: Sureness = COUNTED
    picture: Bars | Curve | None = None

    @property
    def title(self) -> Sentence:
        return Sentence(f"diagnosis.{self.name}.title", self.data)

    @property
    def evidence(self) -> Sentence:
        return Sentence(f"diagnosis.{self.name}.evidence", self.data)

    @property
    def next_experiment(self) -> Sentence:
        return Sentence(f"diagnosis.{self.name}.next", self.data)

    def as_json(self, language: Language) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": self.name,
            "level": self.level,
            "title": self.title.say(language),
            "evidence": self.evidence.say(language),
            "next_experiment": self.next_experiment.say(language),
            "sure": {"grade": self.sure.grade, "said": self.sure.sentence().say(language)},
            "picture": self.picture and self.picture.as_json(language),
            "data": {name: value.say(language) if isinstance(value, Sentence) else value for name, value in self.data.items()},
        }
