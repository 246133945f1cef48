"""The frames of a series in reading order, with what each is called and where its bytes are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotation.studies.files import Span, frame_span
from annotation.studies.frames import attributes_of_frame
from annotation.studies.models import Instance
from annotation.studies.rules import reading_order


@dataclass(frozen=True)
class Picture:
    """One frame; attributes: what stands for it."""

    sop_instance_uid: str
    frame: int
    attributes: dict[str, Any]
    span: Span

    @property
    def key(self) -> tuple[str, int]:
        """Name it as regions do."""
        return self.sop_instance_uid, self.frame

    @property
    def content(self) -> bytes:
        """Read its bytes as stored."""
        return self.span.read()


def pictures_of(instances: Iterable[Instance]) -> list[Picture]:
    """List the frames of a series in reading order: along the slices' normal where all have a position."""
    listed = in_number_order(instances)
    found = [picture_of(one, frame) for one in listed for frame in range(1, one.frames + 1)]
    return [found[place] for place in reading_order([one.attributes for one in found])]


def in_number_order(instances: Iterable[Instance]) -> list[Instance]:
    """Sort instances by their number, and by their UID where that is the same."""
    return sorted(instances, key=lambda one: (one.instance_number, one.sop_instance_uid))


def in_reading_order(instances: Iterable[Instance]) -> list[Instance]:
    """Sort a series' instances along the slices' normal where all have a position, else by number."""
    listed = in_number_order(instances)
    return [listed[place] for place in reading_order([one.attributes for one in listed])]


def picture_of(instance: Instance, frame: int) -> Picture:
    """Give one frame, from 1, of an instance."""
    return Picture(
        sop_instance_uid=instance.sop_instance_uid,
        frame=frame,
        attributes=attributes_of_frame(instance.attributes, frame),
        span=frame_span(instance.digest, instance.pixel_offset, instance.frame_bytes, frame),
    )
