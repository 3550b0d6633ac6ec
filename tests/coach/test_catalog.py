"""The data files: texts complete in both languages, every source known, every row of the shape its reader expects."""

import ast
import re
import string
from pathlib import Path

import pytest

from coach.answers import Answers
from coach.errors import BEATS
from coach.gpu_cards import cards
from coach.intents import intents, stands_in
from coach.interview import TOPICS, answer_of, field_keys, load_questions, with_answer
from coach.reference_data import LoraBand, method_book, model_row, models, sources
from coach.task_schema import Method
from coach.text import LANGUAGES, catalogue, has_text

ROOT = Path(__file__).parents[2]
HAN = re.compile(r"[\u3400-\u9fff]")
QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|'[^']*'|\([^)]*\)|[^\s,;:.]*[\u3400-\u9fff]+[^\s,;:.]*(?=[,;:.]|$)")
BILINGUAL_FILES = sorted((ROOT / "coach" / "catalog").glob("*.yaml"))


def placeholders(said):
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(said) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_both_languages_ask_for_the_same_values(key):
    texts = catalogue()[key]
    assert set(texts) == set(LANGUAGES)
    assert placeholders(texts["zh-TW"]) == placeholders(texts["en"])


def test_no_text_is_empty_in_one_language_only():
    assert [key for key, texts in catalogue().items() if bool(texts["zh-TW"].strip()) != bool(texts["en"].strip())] == []


def test_english_texts_hold_chinese_only_as_quoted_values():
    assert [key for key, texts in catalogue().items() if HAN.search(QUOTED.sub("", texts["en"]))] == []


def test_chinese_texts_are_not_left_in_english():
    longer = {key: texts["zh-TW"] for key, texts in catalogue().items() if len(re.findall(r"[A-Za-z]{2,}", texts["zh-TW"])) > 6}
    assert [key for key, said in longer.items() if not HAN.search(said)] == []


def test_nobody_shouts():
    shouting = re.compile(r"！|!(?=[\s\"”」]|$)")
    assert [key for key, texts in catalogue().items() if any(shouting.search(said) for said in texts.values())] == []


def test_every_error_has_its_three_beats():
    errors = {key.rsplit(".", 1)[0] for key in catalogue() if key.startswith("errors.")}
    assert [f"{key}.{beat}" for key in errors for beat in BEATS if not has_text(f"{key}.{beat}")] == []


def written_keys():
    """Keys that stand written out in calls of text, sentence and Sentence in coach."""
    for path in sorted((ROOT / "coach").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (
                isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("text", "sentence", "Sentence") and node.args
            ):
                continue
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                yield path.name, node.args[0].value


def test_every_key_written_in_the_code_has_a_text():
    found = list(written_keys())
    assert len(found) > 50
    assert [(name, key) for name, key in found if not has_text(key)] == []


def test_every_source_a_data_file_names_is_in_the_list():
    book, known = method_book(), set(sources())
    named = {row.source for row in models()} | {row.source for row in book.methods} | {band.source for band in book.lora_by_rows}
    named |= {
        book.large_model.source,
        book.full.source,
        book.preference.source,
        book.forecast.source,
        book.forecast.extraction.source,
    }
    assert named <= known and {"gpu-sheets", "model-catalogue"} <= known


def test_a_source_says_where_and_when_and_what():
    for key, source in sources().items():
        assert source.title and source.where and source.date.year >= 2025 and set(source.says) == set(LANGUAGES), key


def test_models_are_listed_once_and_the_ones_the_rules_name_are_there():
    from coach.recommendation.alternatives import LARGER
    from coach.recommendation.base_model import LLAMAS, PHI_MINI, QWEN_2B, QWEN_4B, QWEN_TINY, THINKERS

    ids = [row.id for row in models()]
    assert len(ids) == len(set(ids))
    assert all(model_row(name) for name in (QWEN_4B, QWEN_2B, QWEN_TINY, PHI_MINI, LARGER, *LLAMAS, *THINKERS))


@pytest.mark.parametrize("row", [row for row in models() if row.shape], ids=lambda row: row.id)
def test_a_models_shape_and_its_number_of_parameters_agree(row):
    shape = row.shape
    attention = 2 * shape.hidden * shape.q + 2 * shape.hidden * shape.kv
    counted = shape.layers * (attention + 3 * shape.hidden * shape.ffn) + shape.embedding_parameters
    assert counted / 1e9 == pytest.approx(row.params_b, rel=0.02)


def test_the_starter_model_has_numbers_of_its_own():
    row = model_row("starter/gemma-3-270m")
    assert row.learning_rate and row.epochs and row.licence == "gemma"


def test_every_method_of_task_yaml_has_a_row():
    from typing import get_args

    assert {row.id for row in method_book().methods} == set(get_args(Method))


def test_larger_amounts_of_data_never_get_a_smaller_rank():
    ranks = [band.r for band in method_book().lora_by_rows if isinstance(band, LoraBand)]
    assert ranks == sorted(ranks) and all(band.alpha == 2 * band.r for band in method_book().lora_by_rows)
    for band in method_book().lora_by_rows:
        fewest, start, most = band.epochs
        assert fewest <= start <= most


def test_every_card_has_memory_and_speed():
    assert all(card.vram_gb > 0 and card.peak_tflops > 0 for card in cards())


# --- questions and words -------------------------------------------------------------------------------------------------------


def test_every_field_of_the_answers_is_asked_for_and_nothing_else():
    asked = [question.key for question in load_questions()]
    assert len(asked) == len(set(asked))
    assert set(asked) == set(field_keys()) - {"title", "assumed", "from_file"}


@pytest.mark.parametrize("question", load_questions(), ids=lambda question: question.key)
def test_a_question_is_complete_and_its_default_and_options_are_accepted(question):
    assert question.topic == question.key.split(".")[0] and question.topic in TOPICS
    for texts in (question.ask, question.why, question.example, *(question.options or {}).values()):
        assert set(texts) == set(LANGUAGES) and all(texts.values())
        assert not HAN.search(QUOTED.sub("", texts["en"]))
    assert bool(question.options) or question.kind != "choice"
    assert question.kind in ("choice", "text") or not question.options  # of a text they are proposals
    for value in [*(question.options or {}), *([question.default] if question.default is not None else [])]:
        assert answer_of(question.key, with_answer(Answers(), question.key, value)) == value
    for key in question.asked_when or {}:
        answer_of(key, Answers())
    for narrowed in (question.by_task_type or {}).values():
        assert narrowed.default in narrowed.options and set(narrowed.options) <= set(question.options)


def test_the_specifications_five_topics_are_all_asked_about():
    assert {question.topic for question in load_questions()} == set(TOPICS)


def test_words_are_found_whole_in_latin_script_and_anywhere_in_chinese():
    assert stands_in("NER", "help me with ner") and not stands_in("ner", "a banner")
    assert stands_in("情感", "我想做情感分析") and intents().roads["advise"]
