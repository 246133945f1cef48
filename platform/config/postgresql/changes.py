"""Whether anybody wrote to a PostgreSQL since one looked last."""

from collections.abc import Mapping
from typing import Any

import psycopg

SECONDS = 2


class Changes:
    """A mark that is another one after each commit of any connection to the server; for one thread at a time.

    It is what a new statement sees (pg_current_snapshot(), PostgreSQL 13): while that is the same, no
    transaction that wrote has ended, in this database or another one of the server. The mark counts the
    openings too: another server may have taken the place.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """Keep how to connect: parameters of psycopg."""
        self._parameters = parameters
        self._opening = 0
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __call__(self) -> tuple[int, str] | None:
        """Give the mark; None where the server does not answer."""
        try:
            found = self._opened().execute("SELECT pg_current_snapshot()::text").fetchone()
        except (OSError, psycopg.Error):
            self.close()
            return None
        return (self._opening, str(found[0])) if found else None

    def close(self) -> None:
        """Let go of the server; the next question opens anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            known = {"connect_timeout": SECONDS} | dict(self._parameters)
            self._connection = psycopg.connect(**known, autocommit=True)
            self._opening += 1
            self._connection.execute(f"SET statement_timeout = {1000 * SECONDS}")
        return self._connection
