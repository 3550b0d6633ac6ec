"""Go on or stop: one sentence on the latest version, from its verdict, its comparison, its diagnosis and the course of the versions.

What else is weighed, gains, rows and time, `course.py` says beside it.
"""

from __future__ import annotations

from coach.comparison import Comparison
from coach.course import Course
from coach.diagnosis import Diagnosis
from coach.finding import Finding
from coach.sentence import Sentence, sentence

_NOT_FOR_A_VERSION = (
    "few_test_rows",
    "class_low_few_rows",
    "small_in_test",
    "absent_in_test",
    "near_copies",
    "imbalance_treated",
    "at_the_top",
    "label_suspects_hard",
)  # rows to test by, or nothing to do


def next_step(
    version: str, diagnosis: Diagnosis, comparison: Comparison | None, method: str = "sft", course: Course | None = None
) -> Sentence:
    """What to do after `version`. `comparison` holds it against the version it came from, where that is there.

    Where the last versions of the `course` brought nothing, no further setting is proposed.

    After a version that is the baseline alone, fine-tuning follows. While another system does clearly better on the same test rows,
    a version is not for use, whatever its target; nor while its score may come from texts that were learnt by heart.
    """
    verdict = diagnosis.verdict
    finding = first_finding(diagnosis)
    if verdict.word == "met" and verdict.clearly_ahead is not None:
        return sentence("next_step.behind", version=version, name=verdict.clearly_ahead.label, score=verdict.clearly_ahead.score)
    if verdict.word == "met" and (flattered := diagnosis.flattered):
        return sentence("next_step.met_flattered", version=version, finding=flattered.title)
    if verdict.word == "met" and verdict.certain:
        return sentence("next_step.met_at_the_top" if verdict.at_the_top else "next_step.met", version=version)
    if verdict.word == "met":
        key = "next_step.met_uncertain_at_the_top" if verdict.at_the_top else "next_step.met_uncertain"
        return sentence(key, version=version, rows=verdict.test_rows)
    if method == "baseline":
        tuned = course.tuned if course else None
        if tuned is None or tuned.verdict is None:
            return sentence("next_step.tune", version=version)
        return sentence("next_step.tuned", version=version, name=tuned.name, score=tuned.verdict.value, own=verdict.value)
    if comparison is not None and comparison.judgement == "worse":
        return sentence("next_step.worse", version=version, parent=comparison.first)
    if course is not None and course.spent:
        return sentence("next_step.spent", version=version, count=course.spent)
    if finding is None:
        return sentence("next_step.rows", version=version)
    if comparison is not None and comparison.judgement == "cannot_tell":
        return sentence("next_step.unclear", version=version, parent=comparison.first, finding=finding.title)
    return sentence("next_step.try", version=version, finding=finding.title)


def first_finding(diagnosis: Diagnosis) -> Finding | None:
    """The first finding that a new version can act on."""
    return next((found for found in diagnosis.findings if found.name not in _NOT_FOR_A_VERSION), None)
