"""What a database still holds of deleted rows: pages of its log, written over here as far as it allows."""

from typing import Final

from django.db import connection

# SQLite overwrites what it deletes (secure_delete in the settings); the write-ahead log is emptied here.
# PostgreSQL frees dead rows; its own log and the backups keep them until they are recycled.
FORGET: Final = {"sqlite": ("PRAGMA wal_checkpoint(TRUNCATE)",), "postgresql": ("VACUUM",)}


def forget_deleted_rows() -> None:
    """Have the database let go of deleted rows; outside of a transaction."""
    with connection.cursor() as cursor:
        for statement in FORGET[connection.vendor]:
            cursor.execute(statement)
