"""How many labelled rows a sentence speaks of: numbers with a unit, those a day passed over, and those that are said to have no labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBER = r"(?<!\d)(?<!\d,)(?P<number>\d[\d,]{0,15}(?:\.\d{1,6})?)\s*(?P<scale>k(?![a-z])|千|萬|万)?\s*(?:多|餘|來|\+|-odd\b)?\s*"
_OF_THESE = r"(?:(?:of\s+(?:them|these|those|which)\s+)?(?:are\s+|have\s+been\s+|already\s+){0,2})?"
_ROWS = re.compile(  # what is said to be rows or labelled
    rf"{_NUMBER}(?:[筆笔](?:[^,;.。，\d未沒没無尚]{{0,4}}標[註記注好])?|個樣本|rows?\b|examples?\b|samples?\b|records?\b|{_OF_THESE}(?:labelled|labeled)|[條条則句封篇][^,;.。\d未沒没無尚]{{0,4}}標[註記注好])",
    re.IGNORECASE,
)
_THINGS = re.compile(  # what texts are counted by: rows where nothing else is said to be
    rf"(?<![A-Za-z0-9/.:])(?<![A-Za-z]-){_NUMBER}(?:[條条則句封篇]"
    r"|(?:(?!\w*ing\b|(?:of|in|on|an?|per|the|and|or|to|for|from|with|by|star|people|staff|gb|unlabell?ed)\b)[a-z'-]+\s+){0,2}"
    r"(?:e-?mails|mails|reviews|tickets|messages|comments|documents|headlines|sentences|posts|articles)\b|of (?:them|these|those)\b)",
    re.IGNORECASE,
)
_NO_LABELS = re.compile(
    r"\bunlabell?ed|\b(?:no|without|lack|any) (?:any )?labels?\b"
    r"|\b(?:not|none|never|isn't|aren't|n't)\b[^,.;]{0,20}\blabell?ed\b|[未無]標|沒有?標|没有?标",
    re.IGNORECASE,
)
_NONE_LABELLED = re.compile(
    r"(?<!有)(?<!不是)(?<!是否)(?:沒有|没有|無|沒)(?:任何)?已?標[註記注](?:好的|過的|的)?(?:資料|数据|數據|樣本)(?!的)"
    r"|[一半]筆(?:都|也)[沒没]有?標[註記注]|[一半]筆標[註記注](?:過的)?(?:資料)?(?:都|也)[沒没]有"
    r"|\b(?:have|has|got|there (?:is|are)) no labell?ed (?:data|rows|examples|texts)\b|\b(?:don't|do not) have any labell?ed\b"
    r"|^no labell?ed (?:data|rows)\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"(?<![a-z])labell?ed\b|標[註記注好]", re.IGNORECASE)
_LABELLED_BEFORE = re.compile(r"標[註記注]?[好了完]*\s*$")
_UNLABELLED_BEFORE = re.compile(r"(?:[未沒無]標[註記]?的|沒有標[註籤]的|\bunlabell?ed)[^,.;，。；]{0,6}$", re.IGNORECASE)
_GOES_ON_WITHOUT = re.compile(r"\s*(?:但?都?[還尚]?[未沒無]有?標|都[還尚]?[未沒無]|(?:but )?(?:none|not)\b)", re.IGNORECASE)
_NOT_MORE_THAN = re.compile(r"\b(?:at most|up to|top|next|within|max(?:imum)?)\s*$|(?:最多|至多|前)\s*$", re.IGNORECASE)
_PER_TIME_BEFORE = re.compile(
    r"(?:每\s*[天日週周月年季]|每個月|每小時|每個?星期|日均|一天|一週|\b(?:daily|(?:every|each|per|a) (?:day|week|month|hour|year))\b)"
    r"(?:(?!\b(?:and|but)\b|[但而])[^,.;。]){0,30}$",
    re.IGNORECASE,
)
_PER_TIME_AFTER = re.compile(
    r"[^,.;。\d]{0,24}?(?:\b(?:an?|per|each|every)\s+(?:single\s+)?(?:day|week|month|hour|year)\b|\b(?:daily|weekly|monthly|hourly)\b|/\s*(?:day|week|month|hour|天|日|週|月))"
    r"|[^,.;。\d]{0,4}(?:每[天日週周月]|每個月|每小時|一[天週](?!之?內))",
    re.IGNORECASE,
)
_SCALES = {None: 1, "k": 1_000, "千": 1_000, "萬": 10_000, "万": 10_000}
MOST_ROWS = 1_000_000_000  # beyond, it is no number of rows
FARTHEST_BEFORE = 60  # letters before a number that may make it a rate
FEWEST_THINGS = 10  # of fewer, "in 3 sentences" is likelier what an answer is to be than what there is


def said_rows(said: str) -> int | None:
    """The first number of rows that is said to be labelled, else of rows, else of mails, reviews and the like, where these are not
    said to have no labels; 0 where it says that there are no labelled ones.

    Passed over: what no file can hold, what comes in every day, and a handful of texts, which may be what is to be written.
    """
    rows = [(count, found) for count, found in _counts(_ROWS, said) if not _has_no_labels(said, found)]
    if rows:
        return next((count for count, found in rows if _is_labelled(said, found)), rows[0][0])
    if _NONE_LABELLED.search(said):
        return 0
    if _NO_LABELS.search(said):
        return None
    return next((count for count, _ in _counts(_THINGS, said) if count >= FEWEST_THINGS), None)


def _is_labelled(said: str, counted: re.Match[str]) -> bool:
    return bool(_LABELLED.search(counted.group()) or _LABELLED_BEFORE.search(_before(said, counted)))


def _has_no_labels(said: str, counted: re.Match[str]) -> bool:
    """Whether the words right before the number, or those after it up to the next number, say so of these rows."""
    if _is_labelled(said, counted):
        return False
    own, *further = re.split(r"[,.;，。；]", re.split(r"\d", said[counted.end() :][:FARTHEST_BEFORE])[0])
    goes_on = bool(further) and _GOES_ON_WITHOUT.match(further[0]) is not None
    return bool(_UNLABELLED_BEFORE.search(_before(said, counted)) or _NO_LABELS.search(own) or goes_on)


def _before(said: str, counted: re.Match[str]) -> str:
    return said[max(0, counted.start() - FARTHEST_BEFORE) : counted.start()]


def _counts(counted: re.Pattern[str], said: str) -> Iterator[tuple[int, re.Match[str]]]:
    for found in counted.finditer(said):
        before = _before(said, found)
        limit = _PER_TIME_BEFORE.search(before) or _PER_TIME_AFTER.match(said, found.end()) or _NOT_MORE_THAN.search(before)
        count = float(found["number"].replace(",", "")) * _SCALES[(found["scale"] or "").lower() or None]
        if not limit and count <= MOST_ROWS:
            yield round(count), found
