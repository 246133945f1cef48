"""What WADO-RS allows to be sent again: the frames of a series, to a token's holder."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.cache import cache

from accounts.tokens import TooManyError, count_request
from annotation.api.again import MOST_INSTANCES, Envelope
from annotation.api.dicomweb.accept import OCTETS, Offer
from annotation.api.dicomweb.access import Visit
from annotation.api.dicomweb.answers import Part, boundary_of, closed, described, opened, part_of, related
from annotation.exchange.dicomweb_retrieve import Stored, Target, name_of, stored


def frame_part(one: Stored, number: int, root: str) -> Part:
    """Make a part of a frame, from 1.

    raises: NotFoundError where there is no such frame.
    """
    return part_of(OCTETS, one.frame(number), f"{one.address(root)}/frames/{number}")


def frames_name(one: Stored, numbers: str, root: str, offer: Offer) -> str:
    """Name the content of an answer with frames of an instance."""
    return name_of([one], numbers, root, str(offer))


@dataclass(frozen=True)
class TokenLeave:
    """Frames of a series for a token's holder. view: as Visit.view_name."""

    token_id: UUID
    ends: datetime
    view: str
    root: str
    offer: Offer
    instances: dict[str, Stored]

    def is_counted(self) -> bool:
        """Count one more request; false where it is one too many, or the view is to be audited."""
        try:
            count_request(self.token_id)
        except TooManyError:
            return False
        return bool(cache.has_key(self.view))

    def envelope(self, sop_instance_uid: str, number: int) -> Envelope | None:
        """Describe a frame, from 1; None where there is none."""
        one = self.instances.get(sop_instance_uid)
        if one is None or number > one.frames:
            return None
        part, span = frame_part(one, number, self.root), one.frame(number)
        name = frames_name(one, str(number), self.root, self.offer)
        if not self.offer.in_parts:
            return Envelope(span, described(OCTETS), name)
        boundary = boundary_of(name)
        before, after = opened(part, boundary), b"\r\n" + closed(boundary)
        return Envelope(span, related(OCTETS, boundary), name, before, after)


def token_leave(visit: Visit, offer: Offer, series: Target) -> TokenLeave | None:
    """Say which frames of a series the holder of a token may have; None with a session, or for too many."""
    if visit.key is None or visit.request.COOKIES:
        return None
    listed = stored(visit.scope, series, most=MOST_INSTANCES + 1)
    if len(listed) > MOST_INSTANCES:
        return None
    return TokenLeave(
        token_id=visit.key.pk,
        ends=visit.key.expires_at,
        view=visit.view_name(series.study),
        root=visit.root,
        offer=offer,
        instances={one.sop_instance_uid: one for one in listed},
    )
