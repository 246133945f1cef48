"""Deliveries as the import pages look them up."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest

from annotation.api.permissions import person
from annotation.exchange.sent import job_of
from annotation.studies.models import Import
from annotation.studies.selectors import import_for
from jobs.selectors import is_open


def found_delivery(request: HttpRequest, import_id: UUID) -> Import:
    """Look up a delivery.

    raises: Http404.
    """
    try:
        return import_for(person(request), import_id)
    except Import.DoesNotExist:
        raise Http404("no such import") from None


def state_of(delivery: Import) -> dict[str, Any]:
    """Tell where a delivery stands; live: the page should ask again."""
    job = job_of(delivery)
    ended = delivery.finished_at
    return {
        "delivery": delivery,
        "job": job,
        "live": job is not None and is_open(job),
        "took": (ended - delivery.created_at).total_seconds() if ended else None,
    }
