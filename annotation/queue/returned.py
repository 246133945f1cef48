"""Cases that were sent back: what their readers are told, and nobody else."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User
from annotation.projects.selectors import project_for
from annotation.readings.adjudication_models import Decision, Dispute
from annotation.readings.models import Revision
from annotation.readings.selectors import revisions_in_force


@dataclass(frozen=True)
class Returned:
    """A case that came back to one of its readers, with the adjudicator's words."""

    reading_id: UUID
    case_number: int
    modality: str
    comment: str
    returned_at: datetime


def returned_to(reader: User, project_id: UUID) -> list[Returned]:
    """List the reader's own readings that were sent back and wait for an answer, oldest first."""
    project = project_for(reader, project_id)
    mine = revisions_in_force().filter(
        reader=reader, reading__case__dispute__state=Dispute.State.RETURNED, reading__case__project=project
    )
    rows = mine.select_related("reading__case__series", "reading__case__dispute")
    found = [(one, one.reading.case.dispute) for one in rows]
    due = [(one, of) for one, of in found if one.number == of.awaited.get(str(one.reading_id))]
    words = comments_of([of.pk for _, of in due])
    listed = [
        Returned(
            one.reading_id,
            one.reading.case.number,
            one.reading.case.series.modality,
            words.get(of.pk, ""),
            of.changed_at,
        )
        for one, of in due
    ]
    return sorted(listed, key=lambda one: (one.returned_at, one.case_number))


def comment_for(revision: Revision) -> str | None:
    """Give the words with which an own reading came back; None where it did not, or is answered."""
    found = Dispute.objects.filter(case=revision.reading.case_id, state=Dispute.State.RETURNED).first()
    if found is None or found.awaited.get(str(revision.reading_id)) != revision.number:
        return None
    return comments_of([found.pk]).get(found.pk, "")


def comments_of(disputes: Collection[UUID]) -> dict[UUID, str]:
    """Find the newest words with which each dispute was sent back."""
    rows = Decision.objects.filter(dispute__in=disputes, act=Decision.Act.RETURNED).order_by("number")
    return dict(rows.values_list("dispute", "comment"))
