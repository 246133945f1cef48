"""Tests: a data directory of their own; SQLite, or the PostgreSQL that tests/servers.py started."""

import os
import tempfile

os.environ.setdefault("FOVEA_HOME", tempfile.mkdtemp(prefix="fovea-test-"))

from config.settings.embedded import *
from config.settings.embedded import DATABASES, HOME

DATABASES["default"]["TEST"] = {"NAME": str(HOME.root / "test.sqlite3")}
if os.environ.get("FOVEA_TEST_POSTGRESQL"):
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "fovea",
            "USER": "postgres",
            "HOST": os.environ["FOVEA_TEST_POSTGRESQL"],
        }
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
