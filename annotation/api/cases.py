"""Cases as a viewer needs them."""

from collections.abc import Iterable, Sequence

from annotation.api.schemas import CaseView, InstanceView, ProtocolView
from annotation.projects.models import Case, Protocol
from annotation.studies.models import Instance


def case_view(case: Case) -> CaseView:
    """Show a case whose series and instances were loaded with it."""
    series = case.series
    return CaseView.model_construct(
        id=case.pk,
        number=case.number,
        modality=series.modality,
        instances=[instance_view(instance) for instance in in_reading_order(series.instances.all())],
    )


def instance_view(instance: Instance) -> InstanceView:
    """Show an instance."""
    return InstanceView.model_construct(
        sop_instance_uid=instance.sop_instance_uid,
        instance_number=instance.instance_number,
        frames=instance.frames,
        attributes=instance.attributes,
    )


def protocol_view(protocol: Protocol) -> ProtocolView:
    """Show what is asked."""
    return ProtocolView(version=protocol.version, questions=protocol.questions)


def in_reading_order(instances: Iterable[Instance]) -> list[Instance]:
    """Sort by position along the slices' common normal where all have one, else by instance number."""
    listed = list(instances)
    positions = [position_mm(instance) for instance in listed]
    if len(listed) < 2 or None in positions:
        return sorted(listed, key=lambda one: (one.instance_number, one.sop_instance_uid))
    keyed = zip(positions, listed, strict=True)
    return [one for _, one in sorted(keyed, key=lambda pair: (pair[0], pair[1].sop_instance_uid))]


def position_mm(instance: Instance) -> float | None:
    """Measure the signed distance of a slice along its normal, in mm (PS3.3 C.7.6.2.1.1)."""
    orientation = instance.attributes.get("ImageOrientationPatient")
    position = instance.attributes.get("ImagePositionPatient")
    if not orientation or not position:
        return None
    normal = cross(orientation[:3], orientation[3:])
    distance: float = round(sum(n * p for n, p in zip(normal, position, strict=True)), 6)
    return distance


def cross(row: Sequence[float], column: Sequence[float]) -> tuple[float, float, float]:
    """Vector product of the row and column directions: the normal of the slice."""
    (a, b, c), (d, e, f) = row, column
    return b * f - c * e, c * d - a * f, a * e - b * d
