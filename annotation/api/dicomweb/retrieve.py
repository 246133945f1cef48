"""WADO-RS: files, metadata, bulk data and frames, as they are stored."""

import re
from collections.abc import Sequence

from django.http import HttpResponseBase

from annotation.api.again import leave_open
from annotation.api.dicomweb.accept import DICOM, JSON, OCTETS, Offer, choose
from annotation.api.dicomweb.access import Visit
from annotation.api.dicomweb.answers import (
    Part,
    alone,
    in_parts,
    is_known,
    json_array,
    length_of,
    part_of,
    unchanged,
)
from annotation.api.dicomweb.leave import frame_part, frames_name, token_leave
from annotation.exchange.dicomweb_query import QueryError
from annotation.exchange.dicomweb_retrieve import (
    Stored,
    Target,
    bulk,
    instance_at,
    metadata,
    name_of,
    stored,
)

MOST_FRAMES = 5000


def files(visit: Visit, study_uid: str, series_uid: str = "", sop_uid: str = "") -> HttpResponseBase:
    """Send whole files: many in parts, one also by itself."""
    listed = found(visit, "retrieve", Target(study_uid, series_uid, sop_uid))
    offers = [Offer(DICOM, in_parts=True), *([Offer(DICOM)] if sop_uid else [])]
    offer = choose(visit.request, offers)
    return sent(visit, offer, [part_of(DICOM, one.file) for one in listed], name_of(listed, str(offer)))


def describe(visit: Visit, study_uid: str, series_uid: str = "", sop_uid: str = "") -> HttpResponseBase:
    """Send the headers in the JSON model, one after the other."""
    choose(visit.request, [Offer(JSON), Offer("application/json")])
    listed = found(visit, "metadata", Target(study_uid, series_uid, sop_uid))
    name = name_of(listed, visit.root)
    if is_known(visit.request, name):
        return unchanged(name)
    response = json_array(metadata(listed, visit.root))
    response["ETag"] = f'"{name}"'
    return response


def frames(visit: Visit, study_uid: str, series_uid: str, sop_uid: str, numbers: str) -> HttpResponseBase:
    """Send frames, from 1, uncompressed: several in parts, one also by itself."""
    wanted = frame_numbers(numbers)
    [one] = seen(visit, Target(study_uid, series_uid, sop_uid))
    offers = [Offer(OCTETS, in_parts=True), *([Offer(OCTETS)] if len(wanted) == 1 else [])]
    offer = choose(visit.request, offers)
    parts = [frame_part(one, number, visit.root) for number in wanted]
    response = sent(visit, offer, parts, frames_name(one, numbers, visit.root, offer))
    leave_open(visit.request, lambda: token_leave(visit, offer, Target(study_uid, series_uid)))
    return response


def bulk_data(visit: Visit, study_uid: str, series_uid: str, sop_uid: str, path: str) -> HttpResponseBase:
    """Send a long value to which the metadata points."""
    target = Target(study_uid, series_uid, sop_uid)
    offer = choose(visit.request, [Offer(OCTETS, in_parts=True), Offer(OCTETS)])
    instance = instance_at(visit.scope, target)
    visit.record_view(study_uid)
    part = part_of(OCTETS, bulk(instance, path))
    return sent(visit, offer, [part], f"{instance.digest}-{path}-{offer}".replace('"', ""))


def found(visit: Visit, act: str, target: Target) -> list[Stored]:
    """List what an address names, and audit that it is fetched.

    raises: NotFoundError.
    """
    listed = stored(visit.scope, target)
    kind = "instance" if target.instance else "series" if target.series else "study"
    named = target.instance or target.series or target.study
    visit.record(act, kind, named, instances=len(listed))
    return listed


def seen(visit: Visit, target: Target) -> list[Stored]:
    """List what an address names, and audit that the study is looked at.

    raises: NotFoundError.
    """
    listed = stored(visit.scope, target)
    visit.record_view(target.study)
    return listed


def sent(visit: Visit, offer: Offer, parts: Sequence[Part], name: str) -> HttpResponseBase:
    """Send parts as the request accepts them, or say that its sender has them already."""
    if is_known(visit.request, name):
        return unchanged(name)
    if not offer.in_parts:
        return alone(visit.request, parts[0], name=name)
    length = length_of(parts, name)
    response = in_parts(offer.media_type, parts, name=name, length=length)
    response["ETag"] = f'"{name}"'
    return response


def frame_numbers(text: str) -> list[int]:
    """Read a list of frame numbers, from 1.

    raises: QueryError.
    """
    if not re.fullmatch(r"[1-9]\d{0,6}(,[1-9]\d{0,6})*", text) or text.count(",") >= MOST_FRAMES:
        raise QueryError(f"frames are numbers from 1, with commas between, at most {MOST_FRAMES}")
    return [int(one) for one in text.split(",")]
