"""A notice in a log may come from another version of the program: it is shown with what is known of it, never with an error."""

import pytest

from training.run_report import notice_sentence


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize(
    "notice",
    [
        {"code": "D07", "message_key": "notice.imbalance", "data": {"class": "正面"}},
        {"code": "X99", "message_key": "notice.of_a_later_version", "data": {"class": "正面"}},
        {"code": "X99"},
    ],
)
def test_a_notice_with_an_unknown_key_or_missing_numbers_is_said_by_its_code(notice, language):
    assert notice["code"] in notice_sentence(notice, language)


def test_a_known_notice_is_a_sentence():
    said = notice_sentence(
        {"code": "N04", "message_key": "notice.improving", "data": {"metric": "macro_f1", "value": 0.61, "gain": 0.02}}, "en"
    )
    assert "N04" not in said and "0.6" in said
