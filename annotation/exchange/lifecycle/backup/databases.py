"""The database into a file while the system runs, and back: by each database's own means."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, connections

from annotation.exchange.lifecycle.backup.archive import BackupError
from annotation.studies.durable import sync

NAMES: Mapping[str, str] = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}


def dump(folder: Path) -> str:
    """Write the database as it is at one moment into a folder; gives the file's name. Nobody waits for it.

    raises: BackupError.
    """
    name = NAMES[connection.vendor]
    if connection.vendor == "sqlite":
        dump_sqlite(folder / name)
    else:
        dump_postgresql(folder / name)
    (folder / name).chmod(0o600)
    return name


def dump_sqlite(target: Path) -> None:
    """Copy all pages in one read transaction: writers go on in the write-ahead log (SQLite's backup API)."""
    with closing(sqlite3.connect(database_path())) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")


def dump_postgresql(target: Path) -> None:
    """Have pg_dump write its custom format."""
    run("pg_dump", "--format=custom", f"--file={target}", "--no-owner", "--no-privileges", database_name())


def check_empty() -> None:
    """Make sure that a restore would overwrite nothing.

    raises: BackupError.
    """
    if connection.vendor == "sqlite":
        path = database_path()
        if path.exists() and path.stat().st_size:
            raise BackupError(f"{path} is there already")
    elif connection.introspection.table_names():
        raise BackupError(f"the database {database_name()} has tables already")


def load(source: Path) -> None:
    """Put a dump in the database's place.

    raises: BackupError.
    """
    connections.close_all()
    if connection.vendor == "sqlite":
        load_sqlite(source)
    else:
        clean = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
        run("pg_restore", *clean, f"--dbname={database_name()}", str(source))


def load_sqlite(source: Path) -> None:
    """Copy the file under its name at once; an older write-ahead log would not belong to it."""
    target = database_path()
    fresh = target.with_suffix(".restored")
    shutil.copyfile(source, fresh)
    fresh.chmod(0o600)
    sync(fresh)
    for suffix in ("-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    fresh.rename(target)


def database_path() -> Path:
    """Say where the SQLite file lies."""
    return Path(str(connection.settings_dict["NAME"]))


def database_name() -> str:
    """Name the PostgreSQL database."""
    return str(connection.settings_dict["NAME"])


def run(tool: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes by the environment, never on the command line.

    raises: BackupError.
    """
    known: dict[str, Any] = connection.settings_dict
    found = shutil.which(tool, path=os.environ.get("FOVEA_POSTGRESQL_TOOLS"))
    if found is None:
        raise BackupError(
            f"{tool} is not installed: install PostgreSQL's client programs of the server's version"
        )
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    environment = {**os.environ, **{key: str(known[name]) for key, name in names.items() if known.get(name)}}
    done = subprocess.run(  # noqa: S603  a program of PostgreSQL's, with our own arguments
        [found, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{tool} failed: {' '.join(done.stderr.split()) or done.returncode}")
