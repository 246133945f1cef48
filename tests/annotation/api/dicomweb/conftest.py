"""A project with real files in it, and programs with tokens that use its DICOMweb."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token
from annotation.projects.models import Project
from tests import factories, phantoms

BOTH = (Scope.DICOMWEB_READ, Scope.DICOMWEB_WRITE)


@dataclass(frozen=True)
class Program:
    """A client of a project's DICOMweb with a token of its own."""

    root: str
    key: str
    client: Client

    def get(self, path: str, accept: str = "*/*", **headers: str) -> Any:
        """GET an address below the service's root."""
        return self.client.get(self.root + path, headers=self.bearer() | {"Accept": accept, **headers})

    def store(self, files: Sequence[bytes], path: str = "/studies") -> Any:
        """POST files as STOW-RS does."""
        kind = 'multipart/related; type="application/dicom"; boundary=b1'
        return self.client.post(self.root + path, body(files), content_type=kind, headers=self.bearer())

    def bearer(self) -> dict[str, str]:
        """The token's header."""
        return {"Authorization": f"Bearer {self.key}"}


def body(files: Sequence[bytes], boundary: bytes = b"b1", kind: bytes = b"application/dicom") -> bytes:
    """A multipart body."""
    head = b"--" + boundary + b"\r\nContent-Type: " + kind + b"\r\n\r\n"
    return b"".join(head + one + b"\r\n" for one in files) + b"--" + boundary + b"--\r\n"


def content(response: HttpResponseBase) -> bytes:
    """All bytes of an answer, streamed or not."""
    streamed = getattr(response, "streaming_content", None)
    return b"".join(streamed) if streamed is not None else bytes(response.content)  # type: ignore[attr-defined]


def parts(response: Any) -> list[bytes]:
    """Bodies of the parts of an answer."""
    boundary = response["Content-Type"].rpartition("boundary=")[2].encode()
    pieces = content(response).split(b"--" + boundary)[1:-1]
    return [piece.partition(b"\r\n\r\n")[2][:-2] for piece in pieces]


def a_program(user: User, project: Project, scopes: Sequence[str] = BOTH) -> Program:
    """Make a token and who uses it."""
    name = uuid.uuid4().hex[:8]
    _, key = make_token(user=user, wish=Wish(name, list(scopes), 1), now=timezone.now())
    return Program(f"/api/dicomweb/projects/{project.pk}", key, Client())


@pytest.fixture
def project(db: None) -> Project:
    return factories.a_project()


@pytest.fixture
def admin(project: Project) -> User:
    return factories.a_user(is_admin=True)


@pytest.fixture
def program(admin: User, project: Project) -> Program:
    """An administrator's program: it may store."""
    return a_program(admin, project)


@pytest.fixture
def reading(project: Project) -> Program:
    """A reader's program."""
    return a_program(factories.a_reader(project), project, [Scope.DICOMWEB_READ])


@pytest.fixture
def staff(project: Project) -> Program:
    """A program of the ML staff."""
    return a_program(factories.a_member(project, Role.ML_STAFF), project, [Scope.DICOMWEB_READ])


@dataclass(frozen=True)
class Ct:
    """Where the stored series of three slices is."""

    study: str
    series: str
    instances: list[str]

    @property
    def first(self) -> str:
        """Its first instance's address."""
        return f"{self.series}/instances/{self.instances[0]}"


@pytest.fixture
def ct(program: Program) -> Ct:
    """Store a series of three slices by STOW-RS."""
    program.store(phantoms.series(3))
    rows = program.get("/instances").json()
    uid: Callable[[dict[str, Any], str], str] = lambda row, tag: str(row[tag]["Value"][0])  # noqa: E731
    ordered = sorted(rows, key=lambda row: row["00200013"]["Value"][0])
    study = f"/studies/{uid(rows[0], '0020000D')}"
    series = f"{study}/series/{uid(rows[0], '0020000E')}"
    return Ct(study, series, [uid(row, "00080018") for row in ordered])
