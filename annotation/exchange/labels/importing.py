"""Labels checked, or written: the same walk, with or without the last step."""

from datetime import datetime
from pathlib import Path

from annotation.exchange.labels.checking import NEW, Asked, Found, Progress, proposals
from annotation.learning.services import ask_refit
from annotation.readings.models import Source
from annotation.readings.sourced import source_named, write_sourced


def preview(asked: Asked, source: Path, progress: Progress) -> Found:
    """Say what an import would do; nothing is written.

    raises: LabelFileError, MappingError, DoorBrokenError.
    """
    found = Found()
    for _ in proposals(asked, source, found, progress):
        continue
    return found


def write(asked: Asked, source: Path, *, use: str, now: datetime, progress: Progress) -> Found:
    """Write what a file says, a case at a time; run again, it goes on where it stopped.

    raises: LabelFileError, MappingError, DoorBrokenError.
    """
    found = Found()
    sources: dict[str, Source] = {}
    for one in proposals(asked, source, found, progress):
        if one.source_name not in sources:
            sources[one.source_name] = source_named(
                project=asked.project, name=one.source_name, use=use, now=now
            )
        mine = sources[one.source_name]
        write_sourced(source=mine, case=one.case, examined=one.examined, answers=one.answers, now=now)
        found.note("", one.case.number, one.outcome, f"written as {one.source_name}")
    for name in found.known_sources - set(sources):
        source_named(project=asked.project, name=name, use=use, now=now)
    if found.counts[NEW] and use != Source.Use.KEPT:
        ask_refit(project_id=asked.project.pk)
    return found
