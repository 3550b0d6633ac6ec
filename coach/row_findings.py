"""Findings that lie in the rows rather than in the scores: other shares in the test than in training, test texts that nearly stand in
training, texts of one length that go wrong, answers that were sure and wrong, labels that may be wrong.

Reads what a diagnosis is handed (`finding.Evidence`). Part of `diagnosis.LOOKS`; thresholds are judgements unless a source is named.
"""

from __future__ import annotations

from collections.abc import Sequence

from coach.finding import BEYOND_CHANCE, COUNTED, Answered, Evidence, Finding, Sureness, bars
from coach.sentence import Data
from coach.shares import are_apart, is_below

FEWEST_ROWS = 60  # answered test rows below which a slice of them says next to nothing
SHARE_MOVED = 0.10  # of the rows, between training and test
FEWEST_TO_COMPARE = 50  # rows of a split
COPIES, COPIED_SHARE = (
    5,
    0.05,
)  # so many, and so much of the test; tests drawn beside 3,000 real texts have up to 2.6 % (bench/alike.py)
FEWEST_OTHERS = 20  # test rows that are no copies, to hold the copies against
SLICES = 3  # thirds by length
SLICE_BELOW = 0.10  # in accuracy, and beyond both intervals
SURE_FROM = 0.9
SURE_AND_WRONG, SURE_SHARE = 5, 0.25  # so many, and so much of all that is wrong
SUSPECTS, SUSPECT_SHARE = 10, 0.02
SUSPECTS_EASY = 5  # where labels are easily learnt: clean ones stay far below the share (bench/label_suspects.json: .3 %)
EASILY_LEARNT = 0.8  # agreement of the baseline: above, most suspects there are wrong labels; below, a third to a half


def drift(evidence: Evidence) -> list[Finding]:
    """D10: a class has another share of the test rows than of the training rows, by more than chance and SHARE_MOVED."""
    train, test = evidence.train_counts, evidence.test_counts
    rows, tested = sum(train.values()), sum(test.values())
    if min(rows, tested) < FEWEST_TO_COMPARE:
        return []
    moved = {label: test.get(label, 0) / tested - train.get(label, 0) / rows for label in {*train, *test}}
    label = max(moved, key=lambda name: (abs(moved[name]), name))
    if abs(moved[label]) < SHARE_MOVED or not are_apart(train.get(label, 0), rows, test.get(label, 0), tested):
        return []
    shares = {"train": train.get(label, 0) / rows, "test": test.get(label, 0) / tested}
    return [Finding("D10", "drift", "warning", {"label": label, **shares}, BEYOND_CHANCE, bars("share", **shares))]


def near_copies(evidence: Evidence) -> list[Finding]:
    """D14: test texts of which training has nearly the same; they flatter the score where they are answered right more often."""
    looked_at = [row for row in evidence.answered if row.copied is not None]
    copied, others = ([row for row in looked_at if row.copied is which] for which in (True, False))
    if len(copied) < max(COPIES, COPIED_SHARE * evidence.training_seen * len(looked_at)):
        return []
    right, elsewhere = _right(copied), _right(others)
    share, rest = right / len(copied), elsewhere / max(1, len(others))
    data: Data = {"count": len(copied), "rows": len(looked_at), "share": share, "rest": rest, "seen": evidence.training_seen}
    if evidence.training_seen < 1:  # the others are copies too, perhaps, of rows nobody held them against
        picture = bars("rows", copies=len(copied), looked_at=len(looked_at))
        return [Finding("D14", "copies_at_least", "warning", data, COUNTED, picture)]
    picture = bars("share", copies_right=share, others_right=rest) if others else bars("share", copies_right=share)
    if len(others) >= FEWEST_OTHERS and is_below(elsewhere, len(others), right, len(copied)):
        return [Finding("D14", "copies_flatter", "warning", data, BEYOND_CHANCE, picture)]
    if len(others) < max(FEWEST_OTHERS, len(copied)):
        return [Finding("D14", "mostly_copies", "warning", data, COUNTED, picture)]
    return [Finding("D14", "near_copies", "info", data, COUNTED, picture)]


def weak_lengths(evidence: Evidence) -> list[Finding]:
    """D11: the shortest or the longest third of the test texts is answered right far less often than the others."""
    answered = sorted(evidence.answered, key=lambda row: row.letters)
    if len(answered) < FEWEST_ROWS:
        return []
    size = len(answered) // SLICES
    thirds = {"short": (answered[:size], answered[size:]), "long": (answered[-size:], answered[:-size])}
    found = []
    for name, (slice_, others) in thirds.items():
        right, elsewhere = _right(slice_), _right(others)
        share, rest = right / len(slice_), elsewhere / len(others)
        if slice_[0].letters == slice_[-1].letters == others[0].letters or rest - share < SLICE_BELOW:
            continue
        if are_apart(right, len(slice_), elsewhere, len(others)):
            limit = slice_[-1].letters if name == "short" else slice_[0].letters
            data: Data = {"letters": limit, "rows": len(slice_), "share": share, "rest": rest}
            picture = bars("share", **{f"{name}_right": share, "others_right": rest})
            found.append(Finding("D11", f"{name}_texts", "warning", data, BEYOND_CHANCE, picture))
    return found


def sure_and_wrong(evidence: Evidence) -> list[Finding]:
    """D12: much of what is wrong was answered with a probability of SURE_FROM or more."""
    wrong = [row for row in evidence.answered if not row.right]
    sure = [row for row in wrong if row.sure is not None and row.sure >= SURE_FROM]
    if len(sure) < SURE_AND_WRONG or len(sure) < SURE_SHARE * len(wrong):
        return []
    data: Data = {"count": len(sure), "wrong": len(wrong), "sure": SURE_FROM}
    picture = bars("rows", sure_wrong=len(sure), unsure_wrong=len(wrong) - len(sure))
    return [Finding("D12", "sure_and_wrong", "info", data, COUNTED, picture)]


def label_noise(evidence: Evidence) -> list[Finding]:
    """D13: the baseline, not having seen them, speaks against the labels of a notable share of rows that are easily learnt."""
    return [found for found in _suspects(evidence) if found.level == "warning"]


def hard_labels(evidence: Evidence) -> list[Finding]:
    """D13 as a note: the same where the baseline often disagrees, so that hard rows are among them."""
    return [found for found in _suspects(evidence) if found.level == "info"]


def _suspects(evidence: Evidence) -> list[Finding]:
    found = evidence.suspects
    if found is None or found.count < SUSPECT_SHARE * found.rows:
        return []
    if found.count < (SUSPECTS if found.agreement < EASILY_LEARNT else SUSPECTS_EASY):
        return []
    data: Data = {"count": found.count, "rows": found.rows, "share": found.count / found.rows, "agreement": found.agreement}
    picture = bars("share", suspects=found.count / found.rows, suspects_from=SUSPECT_SHARE)
    if found.agreement < EASILY_LEARNT:
        return [Finding("D13", "label_suspects_hard", "info", data, Sureness("low", "suspects_hard"), picture)]
    return [Finding("D13", "label_suspects", "warning", data, Sureness("medium", "suspects_easy"), picture)]


def _right(rows: Sequence[Answered]) -> int:
    return sum(row.right for row in rows)
