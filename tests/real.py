"""Where the real medical images are that tests and benchmarks read."""

import csv
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def real_images() -> Path:
    """Find their folder: FOVEA_DATA, else ../shared/data beside the repository."""
    return (ROOT / os.environ.get("FOVEA_DATA", "../shared/data")).resolve()


def contradicting_delivery(target: Path, *, every: int) -> Path:
    """Lay out brain MRI: two groups of copies with contradicting labels, and every so many-th image."""
    source = real_images() / "brain_mri"
    with (source / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in contradicting(rows, every):
        (target / row["path"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / row["path"], target / row["path"])
    with (target / "labels.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, ["path", "label", "near_dup_group"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(contradicting(rows, every))
    return target


def contradicting(rows: list[dict[str, str]], every: int) -> list[dict[str, str]]:
    """Choose the rows of the two groups, as the data set's own notes name them, and some others."""
    wrong = {"g1445", "g1520"}
    return [row for at, row in enumerate(rows) if row["near_dup_group"] in wrong or at % every == 0]
