"""A project's protocol: its versions, an editor, and a check that changes nothing."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.pages.access import ADMIN, Visit, member, signed_in
from annotation.api.pages.frame import project_page
from annotation.api.pages.written import UnreadableError, read_json
from annotation.projects.changes import changes_between
from annotation.projects.problems import Problem
from annotation.projects.protocols import MEASURES, ProtocolInvalidError, ProtocolStaleError, document_of
from annotation.projects.questions import schema
from annotation.projects.selectors import document_in, versions_for
from annotation.projects.services import save_protocol
from annotation.projects.templates import templates
from annotation.readings.selectors import open_drafts

LONGEST = 512 * 1024


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def protocol(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the editor; or save what it holds as a new version, leaving drafts and leases alone."""
    return save(request, visit) if request.method == "POST" else editor(request, visit)


def editor(
    request: HttpRequest, visit: Visit, *, written: str = "", problems: list[Problem] | None = None
) -> HttpResponse:
    """Show a version of the protocol, or what was written and refused, to be edited."""
    versions = list(versions_for(visit.user, visit.project.pk))
    shown = next((one for one in versions if str(one.version) == request.GET.get("version")), versions[0])
    facts = {
        "saved": {"settings": {}} | document_in(versions[0]).plain(),
        "version": versions[0].version,
        "templates": [
            {"name": one.name, "title": one.title, "standard": one.standard, "document": one.document}
            for one in templates()
        ],
        "measures": MEASURES,
        "problems": [one.as_row() for one in problems or []],
    }
    return project_page(
        request,
        "project/protocol.html",
        "protocol",
        visit,
        status=422 if problems else 200,
        versions=versions,
        current=versions[0],
        shown=shown,
        written=written or json.dumps(document_in(shown).plain(), indent=2, ensure_ascii=False),
        facts=facts,
        problems=problems or [],
        drafts=open_drafts(visit.project.pk),
        base_version=request.POST.get("base_version") or versions[0].version,
    )


def save(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Put what was written in force, or show it again with what is wrong."""
    written = request.POST.get("document", "")
    try:
        saved = save_protocol(
            project=visit.project,
            document=document_of(read(written)),
            base_version=base_version(request),
            now=timezone.now(),
            by=visit.user,
        )
    except ProtocolInvalidError as error:
        return editor(request, visit, written=written, problems=error.problems)
    except ProtocolStaleError as error:
        return editor(request, visit, written=written, problems=[Problem("", error.code, str(error))])
    messages.success(request, f"Version {saved.version} is in force. Drafts and readings stay as they are.")
    return redirect("protocol", project_id=visit.project.pk)


@require_POST
@member(ADMIN)
def check(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Say what is wrong with what was written, and what it would change; nothing is saved."""
    current = versions_for(visit.user, visit.project.pk)[0]
    try:
        document = document_of(read(request.POST.get("document", "")))
    except ProtocolInvalidError as error:
        return JsonResponse({"problems": [one.as_row() for one in error.problems], "changes": []})
    changes = changes_between(document_in(current), document)
    return JsonResponse({"problems": [], "changes": changes, "version": current.version})


@require_GET
@signed_in
def protocol_schema(_request: HttpRequest) -> HttpResponse:
    """Describe a protocol as JSON Schema."""
    return JsonResponse(schema(), content_type="application/schema+json")


def read(written: str) -> object:
    """Read JSON.

    raises: ProtocolInvalidError where it is none, or too much.
    """
    try:
        return read_json(written, what="a protocol has", most=LONGEST)
    except UnreadableError as error:
        raise ProtocolInvalidError([error.problem]) from None


def base_version(request: HttpRequest) -> int:
    """Read which version was edited; what is none is older than any."""
    given = request.POST.get("base_version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0
