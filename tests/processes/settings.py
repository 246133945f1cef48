"""Settings of worker processes that tests start: on the test's database, with the tests' own jobs."""

import os

from config.settings.test import *
from config.settings.test import DATABASES

DATABASES["default"]["NAME"] = os.environ["FOVEA_TEST_NAME"]
JOB_MODULES = ["tests.processes.bodies"]
