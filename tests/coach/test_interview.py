"""First sentences, the order of questions, answers and "not sure"; and the stages of the road."""

import time
from datetime import date

import pytest
from pydantic import ValidationError

from coach.answers import Answers, read_answers
from coach.ask_lines import answers_from, ask_document, ask_lines
from coach.errors import UserError
from coach.first_trouble import first_trouble
from coach.interview import (
    answer_of,
    is_answered,
    load_questions,
    missing,
    next_questions,
    not_sure,
    option_name,
    understand,
    with_answer,
)  # fmt: skip
from coach.said_deadline import said_deadline
from coach.stages import STAGES, next_stage
from coach.task_summary import summarize
from coach.workspace import Task, create_task


def question(key):
    return next(found for found in load_questions() if found.key == key)


def keys(questions):
    return [found.key for found in questions]


# --- the first sentence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "road"),
    [
        ("我想做情感分析", "discover"),
        ("我想訓練一個模型", "discover"),
        ("I want to do sentiment analysis", "discover"),
        ("help me with NER", "discover"),
        ("train a model", "discover"),
        ("只有 100 筆資料，想做實體情感分析", "discover"),
        ("F1 只有 72%，怎麼辦？", "diagnose"),
        ("accuracy is stuck at 0.72, what now?", "diagnose"),
        ("loss 不降", "diagnose"),
        ("模型一直過擬合", "diagnose"),
        ("improve accuracy", "diagnose"),
        ("準確率 85% 夠嗎", "diagnose"),
        ("LoRA 還是 full fine-tuning？", "advise"),
        ("LoRA or full fine-tuning?", "advise"),
        ("positive or negative, with LoRA", "discover"),
        ("what model should I use", "advise"),
        ("Qwen 和 Llama 哪個好", "advise"),
        ("DPO or ORPO, which method is better?", "advise"),
    ],
)
def test_a_first_sentence_is_led_to_its_road(said, road):
    assert understand(said).road == road


@pytest.mark.parametrize(
    ("said", "task_type"),
    [
        ("我想做情感分析", "classification"),
        ("意圖分類", "classification"),
        ("entity sentiment for finance", "classification"),
        ("help me with NER", "extraction"),
        ("抽取合約裡的公司名稱", "extraction"),
        ("summarise our meetings", "generation"),
        ("寫新聞摘要", "generation"),
    ],
)
def test_the_type_of_task_is_told_from_words(said, task_type):
    assert understand(said).known["task.type"] == task_type


def test_metric_and_score_are_read_as_a_share():
    for said in ("F1 只有 72%，怎麼辦？", "macro-F1 只有 ７２％", "our f1 is only 0.72"):
        found = understand(said)
        assert (found.metric, found.score) == ("macro_f1", 0.72), said
    assert understand("accuracy 85 %").metric == "accuracy"


def test_rows_machine_language_and_field_are_picked_up():
    known = understand("我有 2,000 筆中文客服工單要分類，有一張 RTX 4090").known
    assert known["resources.labelled_rows"] == 2000 and known["resources.gpu_name"] == "RTX 4090"
    assert known["task.language"] == "zh-TW" and known["task.domain"] == "support"
    assert understand("2k rows of product reviews, no gpu").known["resources.labelled_rows"] == 2000
    assert understand("沒有 GPU，想做分類").known["resources.gpu"] == "none"


def test_what_is_known_is_a_valid_answer():
    answers = answers_from(understand("我有 500 筆中文評論要做情感分析，輕量部署"))
    assert answers.task.type == "classification" and answers.resources.labelled_rows == 500 and answers.needs.light_deployment


def test_the_language_of_the_sentence_is_told():
    assert understand("我想做分類").language == "zh-TW" and understand("classify news").language == "en"


@pytest.mark.parametrize(
    ("said", "day", "weeks"),
    [("月底前要上線", date(2026, 11, 9), 3.0), ("月底要給老闆", date(2026, 11, 28), 0.286), ("下個月底前", date(2026, 12, 10), 7.4),
     ("ready by the end of the month", date(2026, 11, 30), 0.143), ("before the end of next month", date(2026, 11, 2), 8.4),
     ("月底結帳的資料", date(2026, 11, 9), None), ("每月底前的報表要分類", date(2026, 11, 9), None),
     ("reports of the end of the month", date(2026, 11, 9), None)],
)  # fmt: skip
def test_the_end_of_the_month_is_a_deadline_by_the_day_it_is_said(said, day, weeks):
    assert said_deadline(said, day) == weeks


@pytest.mark.parametrize(
    ("said", "rows"),
    [("想自動把客服訊息分給對的人，有 400 多筆", 400), ("customer messages, 400-odd of them, to sort into five teams", 400),
     ("400+ tickets to route to the right person", 400)],
)  # fmt: skip
def test_sending_things_to_people_is_a_classification_and_about_so_many_rows_are_counted(said, rows):
    known = understand(said).known
    assert known["task.type"] == "classification" and known["resources.labelled_rows"] == rows


@pytest.mark.parametrize(
    ("said", "weeks"),
    [
        ("我想做客服訊息的情感分析，大概 400 筆，老闆下個月要看", 4.3),
        ("兩週內要上線", 2.0),
        ("下週前要交", 1.0),
        ("classify tickets, due next week", 1.0),
        ("needed within 3 weeks", 3.0),
        ("過去三個月內的資料 3000 筆", None),
        ("最近 3 個月內的留言", None),
        ("預測下個月的銷售", None),
        ("每個月 3000 筆", None),
        ("客訴要在 3 天內回覆，想分類", None),
        ("預測客戶 30 天內會不會流失", None),
        ("we collected 500 rows within 2 weeks", None),
        ("分類下個月要到期的合約", None),
        ("十二週內上線", None),
    ],
)
def test_a_deadline_within_a_sentence_is_heard_and_other_times_are_not(said, weeks):
    assert understand(said).known.get("business.deadline_weeks") == weeks


@pytest.mark.parametrize("said", ["", "   ", "\n"])
def test_saying_nothing_is_a_sentence_back(said):
    with pytest.raises(UserError) as caught:
        understand(said)
    assert len(caught.value.lines("en")) == 3


@pytest.mark.parametrize("said", ["🙂", "a" * 100_000, "%s {text} {0}", "F1 72% 85%", "0.5.5", "999999999999 筆"])
def test_odd_sentences_are_understood_as_little_as_they_say(said):
    assert understand(said).road in ("discover", "diagnose", "advise")


def test_what_is_known_is_not_asked_again():
    document = ask_document(understand("我想做情感分析"), "zh-TW", 10)
    assert "task.type" not in [found["key"] for found in document["next_questions"]]
    assert document["road"] == "discover" and len(document["next_questions"]) == 10


# --- the questions -------------------------------------------------------------------------------------------------------------


def test_the_first_three_questions_are_those_of_the_specification():
    assert keys(next_questions(Answers(), 3)) == ["business.problem", "task.type", "resources.labelled_rows"]


def test_labels_are_asked_of_a_classification_only():
    assert "task.labels" not in keys(next_questions(Answers()))
    assert "task.labels" in keys(next_questions(with_answer(Answers(), "task.type", "classification")))
    assert "task.labels" not in keys(next_questions(with_answer(Answers(), "task.type", "generation")))


def test_a_follow_up_waits_for_its_answer():
    assert "success.baseline_score" not in keys(next_questions(Answers()))
    assert "success.baseline_score" in keys(next_questions(with_answer(Answers(), "success.baseline_name", "rules")))
    assert "resources.host" in keys(next_questions(with_answer(Answers(), "resources.gpu", "remote")))


def test_questions_of_one_topic_can_be_asked_alone():
    assert {found.topic for found in next_questions(Answers(), topic="success")} == {"success"}


def test_metrics_offered_fit_the_type_of_task():
    metric = question("success.primary_metric")
    assert set(metric.for_answers(with_answer(Answers(), "task.type", "extraction")).options) == {
        "entity_f1",
        "micro_f1",
        "macro_f1",
        "exact_match",
    }
    assert metric.for_answers(with_answer(Answers(), "task.type", "generation")).default == "rouge_l"
    assert set(metric.for_answers(Answers()).options) == set(metric.options)


def test_not_sure_takes_the_default_and_says_that_it_is_assumed():
    answers = not_sure(Answers(), question("resources.more_data"))
    assert answers.resources.more_data == "some" and answers.assumed == ["resources.more_data"]
    said = with_answer(answers, "resources.more_data", "none")
    assert said.assumed == [] and said.resources.more_data == "none"


def test_not_sure_without_a_default_is_not_asked_again():
    answers = not_sure(Answers(), question("business.problem"))
    assert answers.business.problem is None and is_answered("business.problem", answers)
    assert "business.problem" not in keys(next_questions(answers))


def test_nested_answers_are_reached():
    answers = with_answer(Answers(), "task.example.input", "一則新聞")
    assert answer_of("task.example.input", answers) == "一則新聞" and answer_of("task.example.output", Answers()) is None


def test_a_value_that_does_not_fit_is_refused():
    with pytest.raises(ValidationError):
        with_answer(Answers(), "task.type", "poetry")


def test_every_question_can_be_answered_to_the_end():
    answers = Answers()
    for _ in range(len(load_questions()) + 1):
        open_ones = next_questions(answers)
        if not open_ones:
            break
        answers = not_sure(answers, open_ones[0])
    assert next_questions(answers) == []


# --- the stages ----------------------------------------------------------------------------------------------------------------


def test_there_are_seven_stages_with_a_page_each():
    assert [stage.id for stage in STAGES] == ["discover", "goal", "recommend", "confirm", "train", "evaluate", "iterate"]
    assert len({stage.page for stage in STAGES}) == 7


def test_a_new_task_stands_at_the_first_stage_and_moves_on_with_its_files(tmp_path):
    from coach.text import text

    task = create_task(tmp_path, "news")
    assert next_stage(task).id == "discover"
    answers = task.answers()
    for open_one in missing(answers):
        answers = not_sure(answers, open_one)
    answers = with_answer(answers, "task.type", "generation")
    while missing(answers):
        answers = not_sure(answers, missing(answers)[0])
    task.save_answers(answers)
    assert next_stage(task).id == "goal"
    task.save_summary(summarize(answers))
    assert next_stage(task).id == "recommend"
    assert all(text(stage.title_key, language) for stage in STAGES for language in ("zh-TW", "en"))


def test_the_example_task_has_come_as_far_as_iterating():
    from pathlib import Path

    example = Path(__file__).parent.parent / "data" / "example-task"
    task = Task.open(example)
    assert next_stage(task).id == "iterate"
    assert read_answers(example / "answers.yaml").task.type


# --- labels listed in the first sentence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("I get about 120 support messages a day, to route each to billing, shipping or technical", ["billing", "shipping", "technical"]),
        ("Sort our tickets into spam, ham and other, please", ["spam", "ham", "other"]),
        ("label each review as positive, negative or neutral with a small model", ["positive", "negative", "neutral"]),
        ("sort mails to three teams: billing, shipping or technical teams", ["billing", "shipping", "technical"]),
        ("sort support mails into refunds and shipping, classes 95:5", ["refunds", "shipping"]),
        ("sort the mails into urgent and not urgent", ["urgent", "not urgent"]),
        ("每天約 120 則客服訊息，想分派給帳務、物流或技術部門", ["帳務", "物流", "技術"]),
        ("把信件分成退款、物流、其他三類，沒有 GPU", ["退款", "物流", "其他"]),
        ("把來信歸類為：客訴，詢問或其他", ["客訴", "詢問", "其他"]),
    ],
)  # fmt: skip
def test_labels_listed_after_a_verb_of_sorting_make_a_classification(said, labels):
    found = understand(said)
    assert (found.known["task.labels"], found.known["task.type"]) == (labels, "classification")
    assert "resources.labelled_rows" not in found.known
    assert answers_from(found).task.labels == labels


@pytest.mark.parametrize(
    "said",
    [
        "assign tickets to Anna and write a reply",
        "assign each ticket to a team and a priority",
        "route each to the right team, quickly",
        "classify news into topics and summarize them",
        "sort mails into folders and write a reply",
        "sort mails into groups and label them",
        "forward it to me or my boss",
        "sort the data into train, valid and test",
        "translate each message to English, Japanese or Korean",
        "把資料分成訓練、驗證、測試",
        "想把來信分成十五類",
        "把資料分成兩個檔案或資料夾",
    ],
)
def test_no_labels_are_read_into_other_lists(said):
    assert "task.labels" not in understand(said).known


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ("I have 200 support mails", 200),
        ("10000 reviews", 10_000),
        ("Sort our 1,500 e-mails by urgency", 1_500),
        ("2k customer support tickets to sort into three groups", 2_000),
        ("more than 300 old chat messages", 300),
        ("find complaints in 10000 comments", 10_000),
        ("we have 450 documents", 450),
        ("800 news headlines from last year", 800),
        ("600 sentences, 700 posts", 600),
        ("我有 200 封客服信", 200),
        ("客服信有200封", 200),
        ("1.2 萬則評論要分類", 12_000),
        ("新聞 800 多篇", 800),
        ("300 條留言", 300),
        ("600 句對話", 600),
        ("5k封客服信", 5_000),
    ],
)
def test_texts_that_are_counted_are_rows(said, rows):
    assert understand(said).known["resources.labelled_rows"] == rows


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ("10,000 reviews, 500 labelled", 500),
        ("10000 reviews, 500 of them are labelled", 500),
        ("We get 500 mails a day and have 3000 labelled rows", 3_000),
        ("10000 則評論，其中 500 筆有標註", 500),
        ("有 10000 封信，其中 500 封已標註", 500),
        ("500 筆未標註，20 筆已標註", 20),
        ("500 rows, 20 of them labelled", 20),
        ("還沒標註的很多，已標註 300 筆", 300),
        ("5000 筆資料，其中 800 筆已標註", 800),
        ("1000 筆資料，標註好 200 筆", 200),
        ("我們有 500 筆資料，還有很多沒標註的", 500),
        ("沒有標註人力但有 500 筆資料", 500),
        ("we have 500 rows; the rest is unlabelled", 500),
    ],
)
def test_what_is_said_to_be_labelled_goes_before_what_there_is(said, rows):
    assert understand(said).known["resources.labelled_rows"] == rows


@pytest.mark.parametrize(
    ("said", "road", "score", "known"),
    [
        ("現在用規則，準確率只有 80%，想到 90%", "discover", 0.8, {"success.baseline_score": 0.8, "success.threshold": 0.9}),
        ("F1 只有 72%，目標 85%，怎麼辦", "diagnose", 0.72, {"success.threshold": 0.85}),
        ("accuracy 0.7 only, want to reach 0.85", "diagnose", 0.7, {"success.threshold": 0.85}),
        ("準確率至少 90%", "discover", None, {"success.threshold": 0.9}),
        ("F1 只有 72%，怎麼辦？", "diagnose", 0.72, {}),
        ("至少 0.5 秒內回覆", "discover", 0.5, {}),
        ("我們至少有 20% 的客訴信是重複的，想自動分類", "discover", 0.2, {}),
        ("we only reach 72% accuracy", "diagnose", 0.72, {}),
        ("our rules reach 70% accuracy, we want 90%", "discover", 0.7, {"success.baseline_score": 0.7, "success.threshold": 0.9}),
        ("目標 F1 0.8，目前關鍵字規則 F1 0.62", "discover", 0.62, {"success.baseline_score": 0.62, "success.threshold": 0.8}),
        ("提升準確率到 90%", "discover", None, {"success.threshold": 0.9}),
        ("我們人工標註的資料有 800 筆，f1 0.62 太低", "diagnose", 0.62, {}),
        ("the model breaks the rules, f1 only 0.6", "diagnose", 0.6, {}),
        ("規則引擎準確率 70%，微調後的模型只有 65%，怎麼辦", "diagnose", 0.65, {}),
    ],
)
def test_what_is_reached_today_and_what_is_wanted_are_told_apart(said, road, score, known):
    found = understand(said)
    scores = {key: value for key, value in found.known.items() if key in ("success.baseline_score", "success.threshold")}
    assert (found.road, found.score, scores) == (road, score, known)


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_a_score_alone_is_answered_with_how_little_it_tells_and_what_to_look_at(language):
    lines = ask_lines(understand("F1 只有 72%，怎麼辦？"), language, 0)
    assert any("63%" in line and "80%" in line for line in lines) and any("TF-IDF" in line for line in lines)
    assert "first_looks" in ask_document(understand("F1 72%, what now"), language, 0)
    assert not ask_document(understand("sort mails"), language, 0)["first_looks"]
    assert not ask_document(understand("翻譯的 BLEU 只有 0.2，太低"), language, 0)["first_looks"], "a translation has no classes"


@pytest.mark.parametrize(("said", "contrasts"), [("LoRA 還是 full fine-tuning？", True), ("LoRA 還是 DPO？", False)])
def test_full_fine_tuning_is_held_against_lora_where_it_was_asked_for(said, contrasts):
    advice = ask_document(understand(said), "zh-TW", 0)["advice"]
    assert ("100,000" in advice.get("between", "")) is contrasts


@pytest.mark.parametrize(
    "said",
    [
        "500 mails a day",
        "we get about 500 customer mails every single day",
        "every day we receive about 500 support mails",
        "500 tickets come in per hour",
        "1000 reviews weekly",
        "500 mails/day",
        "每天 500 封",
        "每天大約會收到 500 封客服信",
        "500 封信每天",
        "每週 300 篇文章",
        "一天 500 則",
    ],
)
def test_a_rate_is_no_number_of_rows(said):
    assert "resources.labelled_rows" not in understand(said).known


@pytest.mark.parametrize(
    "said",
    [
        "10000 unlabelled reviews",
        "10000 reviews, none of them labelled",
        "500 mails without labels",
        "500 封信，都還沒標註",
        "500 封未標註的信",
        "我有 500 筆未標註的評論",
        "有 500 筆，還沒標",
        "未標註的有 500 筆",
        "500 unlabelled rows",
        "I have 500 rows but none are labelled",
        "summarise each article in 3 sentences",
        "摘要成 3 句",
        "tell the 5 star reviews from the others",
        "a team of 30 reading mails",
        "10 types of messages",
        "24/7 support messages",
        "show the top 20 posts",
    ],
)
def test_what_has_no_labels_or_is_something_else_is_no_number_of_labelled_rows(said):
    assert "resources.labelled_rows" not in understand(said).known


@pytest.mark.parametrize("said", ["1" * 2000, "1," * 1000, "1 筆每天" * 500, "10 a " * 500])
def test_no_sentence_takes_long_to_look_through(said):
    begun = time.perf_counter()
    understand(said)
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("said", ["about 120 rows a day", "每天 120 則訊息", "120 筆一天", "we get 120 examples per week"])
def test_what_comes_in_every_day_is_no_number_of_labelled_rows(said):
    assert "resources.labelled_rows" not in understand(said).known
    assert understand(f"{said}, 500 labelled").known["resources.labelled_rows"] == 500


@pytest.mark.parametrize(
    ("said", "rows"),
    [("My accuracy is only 72% on 54 test rows", "54 test rows"), ("準確率只有 72%，測在 1,200 筆測試資料上", "1200 test rows"),
     ("My accuracy is only 72%", "measured on 100 rows")],
)  # fmt: skip
def test_a_score_alone_is_held_against_the_test_rows_that_are_named(said, rows):
    assert rows in first_trouble(understand(said))[0].say("en")


def test_a_proposed_field_has_a_name_and_ones_own_stays():
    assert option_name("task.domain", "support", "zh-TW") == "客服"
    assert option_name("task.domain", "beekeeping", "zh-TW") == "beekeeping"


@pytest.mark.parametrize(
    ("said", "key", "value"),
    [
        ("分成帳戶與網銀、信用卡、貸款、申訴四類", "task.labels", ["帳戶與網銀", "信用卡", "貸款", "申訴"]),
        ("分成正面、中立和負面三類", "task.labels", ["正面", "中立", "負面"]),
        ("分成正面與負面兩類", "task.labels", ["正面", "負面"]),
        ("沒有標註資料，只有五千則對話紀錄", "resources.labelled_rows", 0),
        ("we have no labelled data, only 5000 chats", "resources.labelled_rows", 0),
        ("我有 300 筆客服工單，明天就要", "business.deadline_weeks", 0.143),
        ("準確率要 90%", "success.threshold", 0.9),
        ("規則的準確率七成二，想到八成五", "success.threshold", 0.85),
        ("規則的準確率七成二，想到八成五", "success.baseline_score", 0.72),
        ("要不要先買一張 4090？", "resources.gpu_name", None),
        ("我們有一張 4090", "resources.gpu_name", "RTX 4090"),
    ],
)
def test_more_of_a_first_sentence_is_heard(said, key, value):
    assert understand(said).known.get(key) == value


def test_a_score_in_tenths_that_fell_is_trouble_and_a_share_of_customers_is_no_score():
    fell = understand("我的模型準確率掉到六成五，老闆不滿意")
    assert (fell.road, fell.score) == ("diagnose", 0.65)
    assert understand("八成的客戶訊息是查餘額，想分類").score is None
