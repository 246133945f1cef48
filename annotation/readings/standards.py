"""Writes of the reference standard: what a case's readings are fused into."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from annotation.projects.answers import asked_of
from annotation.projects.models import Case
from annotation.projects.questions import Question, questions_of
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.readings.fusion.standard import MAJORITY, How, Said, standard_of
from annotation.readings.models import ReferenceStandard, Revision, Source
from annotation.readings.rules import stated
from annotation.readings.selectors import author_of, revisions_in_force, skills_in

COUNTED_BY = ("protocol", "source", "reading__case")


def counted(revisions: list[Revision]) -> list[Revision]:
    """Choose whose answers become the reference standard: readers', or sources' where no reader has read.

    A source that is to be learned from counts in the pool; in streams that judge models, only one that is
    to be the reference.
    """
    read = [one for one in revisions if one.source is None]
    return read or [
        one for one in revisions if one.source is not None and is_counted(one.source, one.reading.case)
    ]


def is_counted(source: Source, case: Case) -> bool:
    """Whether a source's answers to a case stand where no reader has read it."""
    return source.use == Source.Use.REFERENCE or (
        source.use == Source.Use.TRAINING and case.stream == Case.Stream.POOL
    )


def refresh_reference(*, case_id: UUID, now: datetime) -> None:
    """Fuse the newest revisions of a case's readings into its reference standard, or none where they tie.

    Where its answers stay as they were, so does when they came: nobody has to learn them again.
    """
    revisions = counted(list(revisions_in_force().filter(reading__case=case_id).select_related(*COUNTED_BY)))
    protocols = {one.protocol.version: questions_of(one.protocol.questions) for one in revisions}
    said = [said_by(one, protocols[one.protocol.version]) for one in revisions]
    newest = max((one.protocol for one in revisions), key=lambda one: one.version, default=None)
    how = how_fused(newest.project_id, said) if newest else How()
    fused = standard_of(protocols[newest.version], said, how) if newest else None
    if fused is None:
        ReferenceStandard.objects.filter(case=case_id).delete()
        return
    before = ReferenceStandard.objects.filter(case=case_id).values("answers", "updated_at").first()
    values = {
        "answers": fused.answers,
        "uncertainty": fused.uncertainty,
        "readings": len(said),
        "updated_at": before["updated_at"] if before and before["answers"] == fused.answers else now,
    }
    ReferenceStandard.objects.bulk_create(
        [ReferenceStandard(case_id=case_id, **values)],
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=list(values),
    )


def said_by(revision: Revision, questions: Sequence[Question]) -> Said:
    """Take what a revision states; questions: of the protocol that it answers."""
    asked = asked_of(questions, revision.answers)
    kinds = {one.key: one.kind for one in questions if asked[one.key]}
    return Said(author_of(revision), stated(questions, revision.answers), kinds, revision.source_id is None)


def how_fused(project_id: UUID, said: Sequence[Said]) -> How:
    """Say how a case's readings are fused now; skills are looked up only where they weigh."""
    if len(said) < 2:
        return How()
    settings = settings_in(protocol_in_force(project_id))
    skills = {} if settings.fusion == MAJORITY else skills_in(project_id)
    return How(settings.fusion, settings.fuse_drawings, skills)
