"""STOW-RS: store instances."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse

from annotation.api.dicomweb.accept import JSON, Offer, choose
from annotation.api.dicomweb.access import Visit, administrators_only
from annotation.api.dicomweb.answers import WARNING_AGENT, as_json
from annotation.api.permissions import address_of
from annotation.exchange.dicomweb_store import Answer, Sender, a_place, response, store_instances
from annotation.exchange.multipart import MalformedError, boundary_in, parts_in
from annotation.projects.models import Project
from annotation.studies.models import ImportedFile

HELD = "Some instances are held or refused; administrators see why in the import report."


def store(visit: Visit, study_uid: str = "") -> HttpResponseBase:
    """Take in what is sent and say what became of each instance, by its de-identified names."""
    administrators_only(visit)
    choose(visit.request, [Offer(JSON), Offer("application/json")])
    boundary = boundary_in(visit.request.headers.get("Content-Type", ""))
    project = Project.objects.select_related("dataset").get(pk=visit.scope.project_id)
    sender = Sender(visit.user, address_of(visit.request), visit.token)
    with a_place():
        contents = parts_in(visit.request, boundary, most=settings.UPLOAD_MAX_BYTES)
        answers = store_instances(project=project, sender=sender, contents=contents, study=study_uid)
    if not answers:
        raise MalformedError("there is no part in the body")
    return answered(visit, answers)


def answered(visit: Visit, answers: list[Answer]) -> HttpResponse:
    """Answer 200 where all is new and stored, 409 where nothing is stored, else 202 (PS3.18 10.5.3)."""
    kept = [one for one in answers if one.study]
    fresh = [one for one in kept if one.outcome == ImportedFile.Outcome.STORED]
    status = 200 if len(fresh) == len(answers) else 202 if kept else 409
    found = as_json(response(answers, visit.root), status=status)
    if len(kept) < len(answers):
        found["Warning"] = f'299 {WARNING_AGENT} "{HELD}"'
        where = reverse("import", kwargs={"project_id": visit.scope.project_id})
        found["Link"] = f'<{where}>; rel="describedby"'
    return found
