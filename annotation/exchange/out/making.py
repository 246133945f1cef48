"""A snapshot becomes a file of one format: deterministic, and read back before it is handed over."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from annotation.exchange.out import boxes, coco, nifti, rtstruct, seg, sr, table
from annotation.exchange.out.archive import Archive, Report, as_json
from annotation.exchange.out.cards import text_of
from annotation.exchange.out.catalogue import FORMATS
from annotation.exchange.out.frozen import Frozen
from annotation.exchange.out.rules import ExportError
from annotation.learning.models import Snapshot

Progress = Callable[[float, str], None]
Writer = Callable[[Frozen, Archive, Report, Progress], None]

WRITERS: Final[Mapping[str, Writer]] = {
    "csv": partial(table.export_table, suffix="csv"),
    "jsonl": partial(table.export_table, suffix="jsonl"),
    "parquet": partial(table.export_table, suffix="parquet"),
    "dicom-seg": partial(seg.export_seg, kind="BINARY"),
    "dicom-seg-labelmap": partial(seg.export_seg, kind="LABELMAP"),
    "dicom-sr": sr.export_sr,
    "dicom-rtstruct": rtstruct.export_rtstruct,
    "nifti": nifti.export_nifti,
    "monai": nifti.export_folder,
    "coco": coco.export_coco,
    "voc": boxes.export_voc,
    "yolo": boxes.export_yolo,
}


def make(snapshot: Snapshot, name: str, target: Path, progress: Progress) -> dict[str, Any]:
    """Write a snapshot in a format; gives the report of what is in it.

    raises: ExportError, DifferenceError among them, naming the case and what differs.
    """
    if name not in WRITERS:
        raise ExportError(f"there is no format {name}: choose one of {', '.join(WRITERS)}")
    frozen, report = Frozen(snapshot), Report()
    with Archive(target) as archive:
        archive.add("card.json", as_json(described(frozen, name)))
        archive.add("README.md", text_of(snapshot.card))
        WRITERS[name](frozen, archive, report, progress)
        archive.add("left_out.csv", report.table())
    return report.plain()


def described(frozen: Frozen, name: str) -> dict[str, Any]:
    """Say what the export is: the data card, the snapshot, what was asked."""
    return {
        "snapshot": frozen.digest,
        "format": name,
        "title": FORMATS[name].title,
        "card": frozen.snapshot.card,
        "protocols": frozen.head["protocols"],
    }
