"""Mail of what people are told: gathered a person, sent under one id, tried again where it is refused."""

import logging
from datetime import datetime
from smtplib import SMTPException
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Min, Q
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Preferences, User
from notices.kinds import sentence_of
from notices.models import Mail, Notice, Wishes
from notices.rules import body_of, due_before, wait_after

log = logging.getLogger(__name__)
UNTAKEN = (SMTPException, OSError, ValueError)  # ValueError: an address or a header that can be none
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


def can_mail() -> bool:
    """Whether mail goes anywhere: a server is named, or another backend takes it."""
    return bool(settings.EMAIL_HOST) or settings.EMAIL_BACKEND != SMTP_BACKEND


def due(now: datetime) -> list[UUID]:
    """People to whom mail is to be sent now: what waits is old enough, or a message is to be tried again."""
    if not can_mail():
        return []
    waiting = Notice.objects.filter(wants_mail=True, mail=None, person__is_active=True).exclude(
        person__email=""
    )
    oldest = dict(waiting.order_by().values_list("person").annotate(Min("created_at")))
    rhythms = dict(Wishes.objects.filter(pk__in=oldest).values_list("pk", "rhythm"))
    again = Mail.objects.filter(Q(retry_at=None) | Q(retry_at__lte=now), sent_at=None, person__is_active=True)
    again = again.exclude(person__email="")
    tried = set(Mail.objects.filter(sent_at=None, person__in=oldest).values_list("person", flat=True))
    found = set(again.values_list("person", flat=True))
    for person, since in oldest.items():
        limit = due_before(rhythms.get(person, Wishes.Rhythm.DAILY), now)
        if limit is not None and since <= limit and person not in tried:
            found.add(person)
    return sorted(found)


def send_due(person_id: UUID, *, now: datetime) -> bool:
    """Send a person's message, the one that is open before a new one; gives whether the server took it.

    Where a process dies after the server took it and before that is noted, it goes out again under the same
    Message-ID, by which mail systems know it.
    """
    mail = open_mail(person_id, now=now)
    if mail is None:
        return False
    try:
        message_of(mail).send()
    except UNTAKEN as error:
        refused(mail, error, now=now)
        return False
    with transaction.atomic():
        Mail.objects.filter(pk=mail.pk).update(sent_at=now, problem="", retry_at=None)
        Notice.objects.filter(mail=mail).update(wants_mail=False)
    return True


@transaction.atomic
def open_mail(person_id: UUID, *, now: datetime) -> Mail | None:
    """Find the message to be tried again, or gather what waits into a new one; None: nothing waits."""
    person = User.objects.select_for_update().filter(pk=person_id, is_active=True).exclude(email="").first()
    if person is None:
        return None
    known = Mail.objects.filter(person=person, sent_at=None).first()
    if known is not None:
        return known
    waiting = Notice.objects.filter(person=person, wants_mail=True, mail=None)
    if not waiting.exists():
        return None
    try:
        with transaction.atomic():
            made = Mail.objects.create(person=person, created_at=now)
    except IntegrityError:
        return None
    waiting.update(mail=made)
    return made


def message_of(mail: Mail) -> EmailMessage:
    """Write a message in the person's language."""
    person = mail.person
    chosen = Preferences.objects.filter(pk=person.pk).values_list("language", flat=True).first()
    notices = list(mail.notices.order_by("created_at"))
    with translation.override(chosen or settings.LANGUAGE_CODE):
        lines = [(sentence_of(one.kind, one.facts), address_of(one.link)) for one in notices]
        subject = lines[0][0] if len(lines) == 1 else _("Fovea: %d news") % len(lines)
        body = body_of(
            lines,
            greeting=_("Hello %s,") % person.username,
            more=_("… and more: see them in Fovea."),
            end=_("Which of these are mailed, and when, you choose in Fovea under the bell."),
        )
    headers = {"Message-ID": f"<{mail.pk}@fovea>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(" ".join(subject.split()), body, None, [person.email], headers=headers)


def address_of(link: str) -> str:
    """Name a page as a mail's reader reaches it; nothing where the site's own address is not configured."""
    return settings.PUBLIC_URL.rstrip("/") + link if settings.PUBLIC_URL and link else ""


def refused(mail: Mail, error: Exception, *, now: datetime) -> None:
    """Note that a message was not taken, and when it is tried again; what the server said is not kept."""
    kind = type(error).__name__
    log.warning("a mail could not be sent: %s", kind)
    failures = mail.failures + 1
    Mail.objects.filter(pk=mail.pk).update(
        failures=failures, problem=kind[:64], retry_at=now + wait_after(failures)
    )
