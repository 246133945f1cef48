"""What the export job does: freeze where nothing is frozen yet, write, keep the file."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from annotation.exchange.out.freezing import freeze
from annotation.exchange.out.making import make
from annotation.exchange.out.models import Export
from annotation.exchange.out.rules import ExportError
from annotation.exchange.out.services import Made, check_requester
from annotation.learning.files import keep_stream
from annotation.learning.models import ModelVersion, Snapshot

Progress = Callable[[float, str], None]
ModelWriter = Callable[[ModelVersion, str, Path, Progress], Mapping[str, Any]]
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

    def write(target: Path) -> Mapping[str, Any]:
        return make(
            snapshot, export.format, target, lambda part, words: progress(share + (1 - share) * part, words)
        )

    return kept(snapshot, write)


def made_model_export(export: Export, *, write: ModelWriter, progress: Progress) -> Made:
    """Make the file of a model version and store it under its content. write: what makes the format.

    raises: ForbiddenError, ExportError.
    """
    check_requester(export)
    model = export.model
    if model is None:
        raise ExportError("the export names no model version")
    return kept(model.snapshot, lambda target: write(model, export.format, target, progress))


def kept(snapshot: Snapshot, write: Callable[[Path], Mapping[str, Any]]) -> Made:
    """Have a file written, and store it."""
    with tempfile.TemporaryDirectory(prefix="fovea-export-") as folder:
        target = Path(folder) / "export.zip"
        report = write(target)
        with target.open("rb") as written:
            stored = keep_stream(written, folder="exports", suffix=".zip")
        return Made(snapshot, stored, target.stat().st_size, report)
