"""Cases as a viewer needs them."""

from annotation.api.schemas import CaseView, InstanceView, ProtocolView
from annotation.projects.models import Case, Protocol
from annotation.projects.selectors import settings_in
from annotation.studies.models import Instance, Series
from annotation.studies.pictures import in_reading_order


def case_view(case: Case) -> CaseView:
    """Show a case whose series and instances were loaded with it."""
    series = case.series
    return CaseView.model_construct(
        id=case.pk,
        number=case.number,
        modality=series.modality,
        instances=instances_view(series),
    )


def instances_view(series: Series) -> list[InstanceView]:
    """Show the images of a series that was loaded with them, in reading order."""
    return [instance_view(instance) for instance in in_reading_order(series.instances.all())]


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
    return ProtocolView(
        version=protocol.version, questions=protocol.questions, settings=settings_in(protocol)
    )
