"""Fovea and Orthanc side by side, as benchmarks of DICOMweb ask them."""

import http.client
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.lease_next import make_database
from tests.browser.serving import Fovea, serving
from tests.processes.orthanc import Orthanc, running_orthanc
from tests.servers import start_postgresql

JSON = "application/dicom+json"
NEW_SERVICE = """
from django.utils import timezone
from accounts.models import User
from accounts.tokens import Wish, make_token
from annotation.projects.services import create_project
admin = User.objects.create_user("admin", is_admin=True)
project = create_project(name="CT", choices=[("a", "A"), ("b", "B")], prompt="?", now=timezone.now())
wish = Wish("benchmark", ["dicomweb:read", "dicomweb:write"], 1)
print(project.pk, make_token(user=admin, wish=wish, now=timezone.now())[1])
"""


@dataclass(frozen=True)
class Peer:
    """One server that speaks DICOMweb."""

    name: str
    root: str
    headers: dict[str, str]

    def connection(self) -> http.client.HTTPConnection:
        """Open a connection that is kept."""
        return http.client.HTTPConnection(urlsplit(self.root).netloc, timeout=600)

    def request(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        accept: str,
        body: bytes | None = None,
        **more: str,
    ) -> bytes:
        """Ask once; more: headers besides.

        raises: RuntimeError where the answer is no success.
        """
        headers = {**self.headers, **more, "Accept": accept}
        if body is not None:
            headers["Content-Type"] = 'multipart/related; type="application/dicom"; boundary=bench'
        verb = "POST" if body is not None else "GET"
        connection.request(verb, urlsplit(self.root).path + path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(
                f"{self.name} answered {answer.status} to {verb} {path[:40]}: {content[:300]!r}"
            )
        return content


@contextmanager
def peers(database: str = "sqlite") -> Iterator[tuple[Peer, Peer, Fovea]]:
    """Run both servers with empty stores on the same disk; ours on SQLite or on a PostgreSQL of its own."""
    server = start_postgresql() if database == "postgresql" else ""
    if server:
        make_database(server)
    with tempfile.TemporaryDirectory(prefix="fovea-dicomweb-") as folder:
        home = Path(folder)
        with (
            serving(home / "fovea", postgresql=server) as system,
            running_orthanc(home / "orthanc") as orthanc,
        ):
            project, key = system.run(NEW_SERVICE).split()
            root = f"{system.url}/api/dicomweb/projects/{project}"
            ours = Peer("Fovea", root, {"Authorization": f"Bearer {key}"})
            yield ours, peer_of(orthanc), system


def peer_of(orthanc: Orthanc) -> Peer:
    """Speak to Orthanc."""
    return Peer("Orthanc", orthanc.dicomweb, {})


def together(acts: Sequence[Callable[[], None]]) -> None:
    """Run acts in threads; the first error ends the measurement."""
    errors: list[Exception] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  raised again below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]
