"""What a first sentence wishes for, and what it tells of the card, the classes and the time left."""

import pytest

from coach.ask_lines import ask_document
from coach.contradictions import contradictions
from coach.first_sentence import understand
from coach.gpu_cards import said_memory
from coach.new_task import first_answers
from coach.said_balance import said_balance
from coach.said_deadline import said_deadline
from coach.said_wishes import Wishes, said_wishes

A_DAY = pytest.approx(1 / 7, abs=0.001)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("想做 full fine-tuning", Wishes(full_tuning=True)),
        ("我們不想做全參數微調", Wishes()),
        ("we do not want full fine-tuning", Wishes()),
        ("LoRA 還是 full fine-tuning？", Wishes()),
        ("300 筆評論，QLoRA 還是全參數微調？", Wishes()),
        ("不考慮全參數微調，太貴", Wishes()),
        ("what is full fine-tuning?", Wishes()),
        ("分類討論全參數微調的論文", Wishes()),
        ("full fine-tuning is not an option", Wishes()),
        ("full fine-tuning of Qwen3-8B in 16 bit", Wishes(full_tuning=True, model="Qwen/Qwen3-8B", bits=16)),
        ("don't use Qwen3-8B, it is too large", Wishes()),
        ("Qwen3-8B 還是 Qwen3-4B 好？", Wishes()),
        ("classify tweets about Llama 3.1 8B", Wishes()),
        ("use Phi-4-multimodal", Wishes()),
        ("不要 4 bit，用 16 bit 的 Qwen3-8B", Wishes(model="Qwen/Qwen3-8B", bits=16)),
        ("用 Qwen3-8B 16 bit", Wishes(model="Qwen/Qwen3-8B", bits=16)),
        ("qwen3 8b with QLoRA", Wishes(model="Qwen/Qwen3-8B", bits=4)),
        ("改用 Phi-4-mini ４位元", Wishes(model="microsoft/Phi-4-mini-instruct", bits=4)),
        ("we plan to use Llama 3.1 8B in bf16", Wishes(model="meta-llama/Llama-3.1-8B-Instruct", bits=16)),
        ("a model like Qwen", Wishes()),
        ("64 bit machine, 3.16 bit", Wishes()),
    ],
)
def test_wishes_are_heard_and_what_is_not_wanted_is_none(words, expected):
    assert said_wishes(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("詐騙偵測，95:5", "skewed"),
        ("classes 95:5", "skewed"),
        ("正負 6:4", "balanced"),
        ("類別很不平衡的評論", "skewed"),
        ("an imbalanced set", "skewed"),
        ("正面負面各半", "balanced"),
        ("95% 正面 5% 負面，用準確率評估", "skewed"),
        ("60% positive and 40% negative", "balanced"),
        ("正面 70%、中立 20%、負面 10%", "skewed"),
        ("80% 訓練、20% 測試", None),
        ("F1 只有 72%，準確率 28%", None),
        ("precision 60%, recall 40%", None),
        ("準確率從 40% 提升到 60%", None),
        ("切成 80:20 訓練與測試", None),
        ("80:20 split", None),
        ("每天 9:30 的新聞", None),
        ("分類 9/1 之後的客服信件", None),
        ("stars 1 to 9", None),
        ("team won 8:2", None),
        ("湖人以 55:45 輸球", None),
        ("hold out 90:10", None),
        ("資料 7:3 分", None),
        ("the classes are not imbalanced", None),
        ("classes are not balanced", None),
        ("資料平均 300 字", None),
        ("貿易嚴重不平衡的新聞", None),
        ("balanced funds news", None),
        ("500 筆評論", None),
    ],
)
def test_how_classes_share_the_rows_is_heard_and_a_split_or_a_time_is_passed_over(words, expected):
    assert said_balance(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("8GB 的顯示卡", 8),
        ("a GPU with 24 GB", 24),
        ("VRAM 只有 6G", 6),
        ("顯示卡 8 GB，想用 Qwen3-8B 16 位元", 8),
        ("my GPU only has 8 GB", 8),
        ("GPU 8GB", 8),
        ("用 GPU 8GB 的資料跑", None),
        ("16GB 記憶體的筆電", None),
        ("2 GB of mails, no GPU", None),
        ("GPU 主機硬碟 500G", None),
        ("20GB 的資料用GPU跑", None),
        ("5G GPU 概念股新聞", None),
        ("GPU 0GB", None),
        ("a GPU box with 64 GB RAM and 24 GB VRAM", 24),
        ("RTX 4090 48GB", 48),
    ],
)
def test_the_memory_of_a_card_is_heard_and_no_other(words, expected):
    assert said_memory(words) == expected


@pytest.mark.parametrize(
    "words", ["客服來信分類，明天就要交", "the deadline is tomorrow", "it is due tomorrow", "期限是明天", "今天要上線"]
)
def test_a_deadline_tomorrow_is_a_day(words):
    assert said_deadline(words) == A_DAY


@pytest.mark.parametrize(
    "words",
    [
        "明天的股價要用模型預測",
        "明天交易日的新聞",
        "tomorrow's headlines",
        "deadline 的新聞 3 天前的",
        "今天完成了標註，共有500筆",
        "今天上線的商品評論分類",
        "把今天截止的標案公告分類",
        "明天到期的票據分類",
        "今天交班紀錄分類",
        "期限 3 天的退貨申請分類",
        "截止日是明天的標案分類",
        "predict the weather by tomorrow",
        "data collected until today",
        "the data is ready today: 800 rows",
        'subjects such as "deadline tomorrow"',
        "emails that were due today",
    ],
)
def test_what_the_texts_are_about_is_no_deadline(words):
    assert said_deadline(words) is None


def test_a_deadline_is_heard_with_its_number():
    assert said_deadline("the deadline is in 3 days") == pytest.approx(3 / 7, abs=0.001) and said_deadline("期限是兩週") == 2


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("把信分成物流、退款兩類，有 300 筆，想做 full fine-tuning", "300 rows"),
        ("8GB 的顯示卡，用 Qwen3-8B 16 bit 做情感分析", "10 GB"),
        ("詐騙偵測，95:5，用 accuracy 評估", "large class alone"),
        ("正負比例 95:5，用準確率評估", "large class alone"),
        ("95% 正面 5% 負面，用準確率評估", "large class alone"),
        ("把信分成物流、退款兩類，有 300 筆，明天就要交", "about 1"),
    ],
)
def test_what_does_not_go_together_in_a_first_sentence_is_said_there_and_on_discover(sentence, said):
    (told,) = ask_document(understand(sentence), "en", 3)["contradictions"]
    assert said in told
    assert [one.said.say("en") for one in contradictions(first_answers(sentence, understand(sentence)))] == [told]


def test_a_question_of_one_or_the_other_contradicts_nothing():
    assert ask_document(understand("300 筆資料，LoRA 還是 full fine-tuning？"), "en", 3)["contradictions"] == []


def test_a_sentence_of_hardly_anything_but_spaces_is_read_at_once():
    assert understand("x1" + " " * 1900 + "…x").text == "x1 ...x"
