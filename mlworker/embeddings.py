"""The embedding store: one float16 vector a series and encoder, appended once, never computed again.

Layout: `<root>/<encoder digest>/index` holds 32 bytes a vector (the series' content digest), and
`vectors-00000` and on hold the vectors, SHARD_ROWS each. A vector counts once its digest is in the index;
the index is written after the vectors have reached the disk, and whatever a crash leaves behind the index's
end is overwritten. Of an erased series the vector is zeros and the digest that of nothing; the index is then
another file, so that whoever has read the old one reads again.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Halves = NDArray[np.float16]
DIGEST_BYTES = 32
NO_DIGEST = "00" * DIGEST_BYTES  # a series without content: never in the store
SHARD_ROWS = 65_536
LARGEST_HALF = 65_504.0


class EmbeddingStore:
    """Vectors of one encoder. Any number of readers; writers take turns by a file lock."""

    def __init__(self, root: Path, encoder_digest: str, dimension: int) -> None:
        self._folder = root / encoder_digest
        self._dimension = dimension
        self._keys = np.empty((0, DIGEST_BYTES), dtype=np.uint8)
        self._seen = (0, 0, 0)
        self._order = np.empty(0, dtype=np.intp)
        self._sorted = np.empty(0, dtype=np.uint64)
        self.refresh()

    def __len__(self) -> int:
        return len(self._keys)

    def refresh(self) -> None:
        """See what other processes have appended since."""
        index = self._folder / "index"
        status = index.stat() if index.exists() else None
        seen = (status.st_size, status.st_ino, status.st_mtime_ns) if status else (0, 0, 0)
        if seen == self._seen:
            return
        self._seen, size = seen, seen[0] // DIGEST_BYTES
        raw = np.fromfile(index, dtype=np.uint8, count=size * DIGEST_BYTES)
        self._keys = raw.reshape(-1, DIGEST_BYTES)
        short = _short(self._keys)
        self._order = np.argsort(short, kind="stable")
        self._sorted = short[self._order]

    def rows(self, digests: Sequence[str]) -> NDArray[np.intp]:
        """Row of each digest (hexadecimal SHA-256), -1 where it has not been encoded."""
        wanted = _parsed(digests)
        if not len(self._keys):
            return np.full(len(wanted), -1, dtype=np.intp)
        short = _short(wanted)
        place = np.searchsorted(self._sorted, short).clip(0, len(self._sorted) - 1)
        row = self._order[place]
        same = (self._keys[row] == wanted).all(axis=1)
        return np.where(same, row, -1)

    def vectors(self, rows: NDArray[np.intp]) -> Halves:
        """Vectors of known rows: (row,) → (row, feature)."""
        found = np.empty((len(rows), self._dimension), dtype=np.float16)
        for number in np.unique(rows // SHARD_ROWS):
            inside = rows // SHARD_ROWS == number
            found[inside] = self._shard(int(number))[rows[inside] % SHARD_ROWS]
        return found

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Digests without a vector, each once, in the order given."""
        self.refresh()
        known = self.rows(digests) >= 0
        return list(dict.fromkeys(digest for digest, has in zip(digests, known, strict=True) if not has))

    def append(self, digests: Sequence[str], vectors: NDArray[np.floating]) -> int:
        """Keep vectors of digests not known yet; return how many were new.

        raises: ValueError where a vector is not finite, too large for float16 or of another length.
        """
        self._check(digests, vectors)
        with self._writing():
            self.refresh()
            place = {digest: at for at, digest in enumerate(digests)}
            fresh = self.missing(list(place))
            if not fresh:
                return 0
            self._write(vectors[[place[digest] for digest in fresh]].astype(np.float16))
            _durably_at(self._folder / "index", len(self) * DIGEST_BYTES, _parsed(fresh).tobytes())
            self.refresh()
        return len(fresh)

    def erase(self, digests: Sequence[str]) -> int:
        """Overwrite the vectors of these series and forget their digests; return how many there were."""
        with self._writing():
            self.refresh()
            rows = self.rows(digests)
            rows = np.unique(rows[rows >= 0])
            for row in rows:
                number, inside = divmod(int(row), SHARD_ROWS)
                _overwrite(self._path(number), inside * self._dimension * 2, bytes(self._dimension * 2))
            if len(rows):
                self._forget(rows)
        return len(rows)

    def _forget(self, rows: NDArray[np.intp]) -> None:
        """Write the index anew, without the digests in these rows: durably, under its old name at once."""
        keys = self._keys.copy()
        for row in rows:
            keys[row] = np.frombuffer(hashlib.sha256(f"erased {row}".encode()).digest(), dtype=np.uint8)
        fresh = self._folder / "index.new"
        _durably_at(fresh, 0, keys.tobytes())
        fresh.rename(self._folder / "index")
        self.refresh()

    def _check(self, digests: Sequence[str], vectors: NDArray[np.floating]) -> None:
        if vectors.shape != (len(digests), self._dimension):
            raise ValueError(f"vectors are {vectors.shape}, not ({len(digests)}, {self._dimension})")
        largest = float(np.abs(vectors).max(initial=0.0))
        if not largest <= LARGEST_HALF:
            raise ValueError(f"an embedding holds {largest}: it must be finite and at most {LARGEST_HALF}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, vectors: Halves) -> None:
        start = len(self)
        while len(vectors):
            number, row = divmod(start, SHARD_ROWS)
            part = vectors[: SHARD_ROWS - row]
            _durably_at(self._path(number), row * self._dimension * 2, part.tobytes())
            start, vectors = start + len(part), vectors[len(part) :]

    def _shard(self, number: int) -> Halves:
        rows = min(SHARD_ROWS, len(self) - number * SHARD_ROWS)
        return np.memmap(self._path(number), dtype=np.float16, mode="r", shape=(rows, self._dimension))

    def _path(self, number: int) -> Path:
        return self._folder / f"vectors-{number:05d}"


def _parsed(digests: Sequence[str]) -> NDArray[np.uint8]:
    raw = np.frombuffer(bytes.fromhex("".join(digest or NO_DIGEST for digest in digests)), dtype=np.uint8)
    if raw.size != len(digests) * DIGEST_BYTES:
        raise ValueError("a digest is not a hexadecimal SHA-256")
    return raw.reshape(-1, DIGEST_BYTES)


def _short(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(keys[:, :8]).view(np.uint64).ravel()


def _overwrite(path: Path, offset: int, content: bytes) -> None:
    """Write over what is there, and wait for the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.pwrite(descriptor, content, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _durably_at(path: Path, offset: int, content: bytes) -> None:
    """Write at an offset, cut off what lies behind, and wait for the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.truncate(descriptor, offset)
        written = 0
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], offset + written)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
