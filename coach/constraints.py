"""A summary's constraints: answers worded as short sentences, and such sentences read back, in Chinese and English.

Owns the words. Recognises a sentence whole or not at all, so that nothing a person wrote is lost half-read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from pydantic import ValidationError

from coach.answers import Answers
from coach.han_numbers import HAN_NUMBERS
from coach.said_rows import MOST_ROWS
from coach.text import DEFAULT_LANGUAGE, Language, text

Fields = dict[str, Any]  # dotted keys of answers.yaml and their values

_NUMBER = r"(\d+(?:\.\d+)?)"
_SCALES = {"": 1, "k": 1_000, "千": 1_000, "萬": 10_000, "万": 10_000}
_ABOUT = r"(?:約|大約|about|around|~)?\s*"
_LABELLED, _EN_ROWS = "(?:labelled|labeled|annotated)", "(?:rows?|examples?|samples?|records?|items?)"
_ROWS = re.compile(
    rf"{_ABOUT}{_NUMBER}\s*(k|千|萬|万)?\s*"
    rf"(?:(?:筆|条|條|則|句)\s*(?:已?標註|已?标注)?(?:資料)?|{_EN_ROWS}\s*{_LABELLED}?|{_LABELLED}\s*{_EN_ROWS})"
)
_PAIRS = re.compile(rf"{_ABOUT}{_NUMBER}\s*(k|千|萬|万)?\s*(?:對|对|組|pairs?)")
_TIME = re.compile(
    rf"(?:live\s+)?(?:within|in)?\s*{_ABOUT}{_NUMBER}\s*個?\s*(天|日|週|周|星期|禮拜|月|days?|weeks?|months?)"
    r"\s*(?:之?內|以內)?\s*(?:要|須|需)?(?:上線|完成|交付)?"
)
_COMING = re.compile(
    r"(?:(?:due|by|before|until)\s+)?(?:(?P<month>下個?月|next month)|下個?(?:週|周|星期|禮拜)|next week)(?:前|底|內)?", re.I
)
SOON = {  # days, the least there is
    "今天": 1,
    "today": 1,
    "明天": 1,
    "明日": 1,
    "tomorrow": 1,
    "後天": 2,
    "the day after tomorrow": 2,
}
_MONTH_END = re.compile(
    r"(?:(?P<next>下個?)|[這本]個?)?月底(?:之?前|以前)?"
    r"|(?:by |before |until )?(?:the )?end of (?:the|this|(?P<en_next>next)) month|(?:by |before )month'?s?[ -]end",
    re.IGNORECASE,
)
_LATENCY = re.compile(
    rf"(?:每[筆則]|under|below|within)?\s*(?:不超過)?\s*{_NUMBER}\s*(毫秒|ms|milliseconds?|秒|s|seconds?)"
    r"\s*(?:之?內|以內)?\s*(?:per answer|an answer|a row)?"
)
_HAN_COUNT = re.compile(r"^((?:約|大約)?\s*)([一二兩两三四五六七八九十])(?=\s*個?\s*[週周星禮月天日千萬万])")
_WEEKS = {"天": 1 / 7, "日": 1 / 7, "d": 1 / 7, "月": 365.25 / 12 / 7, "m": 365.25 / 12 / 7}  # the rest are weeks
_PLACES = {"遠端": "remote", "远端": "remote", "remote": "remote", "本地": "local", "本機": "local", "local": "local"}
_CARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+-]{0,39}")
_NO_GPU = {"無", "无", "沒有", "没有", "none", "no"}


def constraints_of(answers: Answers, language: Language = DEFAULT_LANGUAGE) -> list[str]:
    """The sentences for what was answered about data, computing, time and speed: `GPU: 遠端 A100 x1`."""
    resources, said = answers.resources, []
    if resources.labelled_rows is not None:
        said.append(text("summary.constraints.rows", language, rows=resources.labelled_rows))
    if resources.preference_pairs:
        said.append(text("summary.constraints.pairs", language, pairs=resources.preference_pairs))
    if resources.gpu == "none":
        said.append(text("summary.constraints.no_gpu", language))
    elif resources.gpu or resources.gpu_name:
        place = [text(f"summary.constraints.{resources.gpu}", language)] if resources.gpu else []
        count = [f"x{resources.gpu_count}"] if resources.gpu_count else []
        gpu = " ".join([*place, *filter(None, [resources.gpu_name]), *count])
        said.append(text("summary.constraints.gpu", language, gpu=gpu))
    if answers.business.deadline_weeks is not None:
        said.append(text("summary.constraints.deadline", language, weeks=f"{answers.business.deadline_weeks:g}"))
    if answers.needs.max_latency_ms is not None:
        said.append(text("summary.constraints.latency", language, ms=f"{answers.needs.max_latency_ms:g}"))
    return said


def recognise(sentence: str) -> Fields:
    """What a sentence says, by dotted answer key; empty where the coach does not recognise the whole of it.

    Takes either colon, full-width digits, and numbers such as `1,200`, `2 千`, `兩週`.
    """
    name, colon, value = unicodedata.normalize("NFKC", sentence).partition(":")
    read = _READERS.get(name.strip().lower())
    return _fitting(read(value.strip())) if colon and read else {}


def _fitting(fields: Fields) -> Fields:
    """`fields` where answers can hold every one of them, else none: a number beyond its limit stays a sentence."""
    said: dict[str, dict[str, Any]] = {}
    for key, value in fields.items():
        topic, _, name = key.partition(".")
        said.setdefault(topic, {})[name] = value
    try:
        Answers.model_validate(said)
    except ValidationError:
        return {}
    return fields


def _rows(value: str) -> Fields:
    found = _whole(_ROWS, value)
    return _count("resources.labelled_rows", found)


def _pairs(value: str) -> Fields:
    found = _whole(_PAIRS, value)
    return _count("resources.preference_pairs", found)


def _gpu(value: str) -> Fields:
    """Place, name, memory and number of cards, in any order people write them: `遠端 A100 80GB x1`, `2x RTX 4090`."""
    if value.lower() in _NO_GPU:
        return {"resources.gpu": "none"}
    fields: Fields = {}
    for word, place in _PLACES.items():
        if value.lower().startswith(word):
            fields["resources.gpu"] = place
            value = value[len(word) :].strip()
            break
    value, count = _taken(value, r"(?:^|\s)(?:[x×*]\s*(\d{1,9})|(\d{1,9})\s*(?:[x×*]|張))(?=\s|$)")
    value, memory = _taken(value, r"(?:^|\s)\(?(\d+(?:\.\d+)?)\s*GB?\)?(?=\s|$)")
    if count:
        fields["resources.gpu_count"] = int(count)
    if memory and float(memory):
        fields["resources.vram_gb"] = float(memory)
    if not value:
        return fields
    named = _CARD.fullmatch(value) and (fields or re.search(r"\d", value))
    return {**fields, "resources.gpu_name": value} if named else {}


def weeks_in(value: str, today: date | None = None) -> float | None:
    """The weeks that `3 天`, `2 週內`, `下個月`, `月底` or `within 2 months` are; None for anything else. `today` for those to a date."""
    if days := SOON.get(value.strip().lower()):
        return round(days / 7, 3)
    if end := _MONTH_END.fullmatch(value.strip()):
        return _to_the_end_of_the_month(today or date.today(), later=bool(end["next"] or end["en_next"]))
    if coming := _COMING.fullmatch(value.strip()):
        return round(_WEEKS["月"], 1) if coming["month"] else 1.0
    found = _whole(_TIME, value)
    if not found or not float(found[1]):
        return None
    weeks = float(found[1]) * _WEEKS.get(found[2][:1].lower(), 1)
    return round(weeks, 1 if weeks >= 1 else 3)


def _to_the_end_of_the_month(today: date, *, later: bool) -> float:
    """Weeks to the last day of this month, or of the next; a day where that is today."""
    first = date(today.year + today.month // 12, today.month % 12 + 1, 1)  # of the next month
    if later:
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    days = max(1, (first - today).days - 1)
    return round(days / 7, 1 if days >= 7 else 3)


def _time(value: str) -> Fields:
    weeks = weeks_in(value)
    return {} if weeks is None else {"business.deadline_weeks": weeks}


def _latency(value: str) -> Fields:
    found = _whole(_LATENCY, value)
    if not found or not float(found[1]):
        return {}
    return {"needs.max_latency_ms": float(found[1]) * (1000 if found[2].lower().startswith(("s", "秒")) else 1)}


_READERS: dict[str, Callable[[str], Fields]] = {
    **dict.fromkeys(["資料量", "資料", "标注数据", "數據量", "標註資料", "data", "rows", "labelled data"], _rows),
    **dict.fromkeys(["偏好資料", "偏好對", "preference pairs", "preference data", "preferences"], _pairs),
    **dict.fromkeys(["gpu", "顯示卡", "顯卡", "運算"], _gpu),
    **dict.fromkeys(["時程", "期限", "時間", "上線時間", "deadline", "timeline", "schedule"], _time),
    **dict.fromkeys(["延遲", "回應時間", "latency", "response time"], _latency),
}


def _whole(pattern: re.Pattern[str], value: str) -> re.Match[str] | None:
    value = re.sub(r"(?<=\d),(?=\d{3})", "", value.lower())
    return pattern.fullmatch(_HAN_COUNT.sub(lambda han: f"{han[1]}{HAN_NUMBERS[han[2]]}", value))


def _count(key: str, found: re.Match[str] | None) -> Fields:
    """The number found, unless it is one that no file can hold."""
    number = float(found[1]) * _SCALES[found[2] or ""] if found else MOST_ROWS + 1
    return {key: round(number)} if number <= MOST_ROWS else {}


def _taken(value: str, pattern: str) -> tuple[str, str | None]:
    """`value` without the one match of `pattern`, and what its first filled group holds."""
    found = re.search(pattern, value, re.IGNORECASE)
    if not found:
        return value, None
    rest = f"{value[: found.start()]} {value[found.end() :]}"
    return " ".join(rest.split()), next(group for group in found.groups() if group)
