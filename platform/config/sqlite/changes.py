"""Whether anybody wrote to SQLite's file since one looked last."""

import sqlite3
from pathlib import Path
from urllib.parse import quote


class Changes:
    """A mark that is another one after each commit of any other connection, in any process; for one thread.

    PRAGMA data_version (sqlite.org/pragma.html); this connection writes nothing itself. The pragma's numbers
    are comparable within one connection alone: the mark counts the openings too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file, self._opening = (0, 0), 0
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> tuple[int, int] | None:
        """Give the mark; None where the file cannot be read now."""
        try:
            [version] = self._opened().execute("PRAGMA data_version").fetchone()
        except (OSError, sqlite3.Error):
            self.close()
            return None
        return self._opening, int(version)

    async def at_once(self) -> tuple[int, int] | None:
        """Give the mark to who would wait for it."""
        return self()

    def _opened(self) -> sqlite3.Connection:
        """Open the file that has the name now: a restore puts another in its place."""
        found = self._path.stat()
        file = (found.st_dev, found.st_ino)
        if self._connection is None or file != self._file:
            self.close()
            address = f"file:{quote(str(self._path))}?mode=rw"
            self._connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
            self._connection.execute("PRAGMA query_only=ON").close()
            self._file, self._opening = file, self._opening + 1
        return self._connection

    def close(self) -> None:
        """Let go of the file; the next question opens it anew."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
