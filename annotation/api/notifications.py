"""A person's notifications for programs: listed, marked as read, chosen."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from annotation.api.paging import After, after, next_of
from annotation.api.permissions import person
from annotation.api.responses import MISSING, WRITE
from notices.kinds import KINDS, sentence_of
from notices.models import Notice
from notices.services import mark_read, set_wishes, wishes_in_force


class NoticeView(Schema):
    """One thing that the person was told; link: a path on this site, or empty."""

    id: UUID
    kind: str
    sentence: str
    link: str
    created_at: datetime
    read_at: datetime | None


class NoticesView(Schema):
    """A page of notices, the newest first; next: the cursor of the next page, null at the end."""

    notices: list[NoticeView]
    next: str | None
    unread: int


class ReadBody(Schema):
    """Which are read; null: all."""

    ids: list[UUID] | None = Field(None, max_length=1000)


class ReadView(Schema):
    """How many were unread."""

    marked: int


class WishesBody(Schema):
    """What the person wants: kinds by mail, kinds not told at all, and when mail goes out."""

    rhythm: Literal["at_once", "daily", "never"] = "daily"
    mailed: list[str] = Field(default_factory=list, max_length=100)
    unwanted: list[str] = Field(default_factory=list, max_length=100)


class WishesView(WishesBody):
    """What the person wants, and the kinds that there are, with their titles."""

    kinds: dict[str, str]


router = Router(tags=["notifications"])


@router.get("notifications", response={200: NoticesView, **MISSING})
def list_notifications(request: HttpRequest, page: Query[After]) -> NoticesView:
    """List what the person was told, the newest first."""
    mine = Notice.objects.filter(person=person(request))
    rows = after(mine, page, order=("-created_at", "-id"))
    return NoticesView(
        notices=[
            NoticeView(
                sentence=sentence_of(one.kind, one.facts),
                **{name: getattr(one, name) for name in ("id", "kind", "link", "created_at", "read_at")},
            )
            for one in rows[: page.size]
        ],
        next=next_of(rows, page, order=("-created_at", "-id")),
        unread=mine.filter(read_at=None).count(),
    )


@router.post("notifications/read", response={200: ReadView, **WRITE})
def read_notifications(request: HttpRequest, body: ReadBody) -> ReadView:
    """Mark notices of one's own as read; marked again, nothing changes."""
    return ReadView(marked=mark_read(person(request), now=timezone.now(), ids=body.ids))


@router.get("notifications/settings", response={200: WishesView, **MISSING})
def show_notification_settings(request: HttpRequest) -> WishesView:
    """Say what the person wants to be told of."""
    kept = wishes_in_force(person(request))
    return wishes_view(kept.rhythm, kept.mailed, kept.unwanted)


@router.put("notifications/settings", response={200: WishesView, **WRITE})
def save_notification_settings(request: HttpRequest, body: WishesBody) -> WishesView:
    """Keep what the person wants to be told of."""
    kept = set_wishes(person(request), **body.model_dump())
    return wishes_view(kept.rhythm, kept.mailed, kept.unwanted)


def wishes_view(rhythm: str, mailed: list[str], unwanted: list[str]) -> WishesView:
    """Show what somebody wants."""
    titles = {name: kind.title for name, kind in KINDS.items()}
    return WishesView.model_validate(
        {"rhythm": rhythm, "mailed": mailed, "unwanted": unwanted, "kinds": titles}
    )
