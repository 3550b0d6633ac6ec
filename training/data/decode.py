"""Bytes to text: which encoding a file is in, said with its name, or a sentence why it is no text at all.

Order of trust: a byte order mark, strict UTF-8, the zero bytes of UTF-16, then Big5 and GB18030 weighed against each other by how
common their characters are (either decodes the other's bytes without complaint), and only then charset-normalizer, which errs on
short Chinese files. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from coach.errors import DataError

REPLACEMENT = "\ufffd"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Lead bytes of punctuation and of the more frequent characters: Big5 level 1 (5,401 characters, ordered by use: A4 to C6) and
# GB2312 level 1 (3,755 characters, B0 to D7). In real text nearly every character is one of these; in text decoded by the
# other's table few are.
_COMMON_LEAD_BYTES = {"cp950": (range(0xA1, 0xA4), range(0xA4, 0xC7)), "gb2312": (range(0xA1, 0xA4), range(0xB0, 0xD8))}
_CANDIDATES = (("cp950", "cp950"), ("big5hkscs", "cp950"), ("gb18030", "gb2312"))
_PLAUSIBLE = 0.85  # share of common characters; five news headlines on: right table over .93, wrong one under .67
_LIKELY, _CLEAR_LEAD = 0.65, 0.25  # or fewer (rare names, Cantonese), but far more than under the other table
_SPOILT_SHARE = 0.02  # more broken characters than this and the file is not UTF-8 with a few damaged lines
_SAMPLE_BYTES = 200_000
_OTHER_ENCODINGS = [
    "cp1252",
    "gb18030",
    "big5",
    "cp932",
    "euc_jp",
    "cp949",
    "cp1250",
    "cp1251",
    "cp1254",
    "koi8_r",
    "cp874",
    "cp1258",
]
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\x1a")) + b"\x7f"
_FOREIGN_FILES = (
    (b"PK\x03\x04", "xlsx / zip"),
    (b"PAR1", "Parquet"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x1f\x8b", "gzip"),
    (b"\xd0\xcf\x11\xe0", "xls / doc (Office 97–2003)"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x80\x02", "pickle"),
    (b"\x80\x03", "pickle"),
    (b"\x80\x04", "pickle"),
    (b"\x80\x05", "pickle"),
)


@dataclass(frozen=True)
class Decoded:
    """The text, its encoding, and whether single bytes were broken (they stand as U+FFFD)."""

    text: str
    encoding: str
    has_broken_bytes: bool = False


def decode(data: bytes, path: Path, encoding: str | None = None) -> Decoded:
    """The text of a file's bytes; `encoding` None means find out.

    Raises DataError: another kind of file under a text file's name, zero bytes, an unknown encoding name, an encoding that does
    not fit, or none that does.
    """
    _refuse_foreign(data, path)
    if encoding is not None:
        return _without_zeros(_decode_as(data, path, encoding), path)
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if marked is not None:
        return _without_zeros(_decode_as(data, path, marked), path)
    if b"\x00" in data[:_SAMPLE_BYTES] and (wide := _utf16_without_mark(data)) is not None:
        return _without_zeros(wide, path)
    _refuse_binary(data, path)
    try:
        return _without_zeros(Decoded(data.decode("utf-8"), "utf-8"), path)
    except UnicodeDecodeError:
        return _without_zeros(_guess(data, path), path)


def _refuse_foreign(data: bytes, path: Path) -> None:
    kind = next((name for magic, name in _FOREIGN_FILES if data.startswith(magic)), None)
    if kind is not None:
        raise DataError("data.not_text", path=path.name, kind=kind, suffix=path.suffix)


def _refuse_binary(data: bytes, path: Path) -> None:
    """More than 2 in 100 bytes are control characters, which no encoding of text but UTF-16 and UTF-32 has."""
    sample = data[:_SAMPLE_BYTES]
    if len(sample.translate(None, _CONTROL_BYTES)) < len(sample) * 0.98:
        raise DataError("data.not_text", path=path.name, kind="binary", suffix=path.suffix)


def _decode_as(data: bytes, path: Path, encoding: str) -> Decoded:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise DataError("data.encoding_unknown", path=path.name, encoding=encoding) from error
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError("data.encoding_wrong", path=path.name, encoding=encoding, line=line) from error
    except (UnicodeError, LookupError) as error:  # utf-16 without its mark; codecs such as `hex` that give no text
        raise DataError("data.encoding_wrong", path=path.name, encoding=encoding, line=1) from error


def _utf16_without_mark(data: bytes) -> Decoded | None:
    """UTF-16 by its zero bytes: ASCII characters (delimiters, line ends) have theirs all on one side."""
    sample = data[: _SAMPLE_BYTES // 2 * 2]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if len(data) % 2 or max(even, odd) < 2 or min(even, odd) * 10 > max(even, odd):
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    try:
        return Decoded(data.decode(name), name)
    except UnicodeDecodeError:
        return None


def _without_zeros(decoded: Decoded, path: Path) -> Decoded:
    place = decoded.text.find("\x00")
    if place < 0:
        return decoded
    raise DataError("data.zero_bytes", path=path.name, line=decoded.text.count("\n", 0, place) + 1)


def _guess(data: bytes, path: Path) -> Decoded:
    damaged = data.decode("utf-8", errors="replace")
    letters = sum(character > "\x7f" for character in damaged)
    broken = damaged.count(REPLACEMENT)
    candidates = [(name, _share_of_common(text, table)) for name, table in _CANDIDATES if (text := _try(data, name)) is not None]
    name, share = max(candidates, key=lambda candidate: candidate[1], default=("", 0.0))
    others = [other for rival, other in candidates if (rival == "gb18030") != (name == "gb18030")]
    if share >= _PLAUSIBLE or (share >= _LIKELY and share - max(others, default=0.0) >= _CLEAR_LEAD):
        return Decoded(data.decode(name), name)
    if broken <= max(1, letters * _SPOILT_SHARE) and letters > 20:
        return Decoded(damaged, "utf-8", has_broken_bytes=True)
    return _by_statistics(data, path)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _share_of_common(text: str, table: str) -> float:
    """Share of the non-ASCII characters that stand among the table's frequent ones; 0 where there are none."""
    foreign = [character for character in text[:_SAMPLE_BYTES] if character > "\x7f"]
    ranges = _COMMON_LEAD_BYTES[table]
    common = 0
    for character in foreign:
        try:
            lead = character.encode(table)[0]
        except UnicodeEncodeError:
            continue
        common += any(lead in span for span in ranges)
    return common / len(foreign) if foreign else 0.0


def _by_statistics(data: bytes, path: Path) -> Decoded:
    """charset-normalizer's choice; of encodings it finds about as likely, the first of _OTHER_ENCODINGS."""
    from charset_normalizer import from_bytes

    found = {match.encoding: match.chaos for match in from_bytes(data[:_SAMPLE_BYTES], cp_isolation=_OTHER_ENCODINGS)}
    likely = [name for name in _OTHER_ENCODINGS if name in found and found[name] <= min(found.values()) + 0.02]
    for name in likely:
        text = _try(data, name)
        if text is not None:
            return Decoded(text, name)
    raise DataError("data.encoding_unreadable", path=path.name)
