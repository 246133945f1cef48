"""Writes of programs: not too many a minute; the same one sent again (Idempotency-Key) changes nothing.

Only what was done is kept: a refusal frees its key. Who sends a write again must still be allowed to, and a
secret that was shown once is not kept.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.answers import KEPT
from accounts.models import KeptAnswer, User
from accounts.sealing import Seal, derived_keys
from accounts.tokens import counted, usable
from annotation.api import guards
from annotation.api.errors import on_refused, on_too_large, problem
from annotation.api.permissions import Session, key_in, person
from annotation.api.tokened import token_used
from annotation.projects.models import Membership
from annotation.projects.rules import ForbiddenError, RefusedError

SEAL: Final = Seal(b"answers of the interface")
NAMED: Final = b"requests of the interface"
PREFIX: Final = "/api/v1/"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WRITES_A_WINDOW: Final = 3000
LONGEST_KEY: Final = 64
FORM: Final = "multipart/form-data"
PIECES: Final = "Upload-Pieces"  # says which bytes a body is
UNANSWERED: Final = timedelta(minutes=2)  # then the process that began has died


@dataclass(frozen=True)
class Asker:
    """Who writes; token: the id of the one that came, "" for a session."""

    user: User
    token: str = ""


def asker_of(request: HttpRequest) -> Asker | None:
    """Name the owner of the token that came, else the session's person; the address itself refuses others."""
    key = key_in(request)
    if key is None:
        return Asker(person(request)) if request.user.is_authenticated else None
    token = usable(key, now=timezone.now())
    return Asker(token.user, str(token.pk)) if token else None


class Repeats:
    """Middleware around the JSON API's writes, after it is known who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a write once."""
        concerns = request.method not in SAFE and request.path.startswith(PREFIX)
        asker = asker_of(request) if concerns else None
        if asker is None:
            return self.get_response(request)
        if counted(f"api-writes:{asker.user.pk}") > WRITES_A_WINDOW:
            refused = problem(429, "too_many", f"more than {WRITES_A_WINDOW} writes a minute: wait a minute")
            refused["Retry-After"] = "60"
            return refused
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            return self.get_response(request)
        if len(key) > LONGEST_KEY:
            return problem(422, "invalid", f"Idempotency-Key: at most {LONGEST_KEY} characters")
        try:
            return self.once(request, key, asker)
        except (MultiPartParserError, SuspiciousOperation) as error:
            return on_unread(request, error)

    def once(self, request: HttpRequest, key: str, asker: Asker) -> HttpResponse:
        """Answer as the first time, or for the first time; nothing is kept of who was let in otherwise."""
        digests = digests_of(request, asker)
        row = begun(asker, key, digests[0])
        if row is None:
            return answered_before(request, key, digests, asker)
        response = self.get_response(request)
        if 200 <= response.status_code < 300 and token_used(request) == asker.token:
            sealed = SEAL.seal(json.dumps(kept_of(request, response, asker)))
            KeptAnswer.objects.filter(pk=row.pk).update(status=response.status_code, sealed=sealed)
        else:
            row.delete()
        return response


def on_unread(request: HttpRequest, error: Exception) -> HttpResponse:
    """Say why a request that was to be named could not be read."""
    if isinstance(error, RequestDataTooBig):
        return on_too_large(request, error)
    return problem(400, "bad_request", _("the request could not be read"))


def kept_of(request: HttpRequest, response: HttpResponse, asker: Asker) -> dict[str, Any]:
    """Write what is kept of an answer. body: None where it holds a secret or is a stream."""
    is_kept = not response.streaming and not guards.shows_secret(request)
    return {
        "body": response.content.decode() if is_kept else None,
        "confirmed": guards.was_confirmed(request),
        "standing": standing_of(asker.user),
    }


def standing_of(user: User) -> list[str]:
    """Say what the person may do: a change of it keeps former answers from them."""
    roles = Membership.objects.filter(user=user).order_by("project")
    rows = roles.values_list("project", "role", "adjudicates")
    return [f"admin {user.is_admin}", *(" ".join(map(str, row)) for row in rows)]


def begun(asker: Asker, key: str, digest: str) -> KeptAnswer | None:
    """Take a key for this request; None where another one took it."""
    now, mine = timezone.now(), KeptAnswer.objects.filter(user=asker.user)
    mine.filter(created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user=asker.user, key=key, digest=digest, created_at=now)
    except IntegrityError:
        return None


def answered_before(request: HttpRequest, key: str, digests: Sequence[str], asker: Asker) -> HttpResponse:
    """Give the answer of the first time; a conflict where the key was for something else, or is not done."""
    row = KeptAnswer.objects.filter(user=asker.user, key=key).first()
    if row is None or row.digest not in digests:
        return problem(409, "idempotency_conflict", "this key was used for another request: make a new one")
    if row.status == 0 and row.created_at < timezone.now() - UNANSWERED:
        return problem(409, "unknown_outcome", "the first time broke off: look whether it was done")
    if row.status == 0:
        return problem(409, "in_progress", "the same request is being answered: ask again in a moment")
    try:
        return replayed(request, row, asker)
    except RefusedError as error:
        return on_refused(request, error)


def replayed(request: HttpRequest, row: KeptAnswer, asker: Asker) -> HttpResponse:
    """Give a kept answer to who may still ask for it.

    raises: CsrfError, ConfirmFirstError, ForbiddenError where the person's roles changed.
    """
    if not asker.token:  # a request by token is named after it, and what it may never changes
        Session()(request)
    kept = json.loads(SEAL.unsealed(row.sealed))
    if kept["confirmed"]:
        guards.confirmed(request)
    if kept["standing"] != standing_of(asker.user):
        raise ForbiddenError("it was done, and your roles changed since: the answer is not shown again")
    if kept["body"] is None:
        return problem(409, "made_before", "it was made before: the secret is not shown again")
    again = HttpResponse(kept["body"], status=row.status, content_type="application/json")
    again["Idempotent-Replayed"] = "true"
    return again


def digests_of(request: HttpRequest, asker: Asker) -> list[str]:
    """Name a request by what it asks: HMAC-SHA-256 by the present secret, then by those before it.

    What was sent may be guessed by who has a plain hash of it, as a Patient ID can.
    """
    is_form = request.method == "POST" and request.content_type == FORM
    said = form_of(request) if is_form else hashlib.sha256(request.body).hexdigest()
    where = [
        request.method,
        request.get_full_path(),
        request.headers.get(PIECES, ""),
        *filter(None, [asker.token]),
    ]
    asked = json.dumps([*where, said]).encode()
    return [hmac.new(one, asked, hashlib.sha256).hexdigest() for one in derived_keys(NAMED)]


def form_of(request: HttpRequest) -> list[Any]:
    """List a form's fields with what they say, and its files with their names and SHA-256."""
    files = [[field, file.name, digest_of(file)] for field, sent in request.FILES.lists() for file in sent]
    return [list(request.POST.lists()), files]


def digest_of(file: "UploadedFile[Any]") -> str:
    """Hash a file, a piece in memory at a time, and leave it as it was."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
