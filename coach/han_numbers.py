"""Numbers written in Chinese characters, as far as people write them in a sentence: one to ten, and tenths such as 七成二."""

from __future__ import annotations

HAN_NUMBERS = {"一": 1, "二": 2, "兩": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}


def number_in(written: str) -> int:
    """`written` in digits, or one of HAN_NUMBERS. Raises KeyError for anything else."""
    return int(written) if written.isdecimal() else HAN_NUMBERS[written]


def share_of_tenths(tenths: str, more: str | None) -> float:
    """七成二 (`七`, `二`) as .72, 九成 as .9."""
    return (10 * number_in(tenths) + (number_in(more) if more else 0)) / 100
