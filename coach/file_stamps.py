"""What tells whether a file is still the one that was read, without reading it again."""

from __future__ import annotations

from pathlib import Path

from coach.version_folder import Version

Stamps = tuple[tuple[str, int, int], ...]  # name, time of change in ns, bytes; zeros for a file that is not there


def file_stamps(*paths: Path) -> Stamps:
    """What tells whether a file is the one that was read: files are replaced, never written into."""
    found = []
    for path in paths:
        try:
            seen = path.stat()
        except OSError:
            found.append((path.name, 0, 0))
        else:
            found.append((path.name, seen.st_mtime_ns, seen.st_size))
    return tuple(found)


def judged_files(version: Version) -> Stamps:
    """Of what a judgement on a version is made of."""
    return file_stamps(
        version.config_path, version.results_path, version.lineage_path, version.events_path, version.predictions_path
    )
