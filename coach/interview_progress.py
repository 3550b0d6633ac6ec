"""How far the interview has come: counted by topic, said in a sentence or two, and in three numbers.

Counts and says; which questions there are and when they make sense is `interview.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from coach.answers import Answers
from coach.figures import NOTHING, Figure
from coach.interview import TOPICS, Question, Topic, is_answered, is_asked, load_questions, missing
from coach.sentence import Sentence, sentence

FIXED_KEYS = frozenset({"task.name"})  # the folder's name: given when the task was made, never changed


@dataclass(frozen=True)
class Count:
    answered: int
    asked: int

    @property
    def is_complete(self) -> bool:
        return self.answered == self.asked


@dataclass(frozen=True)
class Progress:
    """`needed`: the open questions without which there is no advice; `assumed`: how many hold the coach's default."""

    topics: dict[Topic, Count]
    needed: list[Question]
    assumed: int

    @property
    def total(self) -> Count:
        counts = self.topics.values()
        return Count(sum(count.answered for count in counts), sum(count.asked for count in counts))


def progress_of(answers: Answers) -> Progress:
    asked = asked_questions(answers)
    topics = {topic: [question for question in asked if question.topic == topic] for topic in TOPICS}
    counts = {topic: Count(sum(is_answered(q.key, answers) for q in there), len(there)) for topic, there in topics.items()}
    assumed = sum(question.key in answers.assumed for question in asked)
    return Progress(counts, missing(answers), assumed)


def asked_questions(answers: Answers, topic: Topic | None = None) -> list[Question]:
    """The questions that make sense now, answered or not, of one `topic` if given; in the order of the topics."""
    return [
        question.for_answers(answers)
        for question in load_questions()
        if question.key not in FIXED_KEYS and topic in (None, question.topic) and is_asked(question, answers)
    ]


def spoken(answers: Answers, progress: Progress) -> list[Sentence]:
    """What the coach says of it: what is known, what is still needed or where to go on, and how much is assumed."""
    known, total = _known(answers), progress.total
    said = [sentence("ui.discover.so_far", known=known)] if known else []
    if progress.needed:
        names = [Sentence(f"interview.short.{question.key}") for question in progress.needed]
        said += [*([] if known else [_start(answers)]), sentence("ui.discover.still", missing=names)]
    elif total.is_complete:
        said.append(sentence("ui.discover.all_said"))
    else:
        said.append(sentence("ui.discover.enough", left=total.asked - total.answered))
    return [*said, *([sentence("ui.discover.assumed_count", count=progress.assumed)] if progress.assumed else [])]


def _start(answers: Answers) -> Sentence:
    """The business problem first, unless a first sentence has told it."""
    return sentence("ui.discover.start" if answers.business.problem is None else "ui.discover.start_task")


def interview_figures(
    answers: Answers, progress: Progress, *, is_counted: bool, said: int | None = None
) -> tuple[Figure, Figure, Figure]:
    """Questions answered (of no total: answers change it), needed ones open, rows known.

    `is_counted`: a file shows them; `said`: what the person said, where that is another number.
    """
    rows = answers.resources.labelled_rows
    answered = progress.total.answered + (answers.title is not None)  # the title is asked beside the questions of the task
    note = "ready" if not progress.needed else "needed"
    basis = "none" if rows is None else "file_not_said" if said is not None else "file" if is_counted else "said"
    return (
        Figure(sentence("ui.discover.answered"), str(answered), sentence("ui.discover.basis_optional")),
        Figure(sentence("ui.discover.needed_open"), str(len(progress.needed)), Sentence(f"ui.discover.basis_{note}")),
        Figure(
            sentence("ui.discover.rows_known"),
            NOTHING if rows is None else f"{rows:,}",
            Sentence(f"ui.discover.basis_{basis}", {"said": said}),
        ),
    )


def _known(answers: Answers) -> list[Sentence]:
    """A few words each: `分類任務`, `3 個類別`, `500 筆資料`, `沒有 GPU`, `目標 0.80`."""
    task, resources, success = answers.task, answers.resources, answers.success
    words = []
    if task.type:
        words.append(Sentence(f"interview.known.type.{task.type}"))
    if task.labels:
        words.append(sentence("interview.known.labels", count=len(task.labels)))
    if resources.labelled_rows is not None:
        words.append(sentence("interview.known.rows", count=resources.labelled_rows))
    if resources.gpu:
        words.append(Sentence(f"interview.known.gpu.{resources.gpu}"))
    if success.threshold is not None:
        words.append(sentence("interview.known.threshold", value=success.threshold))
    return words
