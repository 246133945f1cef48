"""The job behind the upload page: a delivery in the spool becomes cases."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from annotation.exchange import uploads
from annotation.exchange.deliveries import DeliveryError
from annotation.exchange.imports import admit_delivery, fail_delivery, finish_delivery
from annotation.studies.door.sandbox import DoorBrokenError
from jobs.models import Lane
from mlworker.runtime import Work, job


@job("import_delivery", lane=Lane.LIGHT)
def import_delivery(work: Work, *, import_id: str) -> None:
    """Take in what was uploaded, from where an earlier attempt stopped, and clear the spool."""
    delivery = UUID(import_id)
    source = uploads.source_of(settings.HOME.spool, delivery)
    try:
        admit_delivery(delivery, source=source, progress=work.progress)
    except (DeliveryError, DoorBrokenError) as error:
        fail_delivery(delivery, error=str(error), now=timezone.now())
        raise
    with work.commit():
        finish_delivery(delivery, now=timezone.now())
    uploads.remove(settings.HOME.spool, delivery)
