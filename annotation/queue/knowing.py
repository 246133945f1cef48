"""Who may know what others say of a case: conditions for queries."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from annotation.queue.models import Remark
from annotation.readings.adjudication_models import Dispute


def knows_of(reader: User | OuterRef, case: UUID | OuterRef) -> Q:
    """Condition on cases of which a reader may know what others say: by a colleague, or as an adjudicator."""
    judged = Dispute.objects.filter(
        case=case, project__memberships__user=reader, project__memberships__adjudicates=True
    )
    return Q(Exists(spoken_of(reader).filter(case=case))) | Q(Exists(judged))


def spoken_of(reader: User | OuterRef) -> QuerySet[Remark]:
    """List the questions by which a reader may know what a colleague thinks: asked, or answered to."""
    told = Q(to=reader) | Q(author=reader, replied_at__isnull=False)
    return Remark.objects.filter(told, kind=Remark.Kind.QUESTION)
