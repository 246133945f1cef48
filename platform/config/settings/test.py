"""Tests: a data directory of their own; SQLite, or the PostgreSQL that tests/servers.py started."""

import atexit
import os
import shutil
import tempfile

if "FOVEA_HOME" not in os.environ:  # type checker and makemigrations: pytest has made one in tests/servers.py
    os.environ["FOVEA_HOME"] = tempfile.mkdtemp(prefix="fovea-test-")
    atexit.register(shutil.rmtree, os.environ["FOVEA_HOME"], ignore_errors=True)

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
FIND_TEXT = False  # tests that are about it turn it on
