"""Where the real medical images are that tests and benchmarks read."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def real_images() -> Path:
    """Find their folder: FOVEA_DATA, else ../shared/data beside the repository."""
    return (ROOT / os.environ.get("FOVEA_DATA", "../shared/data")).resolve()
