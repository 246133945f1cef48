"""What the logs say of requests, refused or not."""

import logging
import subprocess
import sys

import pytest
from django.test import Client

from config.logs import WithoutAddresses
from tests.servers import ROOT

UID = "1.2.840.99999.4711"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/dicomweb/projects/00000000-0000-4000-8000-000000000000/studies/{}", "/nowhere/{}"]
)
def test_a_refused_request_s_log_line_names_no_study(path: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(WithoutAddresses())
    with caplog.at_level(logging.WARNING):
        assert Client().post(path.format(UID)).status_code >= 400
    lines = [record.getMessage() for record in caplog.records if record.name == "django.request"]
    assert lines
    assert not any(UID in line for line in lines)


SERVED = """
import logging, sys
sys.path[:0] = ["platform", "."]
import uvicorn
uvicorn.Config("config.asgi:application", access_log=True).load()
print(logging.getLogger("uvicorn.access").hasHandlers())
"""


def test_the_server_writes_no_address_that_is_asked_for() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SERVED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["False"]
