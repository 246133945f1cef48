"""Django's SQLite with a fair wait for its one writer.

SQLite's own wait sleeps longer with each try, up to 100 ms, so who has waited longest comes last. Here
everyone who waits to write asks again after a few milliseconds, for as long as the `timeout` option says.
"""

import random
import sqlite3
import time

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
            while not self._begun() and time.monotonic() < deadline:
                time.sleep(random.uniform(SHORTEST, LONGEST))  # noqa: S311  no secret
            if not self.connection.in_transaction:  # the last try, which says what is wrong
                super()._start_transaction_under_autocommit()  # type: ignore[misc]
        finally:
            self._wait_at_most(patience)

    def _begun(self) -> bool:
        """Begin, unless somebody else writes or it fails otherwise.

        returns: false where it is worth asking again.
        """
        mode = self.settings_dict["OPTIONS"].get("transaction_mode", "DEFERRED")
        try:
            self.connection.execute(f"BEGIN {mode}").close()
        except sqlite3.OperationalError as error:
            return error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY
        return True

    def _wait_at_most(self, seconds: float) -> None:
        """Set how long SQLite itself waits for a lock."""
        self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * seconds)}").close()
