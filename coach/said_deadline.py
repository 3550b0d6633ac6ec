"""The deadline a sentence names: tomorrow, next week, the end of the month, in so many days; times of other things are passed over."""

from __future__ import annotations

import re
from datetime import date

from coach.constraints import SOON, weeks_in

_SOON_WORDS = "|".join(sorted(SOON, key=len, reverse=True))
_DONE = r"(?:上線|完成|交件|交付|交差|驗收|要交|要用|要看|要給|給老闆)"
_HAN_NUMBER, _HAN_UNIT, _EN_UNIT = "[一二兩两三四五六七八九十]", "天|日|週|周|星期|禮拜|月", "days?|weeks?|months?"
_SPAN = rf"(?:\d{{1,3}}(?:\.\d+)?|{_HAN_NUMBER})\s*個?\s*(?:{_HAN_UNIT})\s*(?:之?內|以內)"
_TIME = rf"(?:\d{{1,3}}|{_HAN_NUMBER})\s*個?\s*(?:{_HAN_UNIT}|{_EN_UNIT})(?![a-z])"
_DUE = re.compile(  # only with a word for being done: other times are how old the rows are, or what is foretold
    rf"下個?(?:月|週|周|星期|禮拜)(?:底|前)?(?=[^,，。;；]{{0,2}}{_DONE})|(?<![一二兩两三四五六七八九十\d.])(?P<span>{_SPAN})(?=[^,，。;；]{{0,4}}{_DONE})"
    r"|(?:due|ready|needed|live|launch|ship|deliver|finish(?:ed)?)\s+(?:it\s+)?(?P<en>(?:by|before|until|within|in)?\s*"
    r"(?:next\s+(?:week|month)|\d{1,3}\s*(?:days?|weeks?|months?)))\b",
    re.IGNORECASE,
)
_ENDS = r"(?=\s*(?:$|[,，。;；!！?？.)）]|給|了|and\b|so\b|but\b|to\b))"  # not of something else: 「明天上線的商品」
_DUE_SOON = re.compile(  # the person's own deadline: it has to be done
    rf"(?P<zh>{_SOON_WORDS})(?:之?前|以前)?(?:就|一定|必須)?[要得須](?:上線|完成|交件|交付|交差|交出|交|驗收){_ENDS}"
    rf"|(?:^|[,，。;；]\s*)(?:我們?|老闆|主管)?(?P<bare>{_SOON_WORDS})就要(?=\s*(?:$|[,，。;；.]))"  # who else says so is in the texts
    rf"|(?:期限|截止日?期?|deadline)(?:\s?is|'s|\s?[是在為:]|只?剩下?|還有)\s?"
    rf"(?P<on>{_SOON_WORDS}|下個?(?:月|週|周|星期|禮拜)|next (?:week|month)|(?:in |within )?{_TIME})(?:之?內|以內|後)?{_ENDS}"
    rf"|\b(?:(?:it|this|project|model)(?:'s| is) due|(?:need|want) (?:it|this)(?: done| live| ready)?"
    rf"|(?:must|has to|have to|needs to) (?:be )?(?:live|ready|done|deliver(?:ed)?|ship(?:ped)?|finish(?:ed)?))"
    rf" (?:by |before |until )?(?P<en>{_SOON_WORDS})\b{_ENDS}",
    re.IGNORECASE,
)
_DUE_AT_MONTH_END = re.compile(  # other month's ends are what the texts are about
    rf"(?<![每月])(?:下個?|[這本]個?)?月底(?:(?:之?前|以前)|(?=[^,，。;；]{{0,2}}(?:要|{_DONE})))"
    r"|\b(?:by|before|until) (?:the )?end of (?:the|this|next) month|\b(?:by|before) month'?s?[ -]end",
    re.IGNORECASE,
)


def said_deadline(sentence: str, today: date | None = None) -> float | None:
    """The weeks to a deadline named in a sentence: 「老闆下個月要看」, 「月底前要」, "due next week"; other times are passed over."""
    if end := _DUE_AT_MONTH_END.search(sentence):
        return weeks_in(end[0], today)
    if soon := _DUE_SOON.search(sentence):
        return weeks_in(soon["zh"] or soon["bare"] or soon["on"] or soon["en"], today)
    found = _DUE.search(sentence)
    return weeks_in(found["span"] or found["en"] or found[0]) if found else None
