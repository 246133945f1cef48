"""One simulated reader: signs in, leases, submits, over HTTP as a browser does."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import httpx

from annotation.projects.rules import first_learnable
from mlworker.simulation.truth import Answer

PATIENCE_SECONDS = 30.0
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class RefusedSignInError(RuntimeError):
    """The running system does not know this reader."""


class SimulatedReader:
    """A session of one reader in one project."""

    def __init__(self, client: httpx.Client, project_id: UUID, seconds: float) -> None:
        self._client, self._project, self._seconds = client, project_id, seconds
        self._token = ""
        self._cases: list[dict[str, Any]] = []

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the page's form, then take the token for the JSON interface.

        raises: RefusedSignInError, httpx.HTTPStatusError.
        """
        page = self._client.get("/sign-in").raise_for_status()
        found = TOKEN.search(page.text)
        form = {"username": username, "password": password, "csrfmiddlewaretoken": found[1] if found else ""}
        self._client.post("/sign-in", data=form, headers={"Referer": str(self._client.base_url)})
        session = self._client.get("/api/v1/session")
        if session.status_code != httpx.codes.OK:
            raise RefusedSignInError(
                f"{username} could not sign in at {self._client.base_url}: does it serve this data directory?"
            )
        self._token = session.json()["csrf_token"]

    def read_next(self, answer_of: Callable[[UUID], Answer]) -> bool:
        """Read the case in hand and submit; False when nothing is left.

        raises: httpx.HTTPStatusError.
        """
        if not self._cases:
            self._cases = self._post(f"/api/v1/projects/{self._project}/leases", {})["cases"]
        if not self._cases:
            return False
        if self._seconds:
            time.sleep(self._seconds)
        leased = self._cases[0]
        submitted = self._post(
            f"/api/v1/cases/{leased['case']['id']}/readings", self._reading(leased, answer_of)
        )
        self._cases = submitted["workload"]["cases"]
        return True

    def give_back(self) -> None:
        """Let the cases ahead wait for others."""
        for leased in self._cases:
            self._client.delete(f"/api/v1/leases/{leased['lease_id']}", headers=self._headers())
        self._cases = []

    def _reading(self, leased: Mapping[str, Any], answer_of: Callable[[UUID], Answer]) -> dict[str, Any]:
        question = first_learnable(leased["protocol"]["questions"]).key
        return {
            "lease_id": leased["lease_id"],
            "idempotency_key": str(uuid.uuid4()),
            "answers": {question: answer_of(UUID(leased["case"]["id"]))},
            "seconds": self._seconds,
            "protocol_version": leased["protocol"]["version"],
        }

    def _post(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401  JSON
        return self._client.post(path, json=body, headers=self._headers()).raise_for_status().json()

    def _headers(self) -> dict[str, str]:
        return {"X-CSRFToken": self._token, "Referer": str(self._client.base_url)}
