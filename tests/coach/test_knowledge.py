"""Cards that can be found in either language, whose figures all stand in a source with a date."""

from __future__ import annotations

import re

import pytest

from coach.knowledge import AREAS, OF_NO_ONE_SUBJECT, card_about, knowledge, search
from coach.recommendation import RULES_VERSION
from coach.reference_data import sources
from coach.text import LANGUAGES

HAN = re.compile(r"[\u3400-\u9fff]")
FIGURE = re.compile(r"\d")
SCORE_NAMES = ("macro-F1", "F1")


@pytest.mark.parametrize("card", knowledge(), ids=lambda card: card.id)
def test_a_card_has_no_figure_of_its_own_and_a_dated_source_for_those_it_quotes(card):
    for language in LANGUAGES:
        said = f"{card.title[language]} {card.says[language]} {card.when[language]}"
        for name in sorted((*card.names, *SCORE_NAMES), key=len, reverse=True):
            said = said.replace(name, "")
        assert not FIGURE.search(said), said
    assert card.sources and set(card.sources) <= set(sources()) and len(set(card.sources)) == len(card.sources)
    assert all(source.date.year >= 2025 and source.where for source in card.quoted()) and card.date.year >= 2025


def test_both_languages_are_complete_and_each_is_its_own():
    for card in knowledge():
        for text in (card.title, card.says, card.when):
            assert set(text) == set(LANGUAGES) and all(text.values())
        assert HAN.search(card.says["zh-TW"]) and not HAN.search(
            " ".join([card.title["en"], card.says["en"], card.when["en"]])
        ), card.id


def test_every_area_has_cards_and_the_companions_list_is_there():
    ids = {card.id for card in knowledge()}
    assert len(ids) == len(knowledge()) and {card.area for card in knowledge()} == set(AREAS)
    wanted = "qwen llama deepseek phi gemma dense moe mla sft lora qlora dora dpo orpo kto classification sentiment extraction generation"
    assert {*wanted.split(), "overfitting", "low-score", "imbalance", "format"} <= ids
    assert any("simpo" in card.words for card in knowledge())


def test_every_source_a_rule_may_name_leads_to_a_card():
    assert {key for key in sources() if card_about(key) is None} == set(OF_NO_ONE_SUBJECT)
    wanted = {"lora-without-regret": "lora", "imbalance": "imbalance", "test-size": "few-test-rows", "vram": "memory-and-time",
              "preference-data": "dpo", "orpo-or-dpo": "orpo", "tfidf-curves": "baseline", "float16-nan": "gemma"}  # fmt: skip
    assert {source: card_about(source).id for source in wanted} == wanted
    assert RULES_VERSION


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("過採樣", "imbalance"),
        ("oversampling", "imbalance"),
        ("LoRA 還是 full fine-tuning？", "lora"),
        ("LoRA or full fine-tuning", "lora"),
        ("過擬合怎麼辦", "overfitting"),
        ("overfiting", "overfitting"),
        ("Ｑｗｅｎ", "qwen"),
        ("D04", "format"),
        ("情感分析", "sentiment"),
        ("named entity", "extraction"),
        ("GPU", "memory-and-time"),
        ("記憶體不足", "memory-and-time"),
        ("類別不均", "imbalance"),
        ("召回率", "imbalance"),
        ("測試資料多少才夠", "few-test-rows"),
        ("confusion matrix", "low-score"),
        ("標註錯誤", "label-noise"),
        ("label errors", "label-noise"),
        ("D13", "label-noise"),
        ("my model is bad", "low-score"),
        ("epochs", "overfitting"),
    ],
)
def test_what_people_type_finds_the_card(asked, first):
    assert search(asked)[0].id == first


def test_nothing_asked_is_everything_and_nonsense_is_nothing():
    assert search("  ") == list(knowledge())
    assert search("xqzzw") == [] and search("<img src=x> [(*") is not None
    assert search("過" * 10_000) == search("過" * 200)


def test_a_source_that_names_a_page_a_paper_or_a_commit_leads_there():
    found = {key: source.address for key, source in sources().items()}
    assert found["lora-without-regret"] == "https://thinkingmachines.ai/blog/lora"
    assert found["biderman"] == "https://arxiv.org/abs/2405.09673"
    assert found["trl-peft"] == "https://github.com/huggingface/trl/tree/f2cd577"
    assert found["tinker-sweep"] == "https://github.com/thinking-machines-lab/tinker-cookbook/tree/9dfcc3a"
    assert found["design"] is None and found["our-practice"] is None and found["specification"] is None
    assert all(address is None or re.fullmatch(r"https://[\w./-]+", address) for address in found.values())
    assert sum(map(bool, found.values())) >= 10
