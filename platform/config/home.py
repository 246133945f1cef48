"""FOVEA_HOME: the one directory that holds everything the embedded default writes."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path


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
    def redis(self) -> Path:
        """The embedded broker's socket and append-only file."""
        return self.root / "redis"

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


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically and durably, readable by its owner only."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
