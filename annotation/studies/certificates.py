"""What de-identification did to a delivery: counts by attribute and deed, never a value."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from pydicom.datadict import dictionary_description

from annotation.studies.batches import Taken
from annotation.studies.door.comparison import DEEDS
from annotation.studies.door.confidentiality import profile
from annotation.studies.door.options import OPTIONS, PROFILE, known_options
from annotation.studies.models import Import, ImportedFile, QuarantinedFile

TOP = {"private": "Private attributes", "unknown": "Attributes that the standard does not know"}
METHOD = (
    "keep-list: what it does not name is dropped, at every depth; UIDs, pseudonyms and the shift of dates "
    "are keyed digests (HMAC-SHA-256) under the data set's own key"
)


@dataclass(frozen=True)
class Line:
    """One attribute, and how often each deed was done to it, in the order of DEEDS."""

    tag: str
    name: str
    basic_profile: str
    counts: tuple[int, ...]


def with_deeds(counts: dict[str, int], taken: Iterable[Taken]) -> dict[str, int]:
    """Add what was done to files that were newly stored."""
    sums = Counter(counts)
    for one in taken:
        if one.outcome == ImportedFile.Outcome.STORED and one.judged.verdict is not None:
            sums.update(one.judged.verdict.deeds)
    return dict(sums)


def lines_of(deeds: dict[str, int]) -> list[Line]:
    """Put counts into lines, by tag; private and unknown attributes last."""
    found: dict[str, dict[str, int]] = {}
    for name, number in deeds.items():
        tag, deed = name.split(" ")
        found.setdefault(tag, {})[deed] = number
    ordered = sorted(found, key=lambda tag: (tag in TOP, tag))
    return [_line(tag, found[tag]) for tag in ordered]


def _line(tag: str, counts: dict[str, int]) -> Line:
    row = profile().rows.get("GGGGEEEE" if tag == "private" else tag)
    written = tag if tag in TOP else f"({tag[:4]},{tag[4:]})"
    return Line(
        written, _name(tag), row.basic_profile if row else "", tuple(counts.get(deed, 0) for deed in DEEDS)
    )


def _name(tag: str) -> str:
    if tag in TOP:
        return TOP[tag]
    row = profile().rows.get(tag)
    if row is not None:
        return row.name
    return (
        "Curves" if tag[:2] == "50" else "Overlays" if "XX" in tag else dictionary_description(int(tag, 16))
    )


def options_of(delivery: Import) -> list[dict[str, Any]]:
    """State the profile, and each option with whether it was performed."""
    chosen = known_options(delivery.options)
    masked = QuarantinedFile.objects.filter(arrivals__delivery=delivery).exclude(masks=[]).exists()
    performed = {option.name: option.name in chosen for option in OPTIONS} | {"pixels": masked}
    listed = [{"code": PROFILE[0], "meaning": PROFILE[1], "performed": True}]
    listed += [
        {"code": one.code, "meaning": one.meaning, "performed": performed[one.name]} for one in OPTIONS
    ]
    return sorted(listed, key=lambda one: str(one["code"]))


def quarantine_of(delivery: Import) -> list[dict[str, Any]]:
    """Count what was held, by its reason and by what became of it."""
    files = delivery.files.exclude(quarantined_file=None).order_by()
    rows = files.values("quarantined_file__reason", "quarantined_file__state").annotate(number=Count("pk"))
    ordered = sorted(rows, key=lambda row: (-row["number"], row["quarantined_file__reason"]))
    return [
        {
            "reason": row["quarantined_file__reason"],
            "state": QuarantinedFile.State(row["quarantined_file__state"]).label,
            "files": row["number"],
        }
        for row in ordered
    ]


def originals_of(delivery: Import) -> int:
    """Count the files of a delivery that are kept, sealed, as they came: now, for they may be removed."""
    brought = delivery.files.exclude(outcome=ImportedFile.Outcome.DUPLICATE)
    return brought.filter(instance__original_bytes__isnull=False).count()


def certificate_of(delivery: Import) -> dict[str, Any]:
    """Write a delivery's certificate as plain values: what is stated, and no value of any file."""
    return {
        "certificate": "De-identification of a delivery",
        "import": str(delivery.pk),
        "opened": delivery.created_at.isoformat(),
        "finished": delivery.finished_at.isoformat() if delivery.finished_at else None,
        "standard": {
            "part": "DICOM PS3.15 Annex E",
            "table": "E.1-1",
            "edition": profile().edition,
        },
        "method": METHOD,
        "options": options_of(delivery),
        "files": {
            "total": delivery.total,
            "stored": delivery.stored,
            "duplicate": delivery.duplicate,
            "quarantined": delivery.quarantined,
        },
        "originals_kept": originals_of(delivery),
        "attributes": [
            {
                "tag": line.tag,
                "name": line.name,
                "basic_profile": line.basic_profile,
                **{deed: number for deed, number in zip(DEEDS, line.counts, strict=True) if number},
            }
            for line in lines_of(delivery.deeds)
        ],
        "quarantine": quarantine_of(delivery),
    }
