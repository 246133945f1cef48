"""dcmtk's tools, and an Orthanc of a test's own: Debian's packages, on free ports of the loopback."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.serving import free_port

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS, ANSWER_SECONDS = 240, 300


def orthanc_command() -> str:
    """Find Orthanc.

    raises: AssertionError where it, or its plugin, is not installed.
    """
    found = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert found, "Orthanc is not installed: run `make test`"
    assert PLUGIN.exists(), "Orthanc's DICOMweb plugin is not installed: run `make test`"
    return found


def dcmtk(name: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run one of dcmtk's tools.

    raises: AssertionError where it is not installed.
    """
    found = shutil.which(name)
    assert found, "dcmtk is not installed: run `make test`"
    command = [found, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS)


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc."""

    url: str

    @property
    def dicomweb(self) -> str:
        """Where its own DICOMweb is."""
        return f"{self.url}/dicom-web"

    def post(self, path: str, body: bytes | Mapping[str, Any]) -> Any:
        """POST a file or JSON; gives the JSON that comes back."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = httpx.post(self.url + path, content=content, timeout=ANSWER_SECONDS)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json()

    def get(self, path: str) -> Any:
        """GET JSON."""
        answer = httpx.get(self.url + path, timeout=ANSWER_SECONDS)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json()

    def file(self, instance: str) -> bytes:
        """GET the file of one of its instances."""
        return httpx.get(f"{self.url}/instances/{instance}/file", timeout=ANSWER_SECONDS).content


@contextmanager
def running_orthanc(
    folder: Path,
    modalities: Mapping[str, Any] | None = None,
    dicom_port: int = 0,
    **servers: Mapping[str, Any],
) -> Iterator[Orthanc]:
    """Run one; modalities, servers: the DIMSE nodes and DICOMweb servers that it knows, by name.

    dicom_port: where it takes C-STORE, as ORTHANC; 0 = nowhere.
    """
    port = free_port()
    settings = {
        "Name": "peer",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": port,
        "DicomServerEnabled": bool(dicom_port),
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "DicomCheckCalledAet": True,
        "DicomModalities": dict(modalities or {}),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Servers": dict(servers)},
    }
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(settings))
    process = subprocess.Popen(
        [orthanc_command(), str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peer = Orthanc(f"http://127.0.0.1:{port}")
    try:
        wait_until_up(peer, process)
        yield peer
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def wait_until_up(peer: Orthanc, process: "subprocess.Popen[bytes]") -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "Orthanc ended"
        try:
            peer.get("/system")
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "Orthanc does not answer"
            time.sleep(0.2)
