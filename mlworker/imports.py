"""The jobs that bring images in: sent through the browser, fetched from a peer, or received."""

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from annotation.exchange import beginning, uploads
from annotation.exchange.archives import DeliveryError
from annotation.exchange.imports import admit_delivery, fail_delivery, finish_delivery
from annotation.exchange.peers import received
from annotation.exchange.peers.models import Pull
from annotation.exchange.peers.pulls import fetch_studies
from annotation.projects.requesters import check_administrator, check_manager
from annotation.projects.rules import ForbiddenError
from annotation.studies.models import Import
from jobs.models import Lane
from mlworker.runtime import Work, job


@job("import_delivery", lane=Lane.TRANSFER)
def import_delivery(work: Work, *, import_id: str) -> None:
    """Take a delivery in from where it stands; run again, it changes nothing."""
    key = UUID(import_id)
    check_requester(key)
    if Import.objects.get(pk=key).state != Import.State.DONE:
        try:
            admit_delivery(key, source=uploads.source_of(settings.HOME.spool, key), progress=work.progress)
        except DeliveryError as error:
            fail_delivery(key, error=str(error), now=timezone.now())
            raise
    with work.commit():
        finish_delivery(key, now=timezone.now())
    uploads.remove(settings.HOME.spool, key)


@job("import_examples", lane=Lane.TRANSFER)
def import_examples(work: Work, *, import_id: str) -> None:
    """Make example images and take them in; run again, it changes nothing."""
    check_requester(UUID(import_id))
    if Import.objects.get(pk=import_id).state != Import.State.DONE:
        beginning.write_examples(settings.HOME.spool, UUID(import_id))
    import_delivery(work, import_id=import_id)


@job("take_cases", lane=Lane.TRANSFER)
def take_cases(work: Work, *, project_id: str) -> None:
    """Make the cases of a data set that a new project asks about; run again, it changes nothing."""
    check_manager(work.claim.requested_by_id, UUID(project_id))
    beginning.take_cases(UUID(project_id), now=timezone.now(), progress=work.progress)


@job("pull_studies", lane=Lane.TRANSFER)
def pull_studies(work: Work, *, pull_id: str) -> None:
    """Fetch the studies that were picked at a peer; run again, it goes on where it stopped."""
    check_requester(Pull.objects.get(pk=pull_id).delivery_id)
    delivery_id = fetch_studies(UUID(pull_id), progress=work.progress)
    with work.commit():
        finish_delivery(delivery_id, now=timezone.now())


def check_requester(import_id: UUID) -> None:
    """Check that who asked for a delivery is still an administrator; else the delivery has failed.

    raises: ForbiddenError.
    """
    delivery = Import.objects.get(pk=import_id)
    if delivery.state == Import.State.DONE:
        return
    try:
        check_administrator(delivery.requested_by_id)
    except ForbiddenError as error:
        fail_delivery(import_id, error=str(error), now=timezone.now())
        raise


@job("import_received", lane=Lane.TRANSFER)
def import_received(work: Work, *, project_id: str, peer_id: str) -> None:
    """Take in what a sender gave by C-STORE; run again, it goes on with what is left."""
    received.import_received(settings.HOME.received, UUID(project_id), UUID(peer_id), progress=work.progress)
