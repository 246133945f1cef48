"""Who asks with a verb that an address does not take is told so in words: by page, or by problem document."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from annotation.api.errors import problem

NOT_TAKEN: Final = 405
PROGRAMS: Final = "/api/"


class Verbs:
    """Middleware that gives words to an answer that had none; what it allows stays in its header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        response = self.get_response(request)
        has_words = response.headers.get("Content-Type", "").startswith("application/problem+json")
        if response.status_code != NOT_TAKEN or has_words:
            return response
        return refused(request, response.headers.get("Allow", ""))


def refused(request: HttpRequest, allowed: str) -> HttpResponse:
    """Say which verbs an address takes."""
    if request.path.startswith(PROGRAMS):
        words = _("this address does not take %(verb)s: it takes %(allowed)s")
        told = problem(NOT_TAKEN, "method_not_allowed", words % {"verb": request.method, "allowed": allowed})
    else:
        told = render(request, "405.html", {"back": page_above(request.path)}, status=NOT_TAKEN)
    told["Allow"] = allowed
    return told


def page_above(path: str) -> str:
    """Name the nearest address above one, to go back to."""
    while path := path.rstrip("/").rpartition("/")[0]:
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return reverse("home")
