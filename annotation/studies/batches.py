"""One batch of judged files against the rows that are there: what becomes of each, which rows to write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from annotation.studies import files
from annotation.studies.door.verdict import Facts, Shown, Verdict, rejected
from annotation.studies.hierarchy import number_in, series_of
from annotation.studies.intake import Judged
from annotation.studies.models import Dataset, ImportedFile, Instance, QuarantinedFile, Series

OTHER_CONTENT = "(0008,0018) SOP Instance UID is stored already with other content"


@dataclass(frozen=True)
class Taken:
    """What became of one judged file."""

    judged: Judged
    outcome: ImportedFile.Outcome
    reason: str = ""
    instance: Instance | None = None
    quarantined_file: QuarantinedFile | None = None


@dataclass
class Batch:
    """What the data set knows of a batch's files, and what is new. The caller holds the data set's lock."""

    dataset: Dataset
    project_id: UUID | None
    now: datetime
    by_source: dict[str, Instance]
    by_uid: dict[str, Instance]
    held_by_source: dict[str, QuarantinedFile]
    series: dict[str, Series]
    fresh: list[Instance] = field(default_factory=list)
    held: list[QuarantinedFile] = field(default_factory=list)

    @classmethod
    def of(
        cls, dataset: Dataset, judged: Sequence[Judged], *, project_id: UUID | None, now: datetime
    ) -> "Batch":
        """Read what is there already, in a few queries however many the files."""
        sources = {one.source_digest for one in judged}
        facts = [one.verdict.facts for one in judged if one.verdict is not None and one.verdict.facts]
        instances = Instance.objects.filter(dataset=dataset).select_related("series__study")
        by_source = instances.filter(source_digest__in=sources)
        by_uid = instances.filter(sop_instance_uid__in={one.sop_instance_uid for one in facts})
        held = QuarantinedFile.objects.filter(dataset=dataset, source_digest__in=sources)
        return cls(
            dataset,
            project_id,
            now,
            by_source={one.source_digest: one for one in by_source},
            by_uid={one.sop_instance_uid: one for one in by_uid},
            held_by_source={one.source_digest: one for one in held},
            series=series_of(dataset, facts),
        )

    def take(self, judged: Judged) -> Taken:
        """Decide one file; every file ends as stored, duplicate or quarantined."""
        known = self.by_source.get(judged.source_digest)
        if known is not None:
            return Taken(judged, ImportedFile.Outcome.DUPLICATE, instance=known)
        held = self.held_by_source.get(judged.source_digest)
        verdict = judged.verdict
        if held is not None and not (verdict is not None and verdict.outcome == "admitted"):
            return Taken(judged, ImportedFile.Outcome.QUARANTINED, held.reason, quarantined_file=held)
        if verdict is None:
            # Known when the batch was judged, gone since: an admin discarded or cleared it in between.
            return Taken(
                judged, ImportedFile.Outcome.QUARANTINED, "decided by an administrator: import it again"
            )
        return self._admit(judged, verdict.facts) if verdict.facts else self._hold(judged, verdict)

    def originals_not_kept(self, judged: Sequence[Judged]) -> set[str]:
        """Name files whose originals are stored and which no image has: known, held, or no longer wanted."""
        stored = {one.source_digest for one in judged if one.original_bytes is not None}
        kept = (digest for digest, one in self.by_source.items() if one.original_bytes is not None)
        return stored.difference(kept)

    def _admit(self, judged: Judged, facts: Facts) -> Taken:
        same_uid = self.by_uid.get(facts.sop_instance_uid)
        if same_uid is None:
            return self._new_instance(judged, facts)
        if same_content(same_uid, judged.digest, facts):
            return Taken(judged, ImportedFile.Outcome.DUPLICATE, instance=same_uid)
        return self._hold(judged, rejected(OTHER_CONTENT, patient=facts.patient))

    def _new_instance(self, judged: Judged, facts: Facts) -> Taken:
        instance = Instance(
            dataset=self.dataset,
            series=self.series[facts.series_instance_uid],
            sop_instance_uid=facts.sop_instance_uid,
            sop_class_uid=facts.sop_class_uid,
            instance_number=facts.instance_number,
            digest=judged.digest,
            source_digest=judged.source_digest,
            original_bytes=judged.original_bytes if self.dataset.keeps_originals else None,
            frames=facts.frames,
            rows=number_in(facts.attributes, "Rows"),
            columns=number_in(facts.attributes, "Columns"),
            bits_allocated=number_in(facts.attributes, "BitsAllocated"),
            pixel_offset=facts.pixel_offset,
            frame_bytes=facts.frame_bytes,
            attributes=facts.attributes,
            stored_at=self.now,
        )
        self.fresh.append(instance)
        self.by_source[judged.source_digest] = instance
        self.by_uid[facts.sop_instance_uid] = instance
        return Taken(judged, ImportedFile.Outcome.STORED, instance=instance)

    def _hold(self, judged: Judged, verdict: Verdict) -> Taken:
        """Quarantine a file; one that could not even be opened has no bytes to keep, only its reason."""
        outcome = ImportedFile.Outcome.QUARANTINED
        if not judged.source_digest:
            return Taken(judged, outcome, verdict.reason)
        held = self.held_by_source.get(judged.source_digest) or self._new_held(judged, verdict)
        return Taken(judged, outcome, held.reason, quarantined_file=held)

    def _new_held(self, judged: Judged, verdict: Verdict) -> QuarantinedFile:
        kinds = QuarantinedFile.Kind
        held = QuarantinedFile(
            dataset=self.dataset,
            project_id=self.project_id,
            source_digest=judged.source_digest,
            kind=kinds.PIXELS if verdict.outcome == "pixels" else kinds.REJECTED,
            reason=verdict.reason,
            patient_id_hint=judged.arrival.patient,
            patient=verdict.patient or judged.arrival.patient,
            size=judged.arrival.file.size,
            split=judged.arrival.split,
            has_preview=judged.has_preview,
            shown=sizes_of(verdict.shown) if verdict.shown else {},
            likeness=verdict.shown.likeness if verdict.shown else "",
            text_boxes=judged.text_boxes,
            created_at=self.now,
        )
        self.held.append(held)
        self.held_by_source[judged.source_digest] = held
        return held


def sizes_of(shown: Shown) -> dict[str, int]:
    """Tell a page how large a held image is, and how many pictures its preview holds."""
    return {"columns": shown.columns, "rows": shown.rows, "panels": shown.panels}


def same_content(stored: Instance, digest: str, facts: Facts) -> bool:
    """Whether a file with a stored image's UID is that image, perhaps in another lossless encoding."""
    if stored.digest == digest:
        return True
    if (stored.frames, stored.frame_bytes) != (facts.frames, facts.frame_bytes):
        return False
    if stored.attributes != facts.attributes:
        return False
    length = facts.frames * facts.frame_bytes
    there = files.read_span(files.instance_name(stored.digest), stored.pixel_offset, length)
    return there == files.read_span(files.instance_name(digest), facts.pixel_offset, length)
