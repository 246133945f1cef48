"""The embedding store: durable, append-only, quick, and right beside a writer."""

import hashlib
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from mlworker import embeddings
from mlworker.embeddings import EmbeddingStore

ENCODER = "e" * 64


def digests(count: int, start: int = 0) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start, start + count)]


def vectors(count: int, width: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def test_vectors_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    store, known = EmbeddingStore(tmp_path, ENCODER, 8), vectors(10)
    store.append(digests(10), known)
    asked = digests(10)[::-1]
    np.testing.assert_allclose(store.vectors(store.rows(asked)), known[::-1], atol=2e-3)


def test_a_digest_is_appended_once(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, ENCODER, 8)
    assert store.append(digests(4), vectors(4)) == 4
    assert store.append(digests(6), vectors(6, seed=1)) == 2
    np.testing.assert_allclose(store.vectors(store.rows(digests(4))), vectors(4), atol=2e-3)


def test_what_is_not_known_has_no_row(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, ENCODER, 8)
    assert store.rows([*digests(2), ""]).tolist() == [-1, -1, -1]
    store.append(digests(1), vectors(1))
    assert store.rows([*digests(2), ""]).tolist() == [0, -1, -1]
    assert store.missing(digests(3)) == digests(3)[1:]


def test_another_process_sees_what_was_appended(tmp_path: Path) -> None:
    writer, reader = EmbeddingStore(tmp_path, ENCODER, 8), EmbeddingStore(tmp_path, ENCODER, 8)
    writer.append(digests(3), vectors(3))
    reader.refresh()
    assert reader.rows(digests(3)).tolist() == [0, 1, 2]


def test_what_a_crash_left_behind_is_overwritten(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path, ENCODER, 8)
    store.append(digests(3), vectors(3))
    with (tmp_path / ENCODER / "vectors-00000").open("ab") as shard:
        shard.write(b"half a vector")
    with (tmp_path / ENCODER / "index").open("ab") as index:
        index.write(b"half a key")
    again = EmbeddingStore(tmp_path, ENCODER, 8)
    assert len(again) == 3
    again.append(digests(2, start=3), vectors(2, seed=1))
    found = EmbeddingStore(tmp_path, ENCODER, 8)
    np.testing.assert_allclose(
        found.vectors(found.rows(digests(5))), np.concatenate([vectors(3), vectors(2, seed=1)]), atol=2e-3
    )


def test_vectors_run_on_into_the_next_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "SHARD_ROWS", 4)
    store, known = EmbeddingStore(tmp_path, ENCODER, 8), vectors(11)
    for start in range(0, 11, 3):
        store.append(digests(11)[start : start + 3], known[start : start + 3])
    assert len(list((tmp_path / ENCODER).glob("vectors-*"))) == 3
    np.testing.assert_allclose(store.vectors(store.rows(digests(11))), known, atol=2e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_a_vector_that_float16_cannot_hold_is_refused(tmp_path: Path, value: float) -> None:
    store, bad = EmbeddingStore(tmp_path, ENCODER, 8), vectors(2)
    bad[1, 3] = value
    with pytest.raises(ValueError, match="finite"):
        store.append(digests(2), bad)
    assert len(store) == 0


def test_an_erased_vector_is_zeros_and_its_series_is_unknown_to_every_reader(tmp_path: Path) -> None:
    store, reader = EmbeddingStore(tmp_path, ENCODER, 8), EmbeddingStore(tmp_path, ENCODER, 8)
    store.append(digests(3), vectors(3))
    reader.refresh()
    assert store.erase(digests(5)[1:2] + digests(9)[8:]) == 1
    assert reader.missing(digests(3)) == digests(3)[1:2]
    assert (
        vectors(3)[1].astype(np.float16).tobytes() not in (tmp_path / ENCODER / "vectors-00000").read_bytes()
    )
    store.append(digests(3), vectors(3))
    reader.refresh()
    np.testing.assert_allclose(reader.vectors(reader.rows(digests(3))), vectors(3), atol=2e-3)


def write_some(root: Path, start: int) -> None:
    store = EmbeddingStore(root, ENCODER, 8)
    for number in range(start, start + 20):
        store.append(digests(2, start=number), np.full((2, 8), number % 100, dtype=np.float32))


def test_writers_in_several_processes_lose_and_repeat_nothing(tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=write_some, args=(tmp_path, 15 * number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    store = EmbeddingStore(tmp_path, ENCODER, 8)
    assert sorted(store.rows(digests(51)).tolist()) == list(range(51))


def test_a_hundred_thousand_digests_are_found_quickly(tmp_path: Path) -> None:
    store, known = EmbeddingStore(tmp_path, ENCODER, 8), digests(100_000)
    store.append(known, np.zeros((100_000, 8), dtype=np.float32))
    started = time.process_time()
    rows = store.rows(known)
    assert time.process_time() - started < 1.0
    assert (rows == np.arange(100_000)).all()
