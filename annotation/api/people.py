"""People for programs: who can sign in, what they may do where, their tokens; by administrators, audited."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from accounts.forms import NewPersonForm
from accounts.models import ApiToken, User
from accounts.scopes import Scope
from accounts.selectors import EVERYBODY, people_found, person_for
from accounts.services import add_person
from accounts.tokens import TokenRefusedError, Wish, make_token, revoke_token
from annotation.api import standing
from annotation.api.guards import administrator, confirmed, confirmed_administrator, show_once
from annotation.api.pages.invitation import make_link
from annotation.api.pages.taking import checked
from annotation.api.paging import After, after, next_of
from annotation.api.permissions import address_of, person, record_act
from annotation.api.responses import WRITE
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import project_for
from annotation.projects.services import set_membership

ORDER = ("username", "pk")


class MembershipView(Schema):
    """What a person does in a project."""

    project_id: UUID
    project: str
    role: Literal["reader", "ml_staff"]
    adjudicates: bool


class PersonLineView(Schema):
    """A person as administrators see them."""

    id: UUID
    username: str
    email: str
    is_admin: bool
    is_active: bool
    has_password: bool
    last_login: datetime | None
    memberships: list[MembershipView]


class PeopleView(Schema):
    """A page of people by name; next: the cursor of the next page, null at the end."""

    people: list[PersonLineView]
    next: str | None


class Search(After):
    """Whom to list: words in a name, address or project; kind as on the page (admins, disabled, …)."""

    words: str = Field("", max_length=150)
    kind: str = Field(EVERYBODY, max_length=16)


class NewPersonBody(Schema):
    """Somebody who is to be invited."""

    username: str = Field(min_length=1, max_length=150)
    email: str = Field("", max_length=254)
    is_admin: bool = False


class LinkView(Schema):
    """A one-time link to choose a password; url: shown this once, empty where it was mailed."""

    person_id: UUID
    url: str
    expires_at: datetime


class StandingBody(Schema):
    """What of a person's standing is to change; null: stays."""

    is_active: bool | None = None
    is_admin: bool | None = None


class MembershipBody(Schema):
    """What a person is to do in a project."""

    role: Literal["reader", "ml_staff"]
    adjudicates: bool = False


class EndedView(Schema):
    """How many sessions ended."""

    ended: int


class TokenView(Schema):
    """An API token, without its key."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenBody(Schema):
    """What a new token of one's own is to be."""

    name: str = Field(min_length=1, max_length=64)
    scopes: list[Scope] = Field(min_length=1, max_length=10)
    days: int = Field(ge=1, le=365)


class NewTokenView(TokenView):
    """A new token; its key is shown this once."""

    key: str


router = Router(tags=["people"])


@router.get("people", response={200: PeopleView, **WRITE})
def list_people(request: HttpRequest, search: Query[Search]) -> PeopleView:
    """List people, by name."""
    found = people_found(administrator(request), words=search.words.strip(), shown=search.kind)
    rows = after(found.prefetch_related("memberships__project"), search, order=ORDER)
    return PeopleView(
        people=[person_view(one) for one in rows[: search.size]], next=next_of(rows, search, order=ORDER)
    )


@router.post("people", response={201: LinkView, **WRITE})
def invite_person(request: HttpRequest, body: NewPersonBody) -> Status[LinkView]:
    """Add a person; they choose their password by a link."""
    confirmed_administrator(request)
    form = checked(NewPersonForm(body.model_dump()))
    with transaction.atomic():
        added = add_person(**form.cleaned_data)
        record_act(request, "person.add", "user", added.pk, {"is_admin": added.is_admin})
    return Status(201, link_view(request, added))


@router.get("people/{uuid:person_id}", response={200: PersonLineView, **WRITE})
def show_person(request: HttpRequest, person_id: UUID) -> PersonLineView:
    """Show a person."""
    return person_view(person_for(administrator(request), person_id))


@router.patch("people/{uuid:person_id}", response={200: PersonLineView, **WRITE})
def change_person(request: HttpRequest, person_id: UUID, body: StandingBody) -> PersonLineView:
    """Disable or enable a person, make them an administrator or one no more."""
    subject = person_for(confirmed_administrator(request), person_id)
    with transaction.atomic():
        if body.is_active is not None and body.is_active != subject.is_active:
            standing.set_activity(request, subject, active=body.is_active)
        if body.is_admin is not None and body.is_admin != subject.is_admin:
            standing.set_administration(request, subject, is_admin=body.is_admin)
    return person_view(subject)


@router.post("people/{uuid:person_id}/link", response={201: LinkView, **WRITE})
def make_person_link(request: HttpRequest, person_id: UUID) -> Status[LinkView]:
    """Make a new link; the password, sessions and tokens that were there end."""
    subject = person_for(confirmed_administrator(request), person_id)
    standing.end_password(request, subject)
    return Status(201, link_view(request, subject))


@router.delete("people/{uuid:person_id}/sessions", response={200: EndedView, **WRITE})
def end_person_sessions(request: HttpRequest, person_id: UUID) -> EndedView:
    """Sign a person out everywhere."""
    subject = person_for(administrator(request), person_id)
    return EndedView(ended=standing.sign_out_everywhere(request, subject))


@router.delete("people/{uuid:person_id}/factors", response={200: EndedView, **WRITE})
def forget_person_factors(request: HttpRequest, person_id: UUID) -> EndedView:
    """Forget a person's second factors; their sessions end."""
    subject = person_for(confirmed_administrator(request), person_id)
    return EndedView(ended=standing.forget_factors(request, subject))


@router.delete("people/{uuid:person_id}/locks", response={204: None, **WRITE})
def unlock_person(request: HttpRequest, person_id: UUID) -> Status[None]:
    """Let a person sign in before a lock ends by itself."""
    standing.unlock(request, person_for(administrator(request), person_id))
    return Status(204, None)


@router.put("people/{uuid:person_id}/memberships/{uuid:project_id}", response={200: MembershipView, **WRITE})
def put_membership(
    request: HttpRequest, person_id: UUID, project_id: UUID, body: MembershipBody
) -> MembershipView:
    """Give a person a role in a project; it holds from their next request on."""
    me = confirmed_administrator(request)
    project, subject = project_for(me, project_id), person_for(me, person_id)
    set_membership(
        project=project,
        user=subject,
        role=body.role,
        adjudicates=body.adjudicates,
        by=me,
        address=address_of(request),
    )
    return MembershipView(project_id=project.pk, project=project.name, **body.model_dump())


@router.delete("people/{uuid:person_id}/memberships/{uuid:project_id}", response={204: None, **WRITE})
def end_membership(request: HttpRequest, person_id: UUID, project_id: UUID) -> Status[None]:
    """Take a person out of a project; what they have read is kept."""
    me = confirmed_administrator(request)
    project, subject = project_for(me, project_id), person_for(me, person_id)
    set_membership(project=project, user=subject, role=None, by=me, address=address_of(request))
    return Status(204, None)


@router.get("people/{uuid:person_id}/tokens", response={200: list[TokenView], **WRITE})
def list_person_tokens(request: HttpRequest, person_id: UUID) -> list[ApiToken]:
    """List a person's tokens."""
    return list(person_for(administrator(request), person_id).tokens.all()[:500])


@router.get("tokens", response={200: list[TokenView], **WRITE})
def list_tokens(request: HttpRequest) -> list[ApiToken]:
    """List one's own tokens."""
    return list(person(request).tokens.all()[:500])


@router.post("tokens", response={201: NewTokenView, **WRITE})
def make_own_token(request: HttpRequest, body: TokenBody) -> Status[NewTokenView]:
    """Make a token of one's own."""
    confirmed(request)
    wish = Wish(body.name, [one.value for one in body.scopes], body.days)
    try:
        with transaction.atomic():
            token, key = make_token(user=person(request), wish=wish, now=timezone.now())
            told = {"scopes": token.scopes, "expires": token.expires_at}
            record_act(request, "token.make", "token", token.pk, told)
    except TokenRefusedError as error:
        raise RefusedError(str(error)) from None
    show_once(request)
    view = TokenView.model_validate(token, from_attributes=True)
    return Status(201, NewTokenView(**view.model_dump(), key=key))


@router.delete("tokens/{uuid:token_id}", response={204: None, **WRITE})
def end_token(request: HttpRequest, token_id: UUID) -> Status[None]:
    """Revoke a token of one's own; an administrator anyone's."""
    with transaction.atomic():
        token = revoke_token(token_id=token_id, by=person(request), now=timezone.now())
        record_act(request, "token.revoke", "token", token.pk, {"owner": str(token.user_id)})
    return Status(204, None)


def person_view(subject: User) -> PersonLineView:
    """Show a person."""
    same = ("username", "email", "is_admin", "is_active", "last_login")
    return PersonLineView(
        id=subject.pk,
        has_password=subject.has_usable_password(),
        memberships=[
            MembershipView.model_construct(
                project_id=one.project_id,
                project=one.project.name,
                role=one.role,
                adjudicates=one.adjudicates,
            )
            for one in subject.memberships.all()
        ],
        **{name: getattr(subject, name) for name in same},
    )


def link_view(request: HttpRequest, subject: User) -> LinkView:
    """Make a person's link and show it."""
    show_once(request)
    made = make_link(request, subject)
    return LinkView(person_id=subject.pk, url=made.url, expires_at=made.invitation.expires_at)
