"""One machine: SQLite, an embedded Redis, files on disk, all under FOVEA_HOME."""

import os

from config.home import Home
from config.settings.base import *

HOME = Home.from_environment()
SECRET_KEY = HOME.secret("django")
DEIDENTIFICATION_SECRET = HOME.secret("deidentification")
DEBUG = False
ALLOWED_HOSTS = os.environ.get("FOVEA_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("FOVEA_ORIGINS", "").split(",") if origin]

DATABASES = {
    "default": {
        "ENGINE": "config.sqlite",
        "NAME": HOME.database,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            " PRAGMA secure_delete=ON; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;",
        },
    }
}
STORAGES = {
    "default": {
        "BACKEND": "annotation.studies.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": HOME.files},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
REDIS_SOCKET = HOME.redis_socket
CELERY_BROKER_URL = os.environ.get("FOVEA_REDIS_URL", f"redis+socket://{REDIS_SOCKET}")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
