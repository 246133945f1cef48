"""Replay: worlds with a known truth, what runs say together, the command on real images."""

import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation.learning.models import Policy
from mlworker import loop
from mlworker.replay import summaries, turns, verdicts, worlds
from mlworker.replay.folders import Images, long_tail, read_images, some, world_of
from mlworker.replay.settings import policies_of
from mlworker.replay.study import Question, answer, pairs
from mlworker.replay.turns import Curve
from mlworker.replay.worlds import World, WorldError

WIDTH = 24


def a_world(
    *, shares: tuple[float, ...] = (0.5, 0.5), cases: int = 240, apart: float = 1.2, seed: int = 3
) -> World:
    """Gaussian classes of known shares and distance: one patient a case, judged on as many of each class."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(len(shares), WIDTH)) * apart

    def labelled(labels: np.ndarray, first: int) -> loop.Labelled:
        vectors = (centres[labels] + random.normal(size=(len(labels), WIDTH))).astype(np.float16)
        keys = np.arange(first, first + len(labels), dtype=np.uint64)
        return loop.Labelled(loop.Cases(keys, vectors), labels, np.arange(len(labels), dtype=np.intp))

    read = np.sort(random.choice(len(shares), size=cases, p=shares))
    judge = np.repeat(np.arange(len(shares)), 40)
    names = [f"class {number}" for number in range(len(shares))]
    return World("synthetic", labelled(read, 1), labelled(judge, 10_001), names)


def a_curve(*scores: float) -> Curve:
    readings = 10 * np.arange(1, len(scores) + 1)
    return Curve(readings, readings * 2.0, np.array(scores), np.zeros(len(scores)), np.zeros(len(scores)))


def silent(fraction: float, message: str) -> None:
    """Hear progress and say nothing."""


def test_a_replay_learns_what_can_be_learned() -> None:
    curve = turns.replayed(a_world(), Policy(strategy="margin"), budget=80, seed=0)
    assert curve.readings.tolist() == [10, 20, 30, 40, 50, 60, 70, 80]
    assert curve.score[-1] > 0.9
    assert curve.worst_recall[-1] > 0.8
    assert curve.calibration_error[-1] < 0.2


def test_the_same_seed_gives_the_same_curve() -> None:
    one, again = (
        turns.replayed(a_world(), Policy(strategy="power_margin"), budget=60, seed=5) for _ in range(2)
    )
    assert np.array_equal(one.score, again.score)


def test_another_seed_gives_another_curve() -> None:
    one, other = (
        turns.replayed(a_world(apart=0.4), Policy(strategy="random"), budget=60, seed=seed) for seed in (1, 2)
    )
    assert not np.array_equal(one.score, other.score)


def test_no_case_is_read_twice_and_the_budget_is_spent() -> None:
    world = a_world()
    reader = turns.Reader(world, worlds.seeded(world, seed=0, audit_share=0.125), Policy(strategy="random"))
    for _ in range(7):
        reader.read_on(None, 65)
    assert len(reader.read) == 65
    assert len(np.unique(reader.read)) == 65


def test_a_seed_deals_every_strategy_the_same_audit_stream() -> None:
    world = a_world()
    one, again = (worlds.seeded(world, seed=4, audit_share=0.125) for _ in range(2))
    assert np.array_equal(one.audit, again.audit)
    assert 0.05 < one.audit.mean() < 0.2


def test_without_a_judging_split_each_seed_holds_back_its_own_patients() -> None:
    world = a_world()
    own = World(world.name, world.read, None, world.classes)
    dealt = [worlds.seeded(own, seed=seed, audit_share=0.125) for seed in (0, 1)]
    for one in dealt:
        assert not set(one.read.patients.tolist()) & set(one.judge.patients.tolist())
        assert len(one.read.labels) + len(one.judge.labels) == len(world.read.labels)
    assert dealt[0].judge.patients.tolist() != dealt[1].judge.patients.tolist()


def test_expert_seconds_are_those_of_the_cases_read() -> None:
    world = a_world()
    timed = World(world.name, world.read, world.judge, world.classes, np.full(len(world.read.labels), 7.0))
    curve = turns.replayed(timed, Policy(strategy="random"), budget=30, seed=0)
    assert curve.seconds.tolist() == [70.0, 140.0, 210.0]


def test_where_margin_pays_the_replay_says_so() -> None:
    rare = a_world(shares=(0.9, 0.06, 0.04), cases=500, apart=0.55)
    question = Question(
        {"margin": Policy(strategy="margin"), "random": Policy(strategy="random")}, seeds=8, budget=120
    )
    found = answer(rare, question, silent)
    against = found["comparisons"][0]
    assert against["difference"] > 0.0
    assert against["wins"] > against["losses"]
    assert found["strategies"]["margin"]["area_mean"] > found["strategies"]["random"]["area_mean"]


def test_two_names_of_one_strategy_tie_and_no_difference_is_claimed() -> None:
    settings = {
        "default": Policy(strategy="power_margin"),
        "power_margin": Policy(strategy="power_margin"),
        "random": Policy(strategy="random"),
    }
    found = answer(a_world(), Question(settings, seeds=6, budget=60), silent)
    same = next(
        one for one in found["comparisons"] if {one["name"], one["against"]} == {"default", "power_margin"}
    )
    assert (same["wins"], same["losses"], same["p"]) == (0, 0, 1.0)
    assert "No difference between default and power_margin" in " ".join(found["verdict"])


def test_the_answer_is_plain_json_with_a_curve_that_starts_before_there_is_a_model() -> None:
    found = answer(a_world(), Question({"random": Policy(strategy="random")}, seeds=2, budget=40), silent)
    again = json.loads(json.dumps(found, allow_nan=False))
    assert [labels for labels, _ in again["strategies"]["random"]["curve"]] == [10, 20, 30, 40]
    low, high = again["strategies"]["random"]["area_interval"]
    assert low <= again["strategies"]["random"]["area_mean"] <= high


def test_the_area_is_the_mean_height_of_the_curve() -> None:
    assert summaries.area(a_curve(0.5, 0.7, 0.9)) == pytest.approx(0.7)
    assert summaries.area(a_curve(0.5, 0.9, 0.9)) == pytest.approx((0.7 + 0.9) / 2)


def test_a_target_is_reached_between_two_turns_or_never() -> None:
    x, y = np.array([10.0, 20.0, 30.0]), np.array([0.5, 0.6, 0.8])
    assert summaries.first_reach(x, y, 0.7) == pytest.approx(25.0)
    assert summaries.first_reach(x, y, 0.5) == 10.0
    assert summaries.first_reach(x, y, 0.9) == float("inf")


def test_runs_that_end_before_the_target_are_kept() -> None:
    found = summaries.of_strategy([a_curve(0.5, 0.6, 0.9), a_curve(0.5, 0.5, 0.5)], target=0.8)
    reached = found["labels_to_target"]
    assert reached["by_seed"][1] is None
    assert reached["reached"] == 1
    assert reached["value"] is None
    assert found["seconds_to_target"]["by_seed"][0] == pytest.approx(2 * reached["by_seed"][0])


def test_half_the_labels_are_a_ratio_of_a_half() -> None:
    x = np.array([10.0, 20.0, 30.0, 40.0])
    quick, slow = np.tile([0.5, 0.8, 0.8, 0.8], (5, 1)), np.tile([0.5, 0.6, 0.7, 0.8], (5, 1))
    found = summaries.ratio_of_reach(x, quick, slow, 0.8)
    assert found == {"value": 0.5, "interval": [0.5, 0.5], "at_most": False}


def test_holm_keeps_the_order_and_multiplies_the_least_by_the_number() -> None:
    assert summaries.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert summaries.holm([0.6, 0.9]) == pytest.approx([1.0, 1.0])


def test_wilcoxon_s_p_is_that_of_the_exact_table() -> None:
    # All six differences positive: 2 of the 2**6 sign patterns are as extreme.
    assert summaries.wilcoxon_p(np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])) == pytest.approx(2 / 64)
    assert summaries.wilcoxon_p(np.zeros(6)) == 1.0


def test_few_seeds_are_called_few() -> None:
    assert "no difference can be significant" in verdicts.caveats(3)[0]
    assert "can mislead" in verdicts.caveats(10)[0]
    assert verdicts.caveats(20) == []


def test_everyone_is_compared_with_random_and_the_first_with_everyone() -> None:
    assert pairs(["default", "margin", "random"]) == [
        ("default", "random"),
        ("margin", "random"),
        ("default", "margin"),
    ]
    assert pairs(["random"]) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            lambda world: World("few", worlds.taken(world.read, np.arange(10)), world.judge, world.classes),
            "needs 30",
        ),
        (lambda world: World("one", world.read, world.judge, ["a"]), "needs two"),
        (lambda world: World("three", world.read, world.judge, ["a", "b", "c"]), "no cases to read of c"),
    ],
)
def test_a_world_that_cannot_be_replayed_says_what_it_lacks(broken: object, said: str) -> None:
    with pytest.raises(WorldError, match=said):
        worlds.checked(broken(a_world()))  # type: ignore[operator]


def test_a_budget_beyond_the_set_is_refused() -> None:
    with pytest.raises(WorldError, match="give 20 to 240"):
        answer(a_world(), Question({"random": Policy(strategy="random")}, seeds=1, budget=999), silent)


def test_default_is_the_policy_s_own_strategy_and_all_is_every_one() -> None:
    policy = Policy(strategy="margin", refit_every=7, audit_share=0.2)
    assert policies_of(["default"], policy) == {"default": policy}
    random = policies_of(["random"], policy)["random"]
    assert (random.strategy, random.refit_every, random.audit_share) == ("random", 7, 0.2)
    assert list(policies_of(["default", "all"], policy)) == ["default", *Policy.Strategy.values]
    with pytest.raises(WorldError, match="unknown strategy nonsense"):
        policies_of(["nonsense"], policy)


def test_a_long_tail_thins_one_class_of_what_is_read_only() -> None:
    labels, splits = np.repeat(["common", "rare"], 200), np.tile(["train", "test"], 200)
    images = Images(np.zeros((400, 1, 2, 2), dtype=np.float32), labels, splits, np.arange(400).astype(str))
    thin = some(images, long_tail(images, rarest=["rare"], share=0.1))
    left = {
        (label, split): int(((thin.labels == label) & (thin.splits == split)).sum())
        for label in ("common", "rare")
        for split in ("train", "test")
    }
    assert 3 <= left.pop(("rare", "train")) <= 20
    assert set(left.values()) == {100}


def a_folder(folder: Path, *, columns: str = "path,label,split", rows: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_text("\n".join([columns, *["a.png,x,train"] * rows]))
    return folder


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        ("path,label", 1, "no column split"),
        ("path,label,split", 0, "no row"),
        ("path,label,split", 1, "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, columns: str, rows: int, said: str) -> None:
    with pytest.raises(WorldError, match=said):
        read_images(a_folder(tmp_path / "set", columns=columns, rows=rows))


def test_a_folder_without_a_table_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"labels\.csv is not there"):
        call_command("replay", data=tmp_path, verbosity=0)


def test_real_images_are_replayed_by_the_command(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "replay.json"
    call_command(
        "replay",
        data=real_data / "nuclei",
        strategies="default,random",
        seeds=2,
        budget=40,
        out=out,
        verbosity=0,
    )
    found = json.loads(out.read_text())
    assert set(found["strategies"]) == {"default", "random"}
    assert found["strategies"]["default"]["curve"][-1][0] == 40
    assert found["strategies"]["default"]["curve"][-1][1] > 0.35
    assert found["full"] > 0.5


def test_an_archive_in_medmnist_s_layout_is_read(real_data: Path) -> None:
    images = read_images(real_data / "pneumoniamnist")
    assert len(images.planes) == 3882 + 524 + 624
    world = world_of(images, np.zeros((len(images.planes), 4)), name="pneumoniamnist", judge="val")
    assert np.bincount(world.read.labels[:, 0]).tolist() == [388, 3494]
