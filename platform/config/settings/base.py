"""What every deployment shares; embedded, production and test choose the servers."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

ROOT = Path(__file__).resolve().parents[3]


def one_of(name: str, meanings: dict[str, Any]) -> Any:  # noqa: ANN401 - as the meanings are
    """Read a setting that takes one of some words; without it, the first.

    raises: RuntimeError naming the variable and the words.
    """
    word = os.environ.get(name) or next(iter(meanings))
    if word not in meanings:
        raise RuntimeError(f"{name} is {word!r}: give {' or '.join(meanings)}")
    return meanings[word]


INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "axes",
    "accounts.apps.AccountsConfig",
    "audit.apps.AuditConfig",
    "notices.apps.NoticesConfig",
    "jobs.apps.JobsConfig",
    "annotation.apps.AnnotationConfig",
    "mlworker.apps.MlworkerConfig",
    "config.apps.SystemConfig",
]

MIDDLEWARE = [
    "jobs.metrics.Measured",
    "audit.middleware.Whence",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.SessionLimits",
    "accounts.middleware.OwnLanguage",
    "annotation.api.verbs.Verbs",
    "accounts.middleware.SecondFactorFirst",
    "annotation.api.repeats.Repeats",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "frontend" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.static",
                "django.templatetags.i18n",
                "annotation.api.templatetags.frontend",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_VERBOSE = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_IDLE_SECONDS = 15 * 60
SESSION_ABSOLUTE_SECONDS = 12 * 60 * 60
REAUTHENTICATION_SECONDS = 10 * 60
# Of whom a second factor is asked: admin, ml_staff, reader.
SECOND_FACTOR_ROLES = [role for role in os.environ.get("FOVEA_SECOND_FACTOR_ROLES", "").split(",") if role]
SECOND_FACTOR_SECONDS = 10 * 60
# Sign-in by the hospital's own provider (OpenID Connect): off without an issuer.
OIDC_ISSUER = os.environ.get("FOVEA_OIDC_ISSUER", "")
OIDC_CLIENT_ID = os.environ.get("FOVEA_OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("FOVEA_OIDC_CLIENT_SECRET", "")
OIDC_NAME = os.environ.get("FOVEA_OIDC_NAME", "single sign-on")
OIDC_CLOCK_SECONDS = 60  # how far its clock may be off
if OIDC_ISSUER and not OIDC_ISSUER.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
    raise RuntimeError("FOVEA_OIDC_ISSUER must be an https address")
INVITATION_HOURS = int(os.environ.get("FOVEA_INVITATION_HOURS", "72"))
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, "'wasm-unsafe-eval'"],
        "worker-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF],
        "style-src-attr": ["'unsafe-inline'"],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Mail goes out where a server is named; without one, links are shown to hand over.
EMAIL_HOST = os.environ.get("FOVEA_EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("FOVEA_EMAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("FOVEA_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("FOVEA_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("FOVEA_EMAIL_TLS", "1") == "1"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("FOVEA_EMAIL_FROM", "fovea@localhost")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [ROOT / "frontend" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "frontend" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# Vite names its files by content already (stack-frontend: hashing twice loads the bundle twice).
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+/app/a/.+-[\w-]{8}\.\w+$"
FRONTEND_MANIFEST = ROOT / "frontend" / "static" / "app" / ".vite" / "manifest.json"

DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
PUBLIC_URL = os.environ.get("FOVEA_PUBLIC_URL", "")
STOW_REQUESTS_AT_ONCE = int(os.environ.get("FOVEA_STOW_REQUESTS", "4"))
# The C-STORE receiver: off without a port.
DICOM_TITLE = os.environ.get("FOVEA_AE_TITLE", "FOVEA")
DICOM_HOST = os.environ.get("FOVEA_DICOM_HOST", "127.0.0.1")
DICOM_PORT = int(os.environ.get("FOVEA_DICOM_PORT", "0"))
UPLOAD_MAX_BYTES = int(os.environ.get("FOVEA_UPLOAD_MAX_BYTES", str(4 * 1024**3)))

# How images that come in are stored: as they are read, or packed as HTJ2K without loss.
PACKED_FRAMES = one_of("FOVEA_FRAMES", {"uncompressed": False, "htj2k": True})

# Held images are searched for burned-in text where the library is installed: a second of processor time each.
FIND_TEXT = os.environ.get("FOVEA_FIND_TEXT", "1") == "1"

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_IMPORTS = ["mlworker.tasks"]
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60  # a pool process imports the jobs before it says that it is up
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False

JOB_LEASE_SECONDS = float(os.environ.get("FOVEA_JOB_LEASE_SECONDS", "90"))
JOB_HEARTBEAT_SECONDS = float(os.environ.get("FOVEA_JOB_HEARTBEAT_SECONDS", "15"))
JOB_SWEEP_SECONDS = float(os.environ.get("FOVEA_JOB_SWEEP_SECONDS", "15"))
JOB_LIMIT_SECONDS = {"light": 2 * 60 * 60, "transfer": 6 * 60 * 60, "training": 6 * 60 * 60}
JOB_MODULES = [
    "mlworker.jobs",
    "mlworker.imports",
    "mlworker.label_imports",
    "mlworker.sending",
    "mlworker.auditing",
    "mlworker.telling",
    "mlworker.mailing",
]
JOB_SPAWN_NICENESS = 10
# Longer than the longest job by a tenth: else the broker would give a running job's message out again.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": int(1.1 * max(JOB_LIMIT_SECONDS.values()))}
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "fovea.sweep",
        "schedule": JOB_SWEEP_SECONDS,
        "options": {"queue": "sweep", "expires": JOB_SWEEP_SECONDS},
    }
}
READING_LEASE_SECONDS = 30 * 60
EXPORT_DAYS = float(os.environ.get("FOVEA_EXPORT_DAYS", "7"))

# Where backups are written by themselves, and how often: a loss is at most this and what one takes.
BACKUP_FOLDER = os.environ.get("FOVEA_BACKUP_FOLDER", "")
BACKUP_SECONDS = float(os.environ.get("FOVEA_BACKUP_SECONDS", "240"))
BACKUP_DAYS = int(os.environ.get("FOVEA_BACKUP_DAYS", "14"))

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{levelname} {name} {message}", "style": "{"},
        "json": {"()": "config.logs.JsonLines"},
    },
    "filters": {"without_addresses": {"()": "config.logs.WithoutAddresses"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": os.environ.get("FOVEA_LOG_FORMAT", "line"),
            "filters": ["without_addresses"],
        }
    },
    # What these say of a request, an association or a key may name a patient or a credential.
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore", "pynetdicom", "fido2")}
    | {
        "uvicorn": {"handlers": ["console"], "propagate": False},
        "uvicorn.access": {"handlers": [], "propagate": False},  # addresses name cases: nothing is written
    },
    "root": {"handlers": ["console"], "level": os.environ.get("FOVEA_LOG_LEVEL", "INFO")},
}
