"""WADO-RS: rendered instances and frames, and thumbnails."""

from collections.abc import Iterator, Sequence

from django.http import HttpResponseBase

from annotation.api.dicomweb.accept import JPEG, PNG, NotAcceptableError, Offer, choose
from annotation.api.dicomweb.access import Visit
from annotation.api.dicomweb.answers import Part, alone, in_parts, is_known, part_of, unchanged
from annotation.api.dicomweb.retrieve import frame_numbers, seen
from annotation.exchange.dicomweb_render import Look, RenderingError, read_look, rendered
from annotation.exchange.dicomweb_retrieve import NotFoundError, Shown, Target, name_of, shown_frames
from annotation.studies import files
from annotation.studies.frames import UnreadablePixelsError

IMAGES = (Offer(JPEG), Offer(PNG))
IN_PARTS = (Offer(JPEG, in_parts=True), Offer(PNG, in_parts=True))
THUMBNAIL_PIXELS = 96
MOST_RENDERED = 2000


def instances(visit: Visit, study_uid: str, series_uid: str = "", sop_uid: str = "") -> HttpResponseBase:
    """Render every frame of what is named, in parts; of one instance its first frame also by itself."""
    target = Target(study_uid, series_uid, sop_uid)
    offer = choose(visit.request, [*(IMAGES if sop_uid else ()), *IN_PARTS])
    numbers = None if offer.in_parts else [1]
    return pictures(visit, target, numbers, offer)


def frames(visit: Visit, study_uid: str, series_uid: str, sop_uid: str, numbers: str) -> HttpResponseBase:
    """Render frames, from 1: several in parts, one also by itself."""
    wanted = frame_numbers(numbers)
    offer = choose(visit.request, [*(IMAGES if len(wanted) == 1 else ()), *IN_PARTS])
    return pictures(visit, Target(study_uid, series_uid, sop_uid), wanted, offer)


def pictures(visit: Visit, target: Target, numbers: Sequence[int] | None, offer: Offer) -> HttpResponseBase:
    """Render and send."""
    look = read_look(visit.request.GET.dict())
    listed = seen(visit, target)
    name = name_of(listed, str(look), str(numbers), str(offer))
    if is_known(visit.request, name):
        return unchanged(name)
    wanted = shown_frames(visit.scope, listed, numbers)
    if len(wanted) > MOST_RENDERED:
        raise NotAcceptableError(f"more than {MOST_RENDERED} frames: ask series by series")
    if not offer.in_parts:
        return alone(visit.request, part_of(offer.media_type, drawn(wanted[0], look, offer)), name=name)
    return in_parts(offer.media_type, parts_of(wanted, look, offer), name=name, length=None)


def parts_of(wanted: Sequence[Shown], look: Look, offer: Offer) -> Iterator[Part]:
    """Render one frame after the other, each when it is sent."""
    for one in wanted:
        yield part_of(offer.media_type, drawn(one, look, offer))


def drawn(one: Shown, look: Look, offer: Offer) -> bytes:
    """Render one frame.

    raises: RenderingError where its pixels are of a kind that is not shown.
    """
    try:
        return rendered(one.span.read(), one.attributes, look, offer.media_type)
    except UnreadablePixelsError as error:
        raise RenderingError(str(error)) from error


def thumbnail(
    visit: Visit, study_uid: str, series_uid: str = "", sop_uid: str = "", numbers: str = ""
) -> HttpResponseBase:
    """Send a small picture of what is named: of its middle instance, of that its first frame."""
    offer = choose(visit.request, IMAGES[::-1])
    listed = seen(visit, Target(study_uid, series_uid, sop_uid))
    middle = listed[len(listed) // 2]
    name = name_of([middle], "thumbnail", numbers, str(offer), visit.request.GET.get("viewport", ""))
    if is_known(visit.request, name):
        return unchanged(name)
    asked = "viewport" in visit.request.GET or numbers or offer.media_type != PNG
    if asked:
        side = str(THUMBNAIL_PIXELS)
        look = read_look({"viewport": f"{side},{side}"} | visit.request.GET.dict())
        [one] = shown_frames(visit.scope, [middle], frame_numbers(numbers or "1")[:1])
        picture = drawn(one, look, offer)
    else:
        picture = kept_thumbnail(middle.digest)
    return alone(visit.request, part_of(offer.media_type, picture), name=name)


def kept_thumbnail(digest: str) -> bytes:
    """Read the small picture that was made at the door.

    raises: NotFoundError.
    """
    try:
        return files.read_whole(files.thumbnail_name(digest))
    except FileNotFoundError:
        raise NotFoundError("there is no thumbnail of it") from None
