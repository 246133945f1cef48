"""Zip files whose bytes come from their content alone: members by name, one fixed time, one compression."""

import hashlib
import json
import zipfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from annotation.exchange.out.rules import ExportError

FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that the format can say
PACKED: Final = (".gz", ".png", ".parquet", ".npz")
MODE: Final = 0o644 << 16
LISTED: Final = 1000


class Archive:
    """A zip that is written in the order in which its members are given."""

    def __init__(self, target: Path) -> None:
        self._zip = zipfile.ZipFile(target, "w", allowZip64=True)
        self._names: set[str] = set()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes | str) -> None:
        """Add a member.

        raises: ExportError where two members have one name.
        """
        if name in self._names:
            raise ExportError(f"two files of the export are called {name}")
        self._names.add(name)
        member = zipfile.ZipInfo(name, FIXED_TIME)
        member.external_attr, member.create_system = MODE, 3
        member.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
        self._zip.writestr(member, content.encode() if isinstance(content, str) else content)


class Report:
    """What an export holds, and what of it was left out and why."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.left_out: list[tuple[int, str]] = []

    def count(self, what: str, number: int = 1) -> None:
        """Count what went in."""
        self.counts[what] += number

    def leave_out(self, case: int, why: str) -> None:
        """Note what did not."""
        self.left_out.append((case, why))

    def plain(self) -> dict[str, Any]:
        """Write it as JSON; a long list of what was left out is in the file."""
        reasons = Counter(why for _, why in self.left_out)
        return {
            "counts": dict(sorted(self.counts.items())),
            "left_out": [{"why": why, "times": times} for why, times in sorted(reasons.items())][:LISTED],
        }

    def table(self) -> str:
        """Write what was left out, a line each."""
        rows = [f"{case},{json.dumps(why, ensure_ascii=False)}" for case, why in self.left_out]
        return "\n".join(["case,why", *rows]) + "\n"


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def as_json(value: object) -> str:
    """Write JSON that a person can read: the same values, the same text."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
