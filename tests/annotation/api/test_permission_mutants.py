"""The mutants that the authorization matrix must catch are there, and different from the source."""

import pytest

from benchmarks.permission_mutants import MUTATIONS, ROOT, Mutation, chosen, run


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_each_mutation_changes_the_source_in_one_place(mutation: Mutation) -> None:
    source = (ROOT / mutation.path).read_text()
    mutated = mutation.applied(source)
    assert mutated != source
    compile(mutated, mutation.path, "exec")


def test_there_are_twenty_and_their_order_is_the_seed_s() -> None:
    assert len({one.name for one in MUTATIONS}) >= 20
    assert chosen([], 3, 0) == chosen([], 3, 0) != chosen([], 4, 0)


@pytest.mark.timeout(900)
def test_the_matrix_catches_a_mutant() -> None:
    mutant = next(one for one in MUTATIONS if one.where == "revisions")
    [outcome] = run([mutant], where=mutant.where)
    assert outcome.is_caught
