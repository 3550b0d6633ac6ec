"""What was heard of a topic, said back."""

import pytest

from coach.answers import Answers
from coach.interview import TOPICS, field_keys, load_questions
from coach.text import LANGUAGES, has_text
from coach.topic_summary import HEARD, topic_summary

ANSWERS = Answers.model_validate(
    {
        "business": {"problem": "每天 1,000 則\n新聞", "priority": "high", "deadline_weeks": 2.5},
        "task": {"type": "classification", "labels": list("abcdefgh")},
        "resources": {"labelled_rows": 500, "gpu": "none", "more_data": "some"},
        "success": {"primary_metric": "macro_f1", "threshold": 0.8, "needs_explanation": False},
        "needs": {"reasoning": True, "tooling": False},
        "assumed": ["resources.more_data", "success.needs_explanation"],
    }
)


def said(topic, language="en", answers=ANSWERS):
    return [one.say(language) for one in topic_summary(answers, topic)]


def test_answers_come_back_in_the_order_of_the_questions():
    (line,) = said("business")
    assert "每天 1,000 則 新聞" in line and "high" in line and "2.5" in line
    assert line.index("新聞") < line.index("high") < line.index("2.5")


def test_many_labels_are_cut_and_options_are_said_in_words():
    (line,) = said("task")
    assert "a, b, c, d, e, f, …" in line and "g" not in line.split("labels are")[1]
    assert "GPU: none" in said("resources")[0] and "some more can be labelled" in said("resources")[0]


def test_wishes_that_were_denied_are_not_said_and_assumptions_are_counted():
    assert said("needs")[0].count(",") == 0 and "reason" in said("needs")[0]
    assert len(said("resources")) == 2 and "1" in said("resources")[1]
    assert len(said("success")) == 1


@pytest.mark.parametrize("topic", TOPICS)
def test_nothing_said_nothing_heard(topic):
    assert topic_summary(Answers(), topic) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_answer_is_cut(language):
    long = Answers.model_validate({"business": {"problem": "長" * 500}})
    assert len(said("business", language, long)[0]) < 120


def test_what_can_be_heard_is_asked_and_has_its_words():
    keys = {question.key for question in load_questions()}
    assert keys >= HEARD and set(field_keys()) >= HEARD
    assert all(has_text(f"interview.heard.{key}") for key in HEARD)
