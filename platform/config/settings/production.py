"""Many machines: PostgreSQL, Redis, an S3-compatible store, TLS in front; all from the environment."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from config.home import Home
from config.settings.base import *


def required(name: str) -> str:
    """Read a setting that has no safe default.

    raises: RuntimeError naming the variable.
    """
    path = os.environ.get(f"{name}_FILE")
    value = Path(path).read_text().strip() if path else os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set: give it, or {name}_FILE, in the environment")
    return value


HOME = Home.from_environment()
SECRET_KEY = required("FOVEA_SECRET_KEY")
SECRET_KEY_FALLBACKS = os.environ.get("FOVEA_OLD_SECRET_KEYS", "").split()
DEIDENTIFICATION_SECRET = required("FOVEA_DEIDENTIFICATION_SECRET")
DEBUG = False
ALLOWED_HOSTS = required("FOVEA_HOSTS").split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

_database = urlsplit(required("FOVEA_DATABASE_URL"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": dict(parse_qsl(_database.query)).get("host", _database.hostname),  # ?host=/folder: a socket
        "PORT": _database.port or 5432,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
CELERY_BROKER_URL = required("FOVEA_REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CELERY_BROKER_URL}
}
STORAGES = {
    "default": {
        "BACKEND": "annotation.studies.objects.RangedS3Storage",
        "OPTIONS": {
            "bucket_name": required("FOVEA_S3_BUCKET"),
            "endpoint_url": os.environ.get("FOVEA_S3_ENDPOINT") or None,
            "access_key": required("FOVEA_S3_ACCESS_KEY"),
            "secret_key": required("FOVEA_S3_SECRET_KEY"),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^alive$"]  # asked by what stands beside it, without TLS
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrftoken"
