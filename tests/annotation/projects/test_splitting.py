"""Who goes where when patients are divided: by hand."""

from collections import Counter
from uuid import UUID, uuid4

import pytest

from annotation.projects.rules import RefusedError
from annotation.projects.splitting import (
    Person,
    checked_likeness,
    checked_shares,
    divided,
    split_key,
)

KEY = b"split"


def people(count: int, *, stream: str = "pool") -> list[Person]:
    return [Person(UUID(int=number + 1), f"patient {number}", stream) for number in range(count)]


def parts(found: dict[UUID, tuple[str, str]]) -> Counter[str]:
    return Counter(part for part, _ in found.values())


def place(some: list[Person], *, val: float = 0.2, test: float = 0.1, key: bytes = KEY) -> dict[UUID, str]:
    found = divided(some, val_share=val, test_share=test, key=key)
    return {patient: part for patient, (part, _) in found.items()}


def test_shares_are_met_to_the_patient() -> None:
    found = divided(people(100), val_share=0.2, test_share=0.1, key=KEY)
    assert parts(found) == {"train": 70, "val": 20, "test": 10}
    assert {why for _, why in found.values()} == {"drawn"}


def test_the_same_seed_draws_the_same_and_another_one_another() -> None:
    project = uuid4()
    first, again, other = (place(people(60), key=split_key(project, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_order_of_the_patients_changes_nothing() -> None:
    some = people(60)
    assert place(some) == place(some[::-1])


def test_near_duplicates_stay_together() -> None:
    some = [
        Person(one.patient_id, one.pseudonym, "pool", group=1 + number // 4 if number < 40 else 0)
        for number, one in enumerate(people(100))
    ]
    found = place(some)
    for group in range(1, 11):
        assert len({found[one.patient_id] for one in some if one.group == group}) == 1


def test_new_patients_move_nobody_and_the_shares_are_met_again() -> None:
    first = place(people(50))
    placed = [
        Person(one.patient_id, one.pseudonym, "pool", part=first.get(one.patient_id, ""))
        for one in people(100)
    ]
    later = place(placed)
    assert not set(later) & set(first)
    assert Counter((first | later).values()) == {"train": 70, "val": 20, "test": 10}


def test_a_new_patient_like_one_of_the_test_goes_to_the_test() -> None:
    some = [Person(UUID(int=1), "a", "pool", part="test", group=1), Person(UUID(int=2), "b", "pool", group=1)]
    assert divided(some, val_share=0.1, test_share=0.1, key=KEY) == {UUID(int=2): ("test", "alike")}


def test_who_is_placed_already_stays_even_where_a_stricter_one_is_found_alike() -> None:
    some = [
        Person(UUID(int=1), "a", "pool", part="train", group=1),
        Person(UUID(int=2), "b", "held_out", given="test", group=1),
        Person(UUID(int=3), "c", "pool", group=1),
    ]
    assert place(some) == {UUID(int=2): "test", UUID(int=3): "test"}


def test_the_audit_stream_validates_and_takes_those_like_it_along() -> None:
    some = [Person(UUID(int=1), "a", "audit", group=1), Person(UUID(int=2), "b", "pool", group=1)]
    found = divided(some, val_share=0.1, test_share=0.1, key=KEY)
    assert found == {UUID(int=1): ("val", "audit"), UUID(int=2): ("val", "alike")}


def test_what_the_delivery_gave_stands() -> None:
    some = [
        Person(UUID(int=1), "a", "pool", given="train"),
        Person(UUID(int=2), "b", "held_out", given="val"),
    ]
    assert divided(some, val_share=0.3, test_share=0.3, key=KEY) == {
        UUID(int=1): ("train", "given"),
        UUID(int=2): ("val", "given"),
    }


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.1), (0.5, 0.45), (0.1, -0.2)])
def test_shares_that_leave_nothing_to_train_on_are_refused(val: float, test: float) -> None:
    with pytest.raises(RefusedError, match="give shares from 0"):
        checked_shares(val, test)


@pytest.mark.parametrize("likeness", [0.5, 1.1])
def test_a_likeness_out_of_bounds_is_refused(likeness: float) -> None:
    with pytest.raises(RefusedError, match=r"give 0\.8 to 1"):
        checked_likeness(likeness)
