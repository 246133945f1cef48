"""Before torch is imported: threads that wait asleep, so that tests beside each other do not starve."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
