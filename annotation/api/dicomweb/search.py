"""QIDO-RS: search for studies, series and instances."""

from collections.abc import Callable

from django.http import HttpResponse

from accounts.scopes import Scope
from annotation.api.dicomweb.accept import JSON, Offer, choose
from annotation.api.dicomweb.access import Visit
from annotation.api.dicomweb.answers import WARNING_AGENT, as_json
from annotation.exchange.dicomweb_query import Level, read_query
from annotation.exchange.dicomweb_search import Within
from annotation.exchange.dicomweb_search import search as found_by

READ = Scope.DICOMWEB_READ
OFFERS = (Offer(JSON), Offer("application/json"))


def search(level: Level) -> tuple[Scope, Callable[..., HttpResponse]]:
    """Make the search of one level; the address may name a study and a series to search in."""

    def searched(visit: Visit, study_uid: str = "", series_uid: str = "") -> HttpResponse:
        choose(visit.request, OFFERS)
        pairs = [(name, value) for name, values in visit.request.GET.lists() for value in values]
        query = read_query(level, pairs)
        found = found_by(visit.scope, query, Within(study_uid, series_uid), visit.root)
        visit.record("search", "project", str(visit.scope.project_id), level=level, found=len(found.datasets))
        response = as_json(found.datasets)
        if found.warnings:
            response["Warning"] = ", ".join(f'299 {WARNING_AGENT} "{text}"' for text in found.warnings)
        return response

    return READ, searched
