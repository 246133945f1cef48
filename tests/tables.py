"""Every table, made once for a whole run and copied from then on: the migrations take half a minute.

FOVEA_TEST_TABLES: the folder where they are kept, which several runs of pytest may share.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.servers import HOME, ROOT

os.environ.setdefault("FOVEA_TEST_TABLES", str(HOME))  # of the process that starts others: they inherit it


def migrated() -> Path:
    """Find an SQLite file with every table and what the migrations write; the first who asks makes it."""
    folder = Path(os.environ["FOVEA_TEST_TABLES"])
    made = folder / "migrated.sqlite3"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        if not made.exists():
            migrate_into(made)
    return made


def migrate_into(target: Path) -> None:
    """Run every migration in a data directory of its own, and keep its database as one file."""
    with tempfile.TemporaryDirectory(prefix="fovea-tables-") as home:
        settings = {"FOVEA_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        whole = Path(home) / "whole.sqlite3"
        with closing(sqlite3.connect(Path(home) / "fovea.sqlite3")) as database:
            database.execute("VACUUM INTO ?", [str(whole)])
        shutil.copy(whole, target.with_suffix(".part"))
    target.with_suffix(".part").rename(target)


def put_tables(database: Path) -> None:
    """Begin a database of the name, in a folder of its owner's own."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(migrated(), database)


def put_tables_in(home: Path) -> None:
    """Begin a data directory: `manage.py migrate` finds nothing left to do there."""
    put_tables(home / "fovea.sqlite3")
