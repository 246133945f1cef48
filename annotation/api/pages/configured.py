"""Settings: how this installation is configured, to be read; of secrets only whether they are set."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from ninja import Schema

from accounts.lockout import lasts
from annotation.api.pages.access import admin_only
from annotation.api.pages.frame import page
from annotation.api.repeats import WRITES_A_WINDOW
from annotation.exchange.lifecycle.usage import in_units
from annotation.studies.services import GRACE
from notices.mailing import can_mail

SET, NOT_SET = "set", "not set"


class Setting(Schema):
    """One setting: what it is, its value in words, and by which name it is set; "": not from outside."""

    words: str
    value: str
    name: str = ""


@dataclass(frozen=True)
class Section:
    """Settings that belong together; note: what to know of them."""

    title: str
    settings: list[Setting]
    note: str = ""


def said(words: str, value: object, name: str = "") -> Setting:
    """Tell a setting; what is empty is said to be so."""
    told = ("yes" if value else "no") if isinstance(value, bool) else str(value or "none")
    return Setting(words=words, value=told, name=name)


def secret(words: str, value: object, name: str) -> Setting:
    """Tell of a secret only whether it is set."""
    return Setting(words=words, value=SET if value else NOT_SET, name=name)


def minutes(seconds: float) -> str:
    """Write a duration of settings."""
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"


def sections() -> list[Section]:
    """Tell all sections."""
    return [sign_in(), provider(), mail(), storage(), retention(), limits(), images()]


def sign_in() -> Section:
    """Passwords, lock-outs, sessions, second factors."""
    rules: list[Any] = list(settings.AUTH_PASSWORD_VALIDATORS)
    shortest = next(one["OPTIONS"]["min_length"] for one in rules if "OPTIONS" in one)
    return Section(
        "Sign-in",
        [
            said("Shortest password", f"{shortest} characters"),
            said("Wrong passwords until a name is locked", settings.AXES_FAILURE_LIMIT),
            said("A lock lasts", minutes(lasts().total_seconds())),
            said("A session ends without activity after", minutes(settings.SESSION_IDLE_SECONDS)),
            said("A session ends at the latest after", minutes(settings.SESSION_ABSOLUTE_SECONDS)),
            said("The password is asked for again after", minutes(settings.REAUTHENTICATION_SECONDS)),
            said(
                "Roles that need a second factor",
                ", ".join(settings.SECOND_FACTOR_ROLES),
                "FOVEA_SECOND_FACTOR_ROLES",
            ),
            said(
                "A link to choose a password holds for",
                f"{settings.INVITATION_HOURS} h",
                "FOVEA_INVITATION_HOURS",
            ),
            secret("Secret key", settings.SECRET_KEY, "FOVEA_SECRET_KEY"),
            said(
                "Older secret keys that are still read",
                len(settings.SECRET_KEY_FALLBACKS),
                "FOVEA_OLD_SECRET_KEYS",
            ),
        ],
    )


def provider() -> Section:
    """Single sign-on."""
    return Section(
        "Sign-in provider (OpenID Connect)",
        [
            said("Issuer", settings.OIDC_ISSUER, "FOVEA_OIDC_ISSUER"),
            said("Called here", settings.OIDC_NAME if settings.OIDC_ISSUER else "", "FOVEA_OIDC_NAME"),
            said("Client", settings.OIDC_CLIENT_ID, "FOVEA_OIDC_CLIENT_ID"),
            secret("Client secret", settings.OIDC_CLIENT_SECRET, "FOVEA_OIDC_CLIENT_SECRET"),
        ],
    )


def mail() -> Section:
    """Outgoing mail."""
    return Section(
        "Mail",
        [
            said("Mail goes out", can_mail()),
            said("Server", settings.EMAIL_HOST, "FOVEA_EMAIL_HOST"),
            said("Port", settings.EMAIL_PORT if settings.EMAIL_HOST else "", "FOVEA_EMAIL_PORT"),
            said("Encrypted (STARTTLS)", settings.EMAIL_USE_TLS, "FOVEA_EMAIL_TLS"),
            said("User", settings.EMAIL_HOST_USER, "FOVEA_EMAIL_USER"),
            secret("Password", settings.EMAIL_HOST_PASSWORD, "FOVEA_EMAIL_PASSWORD"),
            said("From", settings.DEFAULT_FROM_EMAIL, "FOVEA_EMAIL_FROM"),
            said("Address of this site in mails", settings.PUBLIC_URL, "FOVEA_PUBLIC_URL"),
        ],
        "Without a server, links are shown to hand over and notifications stay in the application.",
    )


def storage() -> Section:
    """Where things lie."""
    files: Any = settings.STORAGES["default"]
    options: dict[str, Any] = files.get("OPTIONS", {})
    engine = str(settings.DATABASES["default"]["ENGINE"])
    return Section(
        "Storage",
        [
            said("Data directory", settings.HOME.root, "FOVEA_HOME"),
            said("Database", engine.rpartition(".")[2]),
            said("Files", "object store" if options.get("bucket_name") else "on this disk"),
            said("Bucket", options.get("bucket_name", ""), "FOVEA_S3_BUCKET"),
            said("Endpoint", options.get("endpoint_url", ""), "FOVEA_S3_ENDPOINT"),
            said("Backups are written to", settings.BACKUP_FOLDER, "FOVEA_BACKUP_FOLDER"),
            said("One every", minutes(settings.BACKUP_SECONDS), "FOVEA_BACKUP_SECONDS"),
        ],
    )


def retention() -> Section:
    """How long things are kept."""
    return Section(
        "Retention",
        [
            said("What is deleted can be brought back for", f"{GRACE.days} days"),
            said("Exports can be fetched for", f"{settings.EXPORT_DAYS:g} days", "FOVEA_EXPORT_DAYS"),
            said("Backups are kept for", f"{settings.BACKUP_DAYS} days", "FOVEA_BACKUP_DAYS"),
            said("The audit log is kept", "for ever"),
        ],
    )


def limits() -> Section:
    """Limit what people and jobs may take."""
    return Section(
        "Limits",
        [
            said("Largest upload", in_units(settings.UPLOAD_MAX_BYTES), "FOVEA_UPLOAD_MAX_BYTES"),
            said("A case is held for a reader for", minutes(settings.READING_LEASE_SECONDS)),
            said("A light job may take", minutes(settings.JOB_LIMIT_SECONDS["light"])),
            said("A training may take", minutes(settings.JOB_LIMIT_SECONDS["training"])),
            said("Writes of one person's programs", f"{WRITES_A_WINDOW} a minute"),
        ],
    )


def images() -> Section:
    """How images come in over DICOM."""
    return Section(
        "DICOM",
        [
            said("AE title", settings.DICOM_TITLE, "FOVEA_AE_TITLE"),
            said(
                "C-STORE is received at",
                f"{settings.DICOM_HOST}:{settings.DICOM_PORT}" if settings.DICOM_PORT else "",
                "FOVEA_DICOM_PORT",
            ),
            said("STOW-RS requests at once", settings.STOW_REQUESTS_AT_ONCE, "FOVEA_STOW_REQUESTS"),
            said("Held images are searched for text", settings.FIND_TEXT, "FOVEA_FIND_TEXT"),
        ],
    )


@require_GET
@admin_only
def configured(request: HttpRequest) -> HttpResponse:
    """Show how this installation is configured."""
    return page(request, "settings/page.html", "settings", sections=sections())
