"""Writes of the reference standard: what a case's readings are fused into."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.projects.answers import kinds_asked
from annotation.projects.models import Case
from annotation.projects.questions import Question, questions_of
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.readings.adjudication_models import Decision, Dispute
from annotation.readings.fusion.standard import MAJORITY, How, Said, standard_of
from annotation.readings.models import ReferenceStandard, Revision, Source
from annotation.readings.qualifying import unqualified_in
from annotation.readings.rules import stated
from annotation.readings.selectors import author_of, revisions_in_force, skills_in

COUNTED_BY = ("protocol", "source", "reading__case")


def counted(revisions: list[Revision], unqualified: Collection[UUID] = ()) -> list[Revision]:
    """Choose whose answers become the reference standard: readers', or sources' where no reader has read.

    A source that is to be learned from counts in the pool; in streams that judge models, only one that is
    to be the reference. unqualified: readers who do not count yet.
    """
    read = [one for one in revisions if one.source is None and one.reader_id not in unqualified]
    return read or [
        one for one in revisions if one.source is not None and is_counted(one.source, one.reading.case)
    ]


def is_counted(source: Source, case: Case) -> bool:
    """Whether a source's answers to a case stand where no reader has read it."""
    return source.use == Source.Use.REFERENCE or (
        source.use == Source.Use.TRAINING and case.stream == Case.Stream.POOL
    )


@transaction.atomic(savepoint=False)
def refresh_reference(*, case_id: UUID, now: datetime) -> None:
    """Fuse the newest revisions of a case's readings into its reference standard, or none where they tie.

    A case in dispute has none until it is decided; then what an adjudicator decided stands, whoever reads on
    or counts no more.
    Where its answers stay as they were, so does when they came: nobody has to learn them again.
    """
    dispute = Dispute.objects.select_for_update().filter(case=case_id).first()  # who decides now goes first
    revisions = counted_of(case_id)
    if dispute is not None and dispute.is_held and len(revisions) > 1:
        write_standard(case_id, None, now)
        return
    decided = decision_in_force(dispute) if dispute is not None else None
    if decided is not None:
        adjudicated = ReferenceStandard.Provenance.ADJUDICATED
        values = {"answers": decided.answers, "uncertainty": {}, "provenance": adjudicated}
        write_standard(case_id, values | {"readings": len(revisions)}, now)
        return
    write_standard(case_id, fused_of(revisions), now)


def counted_of(case_id: UUID) -> list[Revision]:
    """List the revisions in force of a case that count."""
    found = list(revisions_in_force().filter(reading__case=case_id).select_related(*COUNTED_BY))
    return counted(found, unqualified_in(found[0].reading.case.project_id)) if found else []


def decision_in_force(dispute: Dispute) -> Decision | None:
    """Find what an adjudicator decided; None where nobody has, or readers came to agree."""
    if dispute.state != Dispute.State.DECIDED:
        return None
    return dispute.decisions.exclude(act=Decision.Act.RETURNED).order_by("-number").first()


def fused_of(
    revisions: Sequence[Revision], settled: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Fuse revisions in force of one case; None where there is none, or they tie.

    settled: answers that stand for all of them, by question; None: this one is not answered.
    """
    if not revisions:
        return None
    protocols = {one.protocol.version: questions_of(one.protocol.questions) for one in revisions}
    said = [said_by(one, protocols[one.protocol.version]) for one in revisions]
    if settled is not None:
        said = [settled_in(one, settled) for one in said]
    newest = max((one.protocol for one in revisions), key=lambda one: one.version)
    fused = standard_of(protocols[newest.version], said, how_fused(newest.project_id, said))
    if fused is None:
        return None
    return {
        "answers": fused.answers,
        "uncertainty": fused.uncertainty,
        "provenance": ReferenceStandard.Provenance.FUSED,
        "readings": len(said),
    }


def settled_in(said: Said, settled: Mapping[str, Any]) -> Said:
    """Put settled answers in place of what was said."""
    answers = {key: answer for key, answer in {**said.answers, **settled}.items() if answer is not None}
    return replace(said, answers=answers)


def write_standard(case_id: UUID, values: dict[str, Any] | None, now: datetime) -> None:
    """Put a case's reference standard in place of the one before; None: there is none."""
    if values is None:
        ReferenceStandard.objects.filter(case=case_id).delete()
        return
    before = ReferenceStandard.objects.filter(case=case_id).values("answers", "updated_at").first()
    is_same = before is not None and before["answers"] == values["answers"]
    values |= {"updated_at": before["updated_at"] if before and is_same else now}
    ReferenceStandard.objects.bulk_create(
        [ReferenceStandard(case_id=case_id, **values)],
        update_conflicts=True,
        unique_fields=["case"],
        update_fields=list(values),
    )


def said_by(revision: Revision, questions: Sequence[Question]) -> Said:
    """Take what a revision states; questions: of the protocol that it answers."""
    kinds = kinds_asked(questions, revision.answers)
    return Said(author_of(revision), stated(questions, revision.answers), kinds, revision.source_id is None)


def how_fused(project_id: UUID, said: Sequence[Said]) -> How:
    """Say how a case's readings are fused now; skills are looked up only where they weigh."""
    if len(said) < 2:
        return How()
    settings = settings_in(protocol_in_force(project_id))
    skills = {} if settings.fusion == MAJORITY else skills_in(project_id)
    return How(settings.fusion, settings.fuse_drawings, skills)
