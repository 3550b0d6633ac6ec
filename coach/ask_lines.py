"""What `ask` says of a first sentence, as lines and as JSON: the road, what is known, the next questions, the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from coach.answers import Answers
from coach.contradictions import contradictions
from coach.interview import FirstSentence, Question, next_questions, with_answer
from coach.text import Language, text

if TYPE_CHECKING:  # numpy stands behind it, and the home page, which takes answers from here, does not wait for that
    from coach.diagnosis import Diagnosis
    from coach.first_advice import FirstAdvice


def answers_from(said: FirstSentence) -> Answers:
    """Answers holding what the sentence tells; a value that does not fit is left out, for the next question to ask."""
    answers = Answers()
    for key, value in said.known.items():
        try:
            answers = with_answer(answers, key, value)
        except ValidationError:
            continue
    return answers


def diagnosis_of(figures: str, said: FirstSentence) -> Diagnosis:
    """What the scores in a file show, `-` being standard input. Raises UserError where they cannot be read."""
    from coach.diagnosis import diagnose
    from coach.finding import Evidence
    from coach.pasted_scores import read_figures_file, read_pasted

    return diagnose(Evidence(read_pasted(read_figures_file(figures), metric=said.metric)))


def advice_on(said: FirstSentence) -> FirstAdvice | None:
    """What can be advised already; None for a sentence that does not ask which way to take."""
    if said.road != "advise":
        return None
    from coach.first_advice import first_advice
    from coach.hardware import this_machine

    return first_advice(answers_from(said), this_machine(), said.methods)


def ask_document(said: FirstSentence, language: Language, limit: int, figures: Diagnosis | None = None) -> dict[str, Any]:
    """The JSON of `python -m coach ask`; `figures`: what was found in scores brought along."""
    questions, advice = _questions(said, limit), advice_on(said)
    return {
        **said.as_json(),
        **({"advice": advice.as_json(language)} if advice else {}),
        **({"diagnosis": figures.as_json(language)} if figures else {}),
        **({} if figures else {"first_looks": _first_looks(said, language)}),
        "contradictions": _contradictions(said, language),
        "next_questions": [question.as_json(language) for question in questions],
        "next_command": text(f"cli.coach.ask.command.{'with_figures' if figures else said.road}", language),
    }


def ask_lines(said: FirstSentence, language: Language, limit: int, figures: Diagnosis | None = None) -> list[str]:
    """The same for a person."""
    lines = [text(f"cli.coach.ask.road.{said.road}", language)]
    if figures:
        from coach.first_trouble import another_score
        from coach.judgement_lines import diagnosis_lines

        told = another_score(figures.verdict, said.score)
        lines += [*([told.say(language)] if told else []), text("cli.coach.ask.figures", language)]
        lines += [*diagnosis_lines(None, figures, language), ""]
    elif said.score is not None:
        key = "score" if said.metric else "score_only"
        lines.append(text(f"cli.coach.ask.{key}", language, metric=said.metric, score=said.score))
    lines.append(text("cli.coach.ask.known" if said.known else "cli.coach.ask.nothing_known", language))
    lines += [f"  {key}: {_shown(value, language)}" for key, value in said.known.items()]
    lines += _contradictions(said, language)
    if looks := [] if figures else _first_looks(said, language):
        lines += ["", *looks]
    if advice := advice_on(said):
        lines += ["", *advice.lines(language)]
    questions = _questions(said, limit)
    if questions:
        lines += ["", text("cli.coach.ask.questions", language)]
    for number, question in enumerate(questions, start=1):
        lines += _question_lines(number, question, language)
    return [*lines, "", text(f"cli.coach.ask.command.{'with_figures' if figures else said.road}", language)]


def _contradictions(said: FirstSentence, language: Language) -> list[str]:
    """What does not go together, wishes in the sentence's own words counted."""
    answers = answers_from(said)
    words = answers.business.model_copy(update={"problem": said.text})
    return [found.said.say(language) for found in contradictions(answers.model_copy(update={"business": words}))]


def _first_looks(said: FirstSentence, language: Language) -> list[str]:
    from coach.first_trouble import first_trouble

    return [one.say(language) for one in first_trouble(said)]


def _shown(value: object, language: Language) -> str:
    return (", " if language == "en" else "、").join(value) if isinstance(value, list) else str(value)


def _questions(said: FirstSentence, limit: int) -> list[Question]:
    return next_questions(answers_from(said), max(0, limit))


def _question_lines(number: int, question: Question, language: Language) -> list[str]:
    why, example = question.why[language], question.example[language]
    lines = [f"  {number}. {question.ask[language]} [{question.key}]"]
    lines += [f"     - {_option(name, option[language])}" for name, option in (question.options or {}).items()]
    return [*lines, f"     {text('cli.coach.ask.why', language, why=why, example=example)}"]


def _option(name: str, said: str) -> str:
    """The value to write and what it means; once, where the meaning begins with it."""
    return said if said.casefold().startswith(name.casefold()) else f"{name}: {said}"
