"""What the attaching of a file has already found out about it, so that it is not read again for the same answer.

Owns a handful of inspections in this process's memory and when an arriving file's stands for the file at its place. Losing them
costs time and nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.attached_file import Attachment, Inspection

MOST = 8
_known: OrderedDict[Attachment, Inspection] = OrderedDict()
_lock = Lock()


def known(attachment: Attachment) -> Inspection | None:
    """The inspection of an attachment that equals this one, its file's time of change and size included."""
    with _lock:
        return _known.get(attachment)


def remember_arrival(arrived: Attachment, found: Inspection, settled: Attachment) -> None:
    """Keeps what was `found` in a file as it `arrived` for the same bytes at their place, if `settled` asks the same of them."""
    report = found.report
    if report is None:
        return
    asked_of_people = (settled.outputs, settled.task_type, settled.labels, settled.said)
    is_same = asked_of_people == (arrived.outputs, arrived.task_type, arrived.labels, arrived.said)
    is_read_alike = (settled.format, settled.encoding, settled.delimiter) == (report.format, report.encoding, report.delimiter)
    if not is_same or not is_read_alike or settled.mapping != tuple(found.mapping.items()):
        return
    with _lock:
        _known[settled] = replace(found, is_sure=True, report=replace(report, path=settled.path.name))
        while len(_known) > MOST:
            _known.popitem(last=False)
