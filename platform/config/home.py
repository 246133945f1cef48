"""FOVEA_HOME: the one directory that holds everything the embedded default writes."""

import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOCKET_PATH_BYTES: Final = 107  # sockaddr_un.sun_path is 108 bytes with its final zero


@dataclass(frozen=True)
class Home:
    """Where each kind of file lies under the data directory."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """FOVEA_HOME, or ./var; created with owner-only permission."""
        root = Path(os.environ.get("FOVEA_HOME", "var")).resolve()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(root)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "fovea.sqlite3"

    @property
    def files(self) -> Path:
        """Content-addressed files: instances, thumbnails, artefacts, quarantine."""
        return self.root / "files"

    @property
    def embeddings(self) -> Path:
        """Memory-mapped float16 shards."""
        return self.root / "embeddings"

    @property
    def spool(self) -> Path:
        """Uploads until their import has ended."""
        return self.root / "spool"

    @property
    def received(self) -> Path:
        """What came by C-STORE, until its import."""
        return self.spool / "received"

    @property
    def redis(self) -> Path:
        """The embedded broker's socket and append-only file."""
        return self.root / "redis"

    @property
    def redis_socket(self) -> Path:
        """The embedded broker's socket: in a private short folder where its path would be too long."""
        socket = self.redis / "redis.sock"
        if len(os.fsencode(socket)) <= SOCKET_PATH_BYTES:
            return socket
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return private_folder(Path(tempfile.gettempdir()) / f"fovea-{os.getuid()}-{digest}") / "redis.sock"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor that may run on this data directory."""
        return self.root / "up.lock"

    @property
    def accounts(self) -> Path:
        """The demo's accounts with the passwords made at its first start."""
        return self.root / "demo-accounts.json"

    def secret(self, name: str) -> str:
        """Read or make one secret; the file is readable by its owner only."""
        path = self.root / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_hex(32)
            write_private(path, json.dumps(known, indent=1))
        return known[name]


def private_folder(path: Path) -> Path:
    """Make a folder that nobody else can look into.

    raises: PermissionError when somebody else has made it already.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or path.is_symlink():
        raise PermissionError(f"{path} is not a private folder of this user: remove it")
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically and durably, readable by its owner only."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
