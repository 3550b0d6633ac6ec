"""Scores, shares, rows, cards and deadlines that a sentence tells, and the numbers and words of other things that it does not."""

import pytest

from coach.interview import understand


@pytest.mark.parametrize(
    "said",
    [
        "股價下降、上升、持平三類，準確率要 0.8",
        "把不滿意的評論挑出來，F1 要 0.8",
        "為什麼客人退貨？想把評論分成尺寸、品質、物流三類，準確率要 0.8",
        "銷量下降的新聞分類，準確率要 0.8",
        "classify why customers cancel into price, quality, support; target accuracy 0.85",
        "What is wrong with the product: classify complaints, F1 at least 0.8",
    ],
)
def test_words_of_trouble_in_what_the_texts_are_about_are_no_trouble(said):
    assert understand(said).road == "discover"


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("規則 45%，模型 55%，怎麼改善", 0.55),
        ("baseline 45%, model 55%", 0.55),
        ("一成不變的規則，準確率只有 60%", 0.6),
        ("九成都是英文信，準確率 0.82", 0.82),
        ("合成資料三成，準確率七成", 0.7),
        ("我們準確率九成五，人工標註要三成時間", 0.95),
        ("要把準確率提高三成", None),
        ("準確率提升了一成五", None),
        ("錯誤率三成，準確率多少才夠", None),
        ("四成的客戶抱怨物流，六成抱怨品質，準確率目標九成", None),
        ("八成的客戶訊息是查餘額，想分類", None),
    ],
)
def test_the_score_reached_is_told_from_shares_and_changes(said, score):
    found = understand(said)
    assert found.score == score and "resources.class_balance" not in found.known


@pytest.mark.parametrize(
    ("said", "aim"),
    [
        ("We want 90% and the other 10% go to people; accuracy counts", 0.9),
        ("四成的客戶抱怨物流，六成抱怨品質，準確率目標九成", 0.9),
        ("我們準確率九成五，人工標註要三成時間", None),
        ("成本要降低三成，準確率維持八成", None),
    ],
)
def test_what_is_wanted_of_a_score_is_told_from_what_is_wanted_of_others(said, aim):
    assert understand(said).known.get("success.threshold") == aim


@pytest.mark.parametrize(
    "said",
    [
        "自動處理 80%，人工處理 20%",
        "信心 60% 以上自動處理，40% 以下人工看",
        "70% Chinese and 30% English mails, sort them into three groups",
        "答對 70%，答錯 30%",
        "accuracy was 60% before, now 40%",
    ],
)
def test_shares_of_other_things_say_nothing_of_the_classes(said):
    assert "resources.class_balance" not in understand(said).known


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ("沒有標註資料，只有五千則對話紀錄", 0),
        ("一筆標註都沒有", 0),
        ("we have no labelled data, only 5000 chats", 0),
        ("2000 則評論，一筆都沒有漏標", 2000),
        ("一筆都沒有重複的 3000 則評論", 3000),
        ("Is there no labelled data needed for prompting? We have 500 reviews", 500),
        ("有沒有標註好的資料可以買？我們有 2000 則評論", None),
        ("有沒有標註資料的範例", None),
    ],
)
def test_no_labelled_rows_are_told_from_a_question_and_from_none_missing(said, rows):
    assert understand(said).known.get("resources.labelled_rows") == rows


@pytest.mark.parametrize(
    ("said", "card"),
    [
        ("公司買了一張 RTX 4090，想做評論分類", "RTX 4090"),
        ("去年買的 RTX 4090 可以跑嗎", "RTX 4090"),
        ("剛升級到 RTX 4090，可以微調 8B 嗎", "RTX 4090"),
        ("轉換 RTX 3060 上的模型", "RTX 3060"),
        ("I get a T4 on Colab for free", "T4"),
        ("要不要先買一張 4090？", None),
        ("打算租 A100", None),
        ("should we buy an RTX 4090?", None),
    ],
)
def test_a_card_to_be_bought_is_told_from_one_that_is_there(said, card):
    assert understand(said).known.get("resources.gpu_name") == card


@pytest.mark.parametrize(
    "said",
    [
        "客人明天就要，退貨信分類",
        "信件內容：明天就要，急",
        "Customers say they need that tomorrow",
        "像是「我明天就要！」要判斷急不急",
    ],
)
def test_somebody_elses_deadline_is_none(said):
    assert "business.deadline_weeks" not in understand(said).known
