"""Django's SQLite with a fair wait for its one writer.

SQLite's own wait sleeps longer with each try, up to 100 ms, so who has waited longest comes last. Here
everyone who waits to write asks again after a few milliseconds, for as long as the `timeout` option says.
"""

import random
import sqlite3
import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base

SHORTEST, LONGEST = 0.001, 0.006
PRIMARY_CODE = 0xFF


class DatabaseWrapper(base.DatabaseWrapper):
    """Connections whose transactions begin soon after the writer is free."""

    def _start_transaction_under_autocommit(self) -> None:
        patience = float(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        deadline = time.monotonic() + patience
        self._wait_at_most(0)
        try:
            while not self._begun(last=time.monotonic() >= deadline):
                time.sleep(random.uniform(SHORTEST, LONGEST))  # noqa: S311  no secret
        finally:
            self._wait_at_most(patience)

    def _begun(self, *, last: bool) -> bool:
        """Begin, unless somebody else writes. raises: OperationalError where this was the last try."""
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except OperationalError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", 0)
            if last or code & PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _wait_at_most(self, seconds: float) -> None:
        """Set how long SQLite itself waits for a lock."""
        self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * seconds)}").close()
