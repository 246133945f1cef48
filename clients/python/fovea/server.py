"""A snapshot fetched from a server: asked for, waited for, checked, kept."""

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from fovea.errors import FoveaError

FORMAT = "monai"
POLL_SECONDS = 1.0
REQUEST_SECONDS = 60.0
OPEN = ("queued", "running")
API = "/api/v1/"


@dataclass(frozen=True)
class Server:
    """A Fovea server, and the token to use there."""

    url: str
    token: str
    wait_seconds: float = 3600.0

    def fetched(self, name: str, cache: Path | None = None) -> Path:
        """Fetch "project@snapshot" as a zip; what was fetched before is not asked for again.

        raises: FoveaError.
        """
        project, at, snapshot = name.rpartition("@")
        if not at or not project or not snapshot:
            raise FoveaError(f'"{name}" names no snapshot: give "project@latest" or "project@<digest>"')
        folder = cache or cache_folder()
        with self.client() as client:
            project_id = self.project_id(client, project)
            digest = "" if snapshot == "now" else self.digest_of(client, project_id, snapshot)
            kept = folder / f"{digest}-{FORMAT}.zip"
            if digest and kept.exists():
                return kept
            export = self.made(client, project_id, digest)
            return self.downloaded(client, export, folder)

    def client(self) -> httpx.Client:
        """Open a connection."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url.rstrip("/") + API, headers=headers, timeout=REQUEST_SECONDS)

    def project_id(self, client: httpx.Client, name: str) -> str:
        """Find a project by its name or id."""
        known: list[dict[str, str]] = answer(client.get("exports/projects"))
        found = [one["id"] for one in known if name in (one["name"], one["id"])]
        if not found:
            names = ", ".join(one["name"] for one in known) or "none"
            raise FoveaError(f'there is no project "{name}" whose labels you may take out: there are {names}')
        return found[0]

    def digest_of(self, client: httpx.Client, project_id: str, name: str) -> str:
        """Find a snapshot's whole digest by its beginning, or the newest one's."""
        known: list[dict[str, str]] = answer(client.get(f"projects/{project_id}/snapshots"))
        found = [one["digest"] for one in known if name == "latest" or one["digest"].startswith(name)]
        if not found:
            told = ", ".join(one["digest"][:12] for one in known) or "none yet: load “…@now” to freeze one"
            raise FoveaError(f"there is no snapshot {name}: there are {told}")
        if name != "latest" and len(set(found)) > 1:
            raise FoveaError(f"several snapshots begin with {name}: give more of the digest")
        return found[0]

    def made(self, client: httpx.Client, project_id: str, digest: str) -> dict[str, Any]:
        """Ask for the export, and wait until it is made.

        raises: FoveaError with the job's own words where it failed.
        """
        asked = client.post(f"projects/{project_id}/exports", json={"format": FORMAT, "snapshot": digest})
        export: dict[str, Any] = answer(asked)
        deadline = time.monotonic() + self.wait_seconds
        while export["state"] in OPEN:
            if time.monotonic() > deadline:
                raise FoveaError(
                    f"the export is not made after {self.wait_seconds:g} seconds: try again later"
                )
            time.sleep(POLL_SECONDS)
            export = answer(client.get(f"exports/{export['id']}"))
        if export["state"] != "done":
            raise FoveaError(f"the export {export['state']}: {export['error']}")
        return export

    def downloaded(self, client: httpx.Client, export: dict[str, Any], folder: Path) -> Path:
        """Download the file, check it against its digest, and only then give it its name."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / f"{export['snapshot']}-{FORMAT}.zip"
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as written:
            try:
                with client.stream("GET", f"exports/{export['id']}/file") as response:
                    if response.status_code != httpx.codes.OK:
                        response.read()
                        answer(response)
                    for block in response.iter_bytes():
                        digest.update(block)
                        written.write(block)
                if digest.hexdigest() != export["file_digest"]:
                    raise FoveaError("what was downloaded is not what the server made: try again")
                os.replace(written.name, target)
            except BaseException:
                Path(written.name).unlink(missing_ok=True)
                raise
        return target


def answer(response: httpx.Response) -> Any:  # noqa: ANN401  JSON
    """Give a response's JSON.

    raises: FoveaError with the server's own words.
    """
    if response.is_success:
        return response.json()
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase
    raise FoveaError(f"the server answered {response.status_code}: {detail}")


def cache_folder() -> Path:
    """Where fetched files are kept, readable by their owner alone."""
    return Path(os.environ.get("FOVEA_CACHE", Path.home() / ".cache" / "fovea"))
