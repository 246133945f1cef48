"""WADO-RS: where the bytes of studies, series, instances and frames are, and the headers of stored files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.exchange.dicomweb_headers import DataSet, UnreadableHeaderError, as_json, value_at
from annotation.exchange.dicomweb_scope import Scope
from annotation.studies import files
from annotation.studies.files import Span
from annotation.studies.frames import attributes_of_frame
from annotation.studies.models import Instance
from annotation.studies.rules import content_digest

HEADER_BYTES = 64 * 1024 * 1024
PIXEL_TAGS = {"PixelData": "7FE00010", "FloatPixelData": "7FE00008", "DoubleFloatPixelData": "7FE00009"}
COLUMNS = (
    *("sop_instance_uid", "sop_class_uid", "digest", "frames", "pixel_offset", "frame_bytes"),
    *("series__series_instance_uid", "series__study__study_instance_uid"),
)


class NotFoundError(LookupError):
    """There is nothing at an address, or nothing that this person may see."""


@dataclass(frozen=True)
class Target:
    """What an address names: a study, a series of it or an instance of that; "" is all."""

    study: str
    series: str = ""
    instance: str = ""


@dataclass(frozen=True)
class Stored:
    """One stored instance, as far as its bytes are concerned."""

    sop_instance_uid: str
    sop_class_uid: str
    digest: str
    frames: int
    pixel_offset: int
    frame_bytes: int
    series_instance_uid: str
    study_instance_uid: str

    @property
    def name(self) -> str:
        """Where the file is in the store."""
        return files.instance_name(self.digest)

    @property
    def pixels(self) -> Span:
        """All frames."""
        return Span(self.name, self.pixel_offset, self.frames * self.frame_bytes)

    @property
    def file(self) -> Span:
        """The whole file: an odd number of pixel bytes is followed by one zero (PS3.5 7.1.1)."""
        length = self.pixel_offset + self.pixels.length
        return Span(self.name, 0, length + self.pixels.length % 2)

    def frame(self, number: int) -> Span:
        """One frame, from 1.

        raises: NotFoundError where there is no such frame.
        """
        if not 1 <= number <= self.frames:
            raise NotFoundError(f"the instance has {self.frames} frames, from 1")
        return files.frame_span(self.digest, self.pixel_offset, self.frame_bytes, number)

    def header(self) -> bytes:
        """Everything before the first frame.

        raises: NotFoundError where it is larger than any that the door writes.
        """
        if self.pixel_offset > HEADER_BYTES:
            raise NotFoundError("the header of the stored file is too large to be read")
        return files.read_span(self.name, 0, self.pixel_offset)

    def address(self, root: str) -> str:
        """Give its address."""
        study, series = self.study_instance_uid, self.series_instance_uid
        return f"{root}/studies/{study}/series/{series}/instances/{self.sop_instance_uid}"


def stored(scope: Scope, target: Target, most: int | None = None) -> list[Stored]:
    """List what an address names, series by series and in the order of instance numbers; one query.

    most: how many are listed, None for all.
    raises: NotFoundError.
    """
    found = _matching(scope, target).order_by(
        "series__series_number", "series_id", "instance_number", "sop_instance_uid"
    )
    listed = [Stored(*row) for row in found.values_list(*COLUMNS)[:most]]
    if not listed:
        raise NotFoundError("there is no such study, series or instance here, or it is not yours to see")
    return listed


def instance_at(scope: Scope, target: Target) -> Instance:
    """Find one instance with its attributes.

    raises: NotFoundError.
    """
    found: Instance | None = _matching(scope, target).select_related("series__study").first()
    if found is None:
        raise NotFoundError("there is no such instance here, or it is not yours to see")
    return found


def _matching(scope: Scope, target: Target) -> Any:  # noqa: ANN401  a QuerySet that django-stubs cannot name
    if not target.instance:
        return scope.instances_of(target.study, target.series)
    return scope.instances().filter(
        series__study__study_instance_uid=target.study,
        series__series_instance_uid=target.series,
        sop_instance_uid=target.instance,
    )


def name_of(listed: Iterable[Stored], *more: str) -> str:
    """Name content by the digests that make it up: the same bytes have the same name."""
    return content_digest(
        [*((one.sop_instance_uid, one.digest) for one in listed), *(("~", x) for x in more)]
    )


def metadata(listed: Sequence[Stored], root: str) -> Iterator[DataSet]:
    """Give header after header in the JSON model; pixels and long values stand at addresses of their own."""
    for one in listed:
        yield as_json(one.header(), f"{one.address(root)}/bulkdata/{{}}".format)


@dataclass(frozen=True)
class Shown:
    """One frame to be rendered: where it lies and what stands for it."""

    span: Span
    attributes: dict[str, Any]


def shown_frames(scope: Scope, listed: Sequence[Stored], numbers: Sequence[int] | None) -> list[Shown]:
    """Give the frames of instances with their attributes, in order; numbers: which, from 1, None for all.

    raises: NotFoundError where there is no such frame.
    """
    found = scope.instances().filter(sop_instance_uid__in=[one.sop_instance_uid for one in listed])
    attributes = dict(found.values_list("sop_instance_uid", "attributes"))
    return [
        Shown(one.frame(number), attributes_of_frame(attributes[one.sop_instance_uid], number))
        for one in listed
        for number in (numbers if numbers is not None else range(1, one.frames + 1))
    ]


def bulk(instance: Instance, path: str) -> Span | bytes:
    """Find a value that the metadata names by its address: the pixels where they lie, else the bytes.

    raises: NotFoundError.
    """
    one = stored_of(instance)
    if path == PIXEL_TAGS[instance.attributes.get("PixelKeyword", "PixelData")]:
        return one.pixels
    try:
        return value_at(one.header(), path)
    except (KeyError, UnreadableHeaderError):
        raise NotFoundError("the instance has no bulk data at this address") from None


def stored_of(instance: Instance) -> Stored:
    """Describe the bytes of an instance that was read with its series and study."""
    series = instance.series
    return Stored(
        instance.sop_instance_uid,
        instance.sop_class_uid,
        instance.digest,
        instance.frames,
        instance.pixel_offset,
        instance.frame_bytes,
        series.series_instance_uid,
        series.study.study_instance_uid,
    )
