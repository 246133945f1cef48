"""What the build relies on."""

import json
import re
import subprocess

from tests.servers import ROOT


def test_every_optional_package_of_the_lock_file_has_its_entry() -> None:
    """Without them (npm leaves out what its registry does not have) `npm ci` refuses the whole file."""
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    named = {name for entry in packages.values() for name in entry.get("optionalDependencies", {})}
    there = {path.rsplit("node_modules/", 1)[-1] for path in packages}
    assert named <= there


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved": "http' not in (ROOT / "frontend" / "package-lock.json").read_text()


def test_every_direct_requirement_is_pinned() -> None:
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    wanted = "\n".join(
        (ROOT / "requirements" / name).read_text() for name in ("base.in", "test.in", "node.in")
    )
    names = {name.lower() for name in re.findall(r"^([A-Za-z][\w.-]*)", wanted, re.MULTILINE)}
    assert names - pinned == {"torch"}


def test_make_knows_its_four_words_and_ci_runs_two_of_them() -> None:
    for word in ("run", "test", "lint", "bench"):
        planned = subprocess.run(["make", "-n", word], cwd=ROOT, capture_output=True, text=True, check=False)
        assert planned.returncode == 0, planned.stderr
    said = (ROOT / ".ci" / "run").read_text()
    assert said.index("make lint") < said.index("make test")
