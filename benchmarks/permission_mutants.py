"""Break one permission check at a time in a copy of the source: the authorization matrix must notice each.

    python -m benchmarks.permission_mutants [--only NAME …] [--seed N] [--first N] [--json]

Each mutant is a run of the matrix's own tests that ends with the first failure; the source as it is must
pass before. Without --only all are run, in an order drawn by the seed; --first takes that many of them.
Exit status: how many survived.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("annotation", "platform", "mlworker", "tests", "frontend/templates", "frontend/locale")
ALONE = ("manage.py", "pyproject.toml")
# The matrix, and what tests a check that stands behind another one, which the matrix meets first.
TESTS = ("tests/annotation/api/test_authorization.py", "tests/annotation/studies/test_selectors.py")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
LONGEST_SECONDS = 900
NARROWED = """
def pytest_addoption(parser):
    parser.addoption("--narrowed-to", default="")

def pytest_collection_modifyitems(config, items):
    text = config.getoption("--narrowed-to")
    items[:] = [one for one in items if text in one.nodeid]
"""


@dataclass(frozen=True)
class Mutation:
    """One text of a file that checks a permission, and what stands in its place.

    where: part of the id of tests that are run first, before all the others.
    """

    name: str
    path: str
    old: str
    new: str
    where: str = ""

    def applied(self, source: str) -> str:
        """Give the file's text, mutated.

        raises: ValueError where the text is not there exactly once.
        """
        if source.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {self.path} has its text {source.count(self.old)} times, not once"
            )
        return source.replace(self.old, self.new)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; caught_by: the first test that failed."""

    name: str
    is_caught: bool
    caught_by: str
    seconds: float


PAGES, QUEUE = "annotation/api/pages", "annotation/queue"
MUTATIONS = (
    Mutation(
        "every role opens every page of a project",
        f"{PAGES}/access.py",
        "        return not roles or self.role in roles or (roles == (ADMIN,) and self.user.is_admin)",
        "        return bool(roles) or True",
        where="learning/policy",
    ),
    Mutation(
        "pages of administrators are open to all who are signed in",
        f"{PAGES}/access.py",
        "        if not person(request).is_admin:\n",
        "        if request.user is None:\n",
        where="GET-people",
    ),
    Mutation(
        "the password is not asked for again on pages",
        f"{PAGES}/confirm.py",
        "            if typed_lately(request.session):\n",
        "            if request.session is not None:\n",
        where="people/new",
    ),
    Mutation(
        "the password is not asked for again of programs",
        "annotation/api/guards.py",
        "    if not typed_lately(request.session):\n",
        "    if request.session is None:\n",
        where="webhooks",
    ),
    Mutation(
        "operations of administrators are open to all who are signed in",
        "annotation/api/guards.py",
        "    if not user.is_admin:\n",
        "    if user is None:\n",
        where="GET-api/v1/people",
    ),
    Mutation(
        "everybody is a member of every project",
        "annotation/projects/selectors.py",
        "        return Project.objects.all()\n    return Project.objects.filter(memberships__user=user)\n",
        "        return Project.objects.all()\n    return Project.objects.all()\n",
        where="GET-projects/<project_id>]",
    ),
    Mutation(
        "cases of foreign projects are there",
        "annotation/projects/selectors.py",
        "    return cases if user.is_admin else cases.filter(project__memberships__user=user)",
        "    return cases",
        where="draft",
    ),
    Mutation(
        "an administrator counts as ML staff",
        "annotation/projects/selectors.py",
        '    return "admin" if user.is_admin else ""',
        '    return "ml_staff" if user.is_admin else ""',
        where="learning/retrain",
    ),
    Mutation(
        "who only reads manages jobs and readers",
        "annotation/projects/selectors.py",
        "memberships__user=user, memberships__role=Role.ML_STAFF)",
        "memberships__user=user)",
        where="GET-api/v1/jobs",
    ),
    Mutation(
        "pixels of foreign projects are there",
        "annotation/studies/selectors.py",
        "instances.filter(series__cases__project__memberships__user=user)",
        "instances",
        where="foreign_case_has_no_frames",
    ),
    Mutation(
        "ML staff are given cases to read",
        "annotation/readings/services.py",
        "    if membership is None or membership.role != Role.READER:\n",
        "    if membership is None:\n",
        where="leases",
    ),
    Mutation(
        "a colleague revises another's reading",
        "annotation/readings/services.py",
        ".get(pk=reading_id, reader=reader)",
        ".get(pk=reading_id)",
        where="revisions",
    ),
    Mutation(
        "a colleague opens another's reading",
        "annotation/readings/own.py",
        "newest_revisions().filter(reading__reader=reader, reading__case__project__memberships__user=reader)",
        "newest_revisions().filter(reading__case__project__memberships__user=reader)",
        where="readings",
    ),
    Mutation(
        "anybody gives back another's lease",
        f"{QUEUE}/services.py",
        ".get(pk=lease_id, reader=reader)\n    if lease.ended_at is None:",
        ".get(pk=lease_id)\n    if lease.ended_at is None:",
        where="leases",
    ),
    Mutation(
        "a colleague answers a question to another",
        f"{QUEUE}/remarks.py",
        ".get(pk=remark_id, to=reader)",
        ".get(pk=remark_id)",
        where="reply",
    ),
    Mutation(
        "readers look at what models learned",
        "annotation/learning/selectors.py",
        '    if role_in(user, project_id) not in (Role.ML_STAFF, "admin"):\n',
        "    if user is None:\n",
        where="agreement",
    ),
    Mutation(
        "administrators organise data as ML staff do",
        "annotation/api/organise.py",
        '    if role_in(user, project_id) != "ml_staff":\n',
        "    if user is None:\n",
        where="duplicates",
    ),
    Mutation(
        "anybody revokes anybody's token",
        "platform/accounts/tokens.py",
        "tokens.get(pk=token_id) if by.is_admin else tokens.get(pk=token_id, user=by)",
        "tokens.get(pk=token_id)",
        where="tokens",
    ),
    Mutation(
        "jobs of foreign projects are there",
        f"{PAGES}/jobs.py",
        "    found = jobs_in(None if user.is_admin else names.keys()).filter(pk=job_id).first()",
        "    found = jobs_in(None).filter(pk=job_id).first()",
        where="GET-jobs",
    ),
    Mutation(
        "unsafe verbs work without the session's token",
        "annotation/api/permissions.py",
        "        if check.process_view(request, lambda _request: HttpResponse(), (), {}) is not None:\n",
        "        if request.method is None:\n",
        where="no_unsafe_verb",
    ),
)


def copy_of_source(target: Path) -> None:
    """Copy what the matrix runs on."""
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=NOT_COPIED)
    for name in ALONE:
        shutil.copy(ROOT / name, target / name)


def outcome_of(mutation: Mutation, source: Path) -> Outcome:
    """Mutate the copy, run the matrix until something fails, and mend the copy.

    raises: RuntimeError where the matrix does not run at all.
    """
    path, began = source / mutation.path, time.monotonic()
    original = path.read_text()
    path.write_text(mutation.applied(original))
    try:
        caught_by = (first_failure(source, mutation.where) if mutation.where else "") or first_failure(source)
    finally:
        path.write_text(original)
    return Outcome(mutation.name, bool(caught_by), caught_by, round(time.monotonic() - began, 1))


def first_failure(source: Path, where: str = "") -> str:
    """Run the matrix, or the part of it whose ids have some text, until a test fails; "" where all pass.

    raises: RuntimeError where it does not run at all.
    """
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            *TESTS,
            *narrowed(source, where),
        ],
        cwd=source,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_SECONDS,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode not in (0, 1) or (done.returncode == 1 and not failed):
        raise RuntimeError(f"the matrix did not run\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed[0].rpartition("::")[2].split(" - ")[0] if failed else ""


def narrowed(source: Path, where: str) -> list[str]:
    """Leave out the tests whose id has not the text."""
    if not where:
        return []
    plugin = source / "narrowed.py"
    plugin.write_text(NARROWED)
    return ["-p", "narrowed", "--narrowed-to", where]


def run(mutations: Sequence[Mutation], *, where: str = "") -> list[Outcome]:
    """Run mutants one after another in one copy, once the matrix passes on it (or where it is looked at)."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        copy_of_source(source)
        failed = first_failure(source, where)
        if failed:
            raise RuntimeError(f"the matrix fails without any mutation: {failed}")
        return [told(outcome_of(one, source)) for one in mutations]


def told(outcome: Outcome) -> Outcome:
    """Say what became of a mutant as soon as it is known."""
    fate = f"caught by {outcome.caught_by}" if outcome.is_caught else "SURVIVED"
    print(f"{outcome.name}: {fate} ({outcome.seconds:.0f} s)", file=sys.stderr, flush=True)
    return outcome


def chosen(only: Sequence[str], seed: int, first: int) -> list[Mutation]:
    """Take the mutants that are asked for, in the seed's order."""
    found = [one for one in MUTATIONS if not only or one.name in only]
    return random.Random(seed).sample(found, len(found))[: first or None]


def main() -> None:
    """Run, report, and exit with the number of survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    outcomes = run(chosen(options.only, options.seed, options.first))
    survivors = [one.name for one in outcomes if not one.is_caught]
    if options.json:
        print(json.dumps([asdict(one) for one in outcomes]))
    else:
        print(f"{len(outcomes) - len(survivors)} of {len(outcomes)} mutants caught")
    sys.exit(len(survivors))


if __name__ == "__main__":
    main()
