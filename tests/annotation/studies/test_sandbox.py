"""Hostile files cost a child at most, never the process that asked."""

import io
import os
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless

from annotation.studies.door import limits, sandbox
from annotation.studies.door.sandbox import LoneServer, Sandbox, how_it_ended
from annotation.studies.door.verdict import Order
from tests import phantoms
from tests.annotation.studies.conftest import KEY, Judge, in_memory

FUZZED = 400


def order() -> Order:
    return Order(key=KEY, source_digest="cd" * 32, pictures_cleared=True)


def test_a_header_that_claims_65535_squared_is_refused_by_its_size(judge: Judge) -> None:
    made = phantoms.a_slice()
    made.Rows = made.Columns = 65535
    assert "beyond what Fovea reads" in judge(phantoms.dicom(made)).verdict.reason


def test_a_header_that_claims_more_than_there_is_is_refused(judge: Judge) -> None:
    made = phantoms.a_slice()
    made.Rows = 2000
    assert "holds fewer bytes" in judge(phantoms.dicom(made)).verdict.reason


def test_a_deflated_bomb_is_cut_off(judge: Judge) -> None:
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = bytes(limits.MEBIBYTE)
    packed = b"".join(deflater.compress(zeros) for _ in range(300)) + deflater.flush()
    assert len(packed) < limits.MEBIBYTE
    meta = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    answer = judge(bytes(128) + b"DICM" + meta + packed)
    assert answer.verdict.outcome == "rejected"
    assert "unpacks to more" in answer.verdict.reason


def test_deep_nesting_is_refused(judge: Judge) -> None:
    item = Dataset()
    for _ in range(40):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([item])
        item = outer
    made = phantoms.a_slice()
    made.ReferencedImageSequence = Sequence([item])
    assert "nested" in judge(phantoms.dicom(made)).verdict.reason


def test_nesting_beyond_the_parser_s_depth_is_refused(judge: Judge) -> None:
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    head = phantoms.dicom(phantoms.a_slice())[:400].split(b"\x08\x00")[0]
    answer = judge(head + opening * 4000)
    assert answer.verdict.outcome == "rejected"


def test_a_large_image_is_well_within_the_limit(judge: Judge) -> None:
    made = phantoms.a_slice()
    phantoms.fill(made, np.zeros((6000, 6000), np.uint16))
    assert judge(phantoms.dicom(made)).verdict.outcome == "admitted"


def test_memory_beyond_the_limit_is_a_reason(judge: Judge) -> None:
    assert "memory" in judge(memory_bomb()).verdict.reason


def test_a_length_beyond_the_file_costs_no_memory(judge: Judge) -> None:
    source = phantoms.dicom(phantoms.a_slice())
    place = source.index(b"\xe0\x7f\x10\x00OW") + 8
    answer = judge(source[:place] + b"\xf0\xff\xff\xff" + source[place + 4 :])
    assert answer.verdict.outcome == "admitted", answer.verdict.reason  # all of its pixels are there


def test_a_uid_of_two_values_names_nothing(judge: Judge) -> None:
    made = phantoms.a_slice()
    made.StudyInstanceUID = ["1.2.3", "1.2.4"]
    assert "StudyInstanceUID has more than one value" in judge(phantoms.dicom(made)).verdict.reason


def test_a_dying_child_takes_no_neighbour_with_it(door: Sandbox) -> None:
    good, bomb = phantoms.dicom(phantoms.a_slice()), memory_bomb()
    with in_memory(good) as first, in_memory(bomb) as second, in_memory(good) as third:
        sources = [(order(), first), (order(), second), (order(), third)]
        with door.judge(sources) as admissions:
            assert [one.verdict.outcome for one in admissions] == ["admitted", "rejected", "admitted"]
            assert "memory" in admissions[1].verdict.reason
            assert admissions[0].stored.read() == admissions[2].stored.read()


def memory_bomb() -> bytes:
    """A colour image whose conversion needs several times its size."""
    made = phantoms.a_slice()
    phantoms.fill(made, np.zeros((9700, 9700, 3), np.uint8), photometric="YBR_FULL")
    return phantoms.dicom(made)


def test_a_file_that_lies_about_its_encoding_is_refused(judge: Judge) -> None:
    made = phantoms.a_slice()
    made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x08\0\0\0NOTAJPEG"
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    answer = judge(phantoms.dicom(made, syntax=JPEGLSLossless))
    assert answer.verdict.reason.startswith("decoding failed")


@pytest.mark.parametrize(
    "content", [b"", b"plain text", b"%PDF-1.7 ...", b"PK\x03\x04zip", b"GIF89a", bytes(4096)]
)
def test_what_is_no_image_is_refused_with_a_reason(judge: Judge, content: bytes) -> None:
    answer = judge(content)
    assert answer.verdict.outcome == "rejected"
    assert answer.verdict.reason


def test_every_way_to_die_has_a_reason() -> None:
    assert "30 s" in how_it_ended(-9, late=True)
    assert "10 s of processor time" in how_it_ended(-24, late=False)
    assert "SIGSEGV" in how_it_ended(-11, late=False)
    assert how_it_ended(1, late=False)
    assert how_it_ended(0, late=False) == ""


def test_the_child_can_reach_neither_network_nor_files(door: Sandbox) -> None:
    assert set(door.confinement) <= {"no network", "read-only code"}


def test_a_fork_server_that_was_killed_is_replaced(judge: Judge) -> None:
    with Sandbox(1) as own:
        with (
            in_memory(phantoms.png(phantoms.chest())) as source,
            own.judge([(order(), source)]) as [admission],
        ):
            assert admission.verdict.outcome == "admitted"
        [server] = own._idle.queue
        assert server is not None
        server._process.kill()
        server._process.wait()
        with (
            in_memory(phantoms.png(phantoms.chest())) as source,
            own.judge([(order(), source)]) as [admission],
        ):
            assert admission.verdict.outcome == "admitted"


def ask(own: Sandbox) -> None:
    with in_memory(phantoms.png(phantoms.chest())) as source, own.judge([(order(), source)]) as [admission]:
        assert admission.verdict.outcome == "admitted"


def test_who_comes_next_has_the_fork_server_of_who_went() -> None:
    with Sandbox(1) as first:
        ask(first)
        [server] = first.server_ids
    with Sandbox(1) as second:
        ask(second)
        assert second.server_ids == [server]


def test_a_fork_server_that_did_not_answer_is_no_one_else_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_told: object) -> str:
        raise KeyboardInterrupt

    alone = LoneServer(sandbox.CHILD)
    server = alone._server = sandbox.lent()
    monkeypatch.setattr(server, "_answer", stopped)
    with pytest.raises(KeyboardInterrupt):
        alone.send(b"[]", [], lambda: None)
    alone.close()
    assert server.has_ended()
    assert alone.process_id is None


def test_a_fork_server_that_nobody_asks_ends_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = "from annotation.studies.door import limits; limits.IDLE_SECONDS = 1; from {}"
    monkeypatch.setattr(sandbox, "BOOT", sandbox.BOOT.replace("from {}", impatient))
    monkeypatch.setattr(sandbox, "_waiting", {})
    servers = [sandbox.lent(), sandbox.lent()]
    with Sandbox(2) as held:
        for server in servers:
            held._idle.get()
            held._idle.put(server)
        wait_for_the_end_of(held.server_ids)
        ask(held)
        wait_for_the_end_of(held.server_ids)
    with Sandbox(1) as next_one:
        ask(next_one)
        assert not {server.process_id for server in servers} & set(next_one.server_ids)
    sandbox.end_waiting()


def wait_for_the_end_of(processes: list[int]) -> None:
    for process in processes:
        with suppress(ChildProcessError):  # somebody has asked how it ended
            os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def test_no_descriptor_is_left_open(judge: Judge) -> None:
    judge(phantoms.png(phantoms.chest()))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        judge(phantoms.png(phantoms.chest()))
    assert len(os.listdir("/proc/self/fd")) == before


SOURCES = [
    phantoms.dicom(phantoms.a_slice(1)),
    phantoms.dicom(phantoms.a_slice(2, modality="MR")),
    phantoms.png(phantoms.chest()),
    phantoms.jpeg(phantoms.chest()),
]


@seed(20261121)
@settings(
    max_examples=FUZZED // 8,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.sampled_from(range(4)), st.binary(min_size=16, max_size=16)), min_size=8, max_size=8
    )
)
def test_mutated_files_are_stored_or_refused_with_a_reason(
    door: Sandbox, mutations: list[tuple[int, bytes]]
) -> None:
    mutated = [mutate(SOURCES[number], recipe) for number, recipe in mutations]
    streams = [in_memory(content) for content in mutated]
    try:
        with door.judge([(order(), stream) for stream in streams]) as admissions:
            assert len(admissions) == len(streams)
            for admission in admissions:
                assert admission.verdict.outcome == "admitted" or admission.verdict.reason
    finally:
        for stream in streams:
            stream.close()


def mutate(source: bytes, recipe: bytes) -> bytes:
    """Change a file as its recipe says: flip, cut, repeat, insert; near the head, where the structure is."""
    stream = io.BytesIO(source)
    generator = np.random.default_rng(list(recipe))
    content = bytearray(stream.read())
    for _ in range(int(generator.integers(1, 6))):
        place = int(len(content) * generator.random() ** 2)
        length = int(generator.integers(1, 9))
        noise = generator.bytes(length)
        kind = int(generator.integers(0, 4))
        change = (noise, b"", noise + bytes(content[place : place + length]), b"\xff" * length)[kind]
        content[place : place + length] = change
    return bytes(content)
