"""How a project's images are de-identified: the options, and what they do to one file."""

import os
from collections.abc import Sequence
from typing import BinaryIO, cast

from django.conf import settings
from django.contrib import messages
from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.frame import project_page
from annotation.exchange.lifecycle.originals import removal_of
from annotation.exchange.lifecycle.usage import in_units
from annotation.studies.comparing import Comparison, compare
from annotation.studies.door import text
from annotation.studies.door.confidentiality import profile
from annotation.studies.door.limits import MEBIBYTE
from annotation.studies.door.options import OPTIONS, PROFILE, known_options
from annotation.studies.door.sandbox import DoorBrokenError
from annotation.studies.originals import kept_in
from annotation.studies.services import choose_options

COMPARED_BYTES = 64 * MEBIBYTE


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def deidentification(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show the options, or put others in force for later imports."""
    if request.method == "GET":
        return options_page(request, visit, known_options(visit.project.dataset.deidentification))
    choose_options(
        dataset=visit.project.dataset, options=known_options(request.POST.getlist("option")), by=visit.user
    )
    messages.success(request, "Saved. Imports that begin from now on are de-identified like this.")
    return redirect("deidentification", project_id=visit.project.pk)


@require_POST
@member(ADMIN)
def try_file(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show one file before and after; it is opened in the sandbox and not kept."""
    options = known_options(request.POST.getlist("option"))
    sent = request.FILES.get("file")
    if sent is None:
        return options_page(request, visit, options, problem="Choose a file first.", status=422)
    if (sent.size or 0) > COMPARED_BYTES:
        limit = f"The file is larger than {COMPARED_BYTES // MEBIBYTE} MiB. Try a smaller one."
        return options_page(request, visit, options, problem=limit, status=422)
    try:
        compared = compared_with(visit, sent, options)
    except DoorBrokenError:
        broken = "The closed box that opens files does not start. Tell your administrator."
        return options_page(request, visit, options, problem=broken, status=503)
    return options_page(request, visit, options, compared=compared)


def compared_with(visit: Visit, sent: "File[bytes]", options: Sequence[str]) -> Comparison:
    """Hand the file to the sandbox from memory."""
    stream = cast("BinaryIO", os.fdopen(os.memfd_create("compared"), "w+b"))
    with stream:
        for block in sent.chunks():
            stream.write(block)
        stream.seek(0)
        return compare(visit.project.dataset, stream, options)


def options_page(
    request: HttpRequest,
    visit: Visit,
    chosen: Sequence[str],
    *,
    compared: Comparison | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Explain each option; below, what was done to a file that was tried."""
    return project_page(
        request,
        "project/deidentification.html",
        "deidentification",
        visit,
        status=status,
        options=[(option, option.name in chosen) for option in OPTIONS],
        in_force=set(chosen) == set(known_options(visit.project.dataset.deidentification)),
        sharing=visit.project.dataset.projects.exclude(pk=visit.project.pk).count(),
        profile=PROFILE,
        edition=profile().edition,
        finds_text=settings.FIND_TEXT and text.is_there(),
        compared=compared,
        counts=counts_of(compared) if compared else [],
        **originals_in(visit),
        problem=problem,
    )


def originals_in(visit: Visit) -> dict[str, object]:
    """Say whether originals are kept, how many there are, and whether they are being removed."""
    kept, size = kept_in(visit.project.dataset)
    return {
        "keeps": visit.project.dataset.keeps_originals,
        "kept": kept,
        "kept_bytes": in_units(size),
        "removing": removal_of(visit.project.dataset),
    }


def counts_of(compared: Comparison) -> list[tuple[str, int]]:
    """Count the rows by what was done, most first."""
    deeds = [row.deed for row in compared.rows]
    return sorted(((deed, deeds.count(deed)) for deed in set(deeds)), key=lambda pair: -pair[1])
