"""What signing in asks of people, in words: said as the settings have it."""

from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext as _

from accounts.lockout import lasts


def password_rules() -> list[str]:
    """Say what a password must be, a sentence each."""
    return password_validators_help_texts()


def sign_in_rules() -> list[str]:
    """Say how sign-in and sessions are guarded, a sentence each."""
    minutes = {
        "failures": settings.AXES_FAILURE_LIMIT,
        "locked": round(lasts().total_seconds() / 60),
        "idle": settings.SESSION_IDLE_SECONDS // 60,
        "hours": settings.SESSION_ABSOLUTE_SECONDS // 3600,
        "fresh": settings.REAUTHENTICATION_SECONDS // 60,
        "link": settings.INVITATION_HOURS,
    }
    sentences = (
        _(
            "After %(failures)s wrong passwords a name is locked for %(locked)s minutes,"
            " at the computer they came from."
        ),
        _("A session ends after %(idle)s minutes without activity, and after %(hours)s hours at the latest."),
        _("What takes data out or changes roles asks for the password again after %(fresh)s minutes."),
        asked_of(),
        _("A link to choose a password works once, for %(link)s hours."),
    )
    return [one % minutes for one in sentences]


def asked_of() -> str:
    """Say of whom a second factor is asked."""
    words = {"admin": _("administrators"), "ml_staff": _("ML staff"), "reader": _("readers")}
    roles = [words[one] for one in settings.SECOND_FACTOR_ROLES if one in words]
    if not roles:
        return _("A second factor is asked of who has set one up.")
    return _("A second factor is asked of who has set one up, and required of %(who)s.") % {
        "who": ", ".join(roles)
    }
