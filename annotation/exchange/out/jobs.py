"""What the export job does: freeze where nothing is frozen yet, write, keep the file."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from annotation.exchange.out.freezing import freeze
from annotation.exchange.out.making import make
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import Made, check_requester
from annotation.learning.files import keep_stream

Progress = Callable[[float, str], None]
FREEZING_SHARE = 0.2


def made_export(export: Export, *, now: datetime, progress: Progress) -> Made:
    """Make an export's file and store it under its content.

    raises: ForbiddenError, ExportError.
    """
    check_requester(export)
    snapshot, share = export.snapshot, 0.0
    if snapshot is None:
        share = FREEZING_SHARE
        snapshot = freeze(
            project=export.project, now=now, progress=lambda part, words: progress(share * part, words)
        )
    with tempfile.TemporaryDirectory(prefix="fovea-export-") as folder:
        target = Path(folder) / "export.zip"
        report = make(
            snapshot,
            export.format,
            target,
            lambda part, words: progress(share + (1 - share) * part, words),
        )
        with target.open("rb") as written:
            stored = keep_stream(written, folder="exports", suffix=".zip")
        return Made(snapshot, stored, target.stat().st_size, report)
