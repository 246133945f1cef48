"""Archives are opened by throw-away children: what they give back, and what no archive can do to us."""

import io
import os
import signal
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from annotation.exchange.archives import DeliveryError, Member, members_of
from annotation.studies.intake import UnreadableFileError
from tests import phantoms

PICTURE = phantoms.png(phantoms.chest())
LONG = bytes(range(256)) * 80_000
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def zipped(target: Path, method: int, **members: bytes) -> Path:
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def content_of(member: Member) -> bytes:
    with member.open() as stream:
        return stream.read()


def listed(source: Path) -> list[Member]:
    found = members_of(source)
    assert found is not None
    return found


@pytest.mark.parametrize("method", METHODS)
def test_members_of_a_zip_come_out_as_they_went_in(tmp_path: Path, method: int) -> None:
    found = listed(zipped(tmp_path / "a.zip", method, picture=PICTURE, long=LONG, empty=b""))
    assert [(one.path, one.size) for one in found] == [
        ("picture", len(PICTURE)),
        ("long", len(LONG)),
        ("empty", 0),
    ]
    assert [content_of(one) for one in found] == [PICTURE, LONG, b""]
    assert content_of(found[0]) == PICTURE


def test_this_process_opens_no_archive_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zipped(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, one=LONG)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("one")
        member.size = len(LONG)
        archive.addfile(member, io.BytesIO(LONG))

    def refused(*_given: Any, **_named: Any) -> None:
        raise AssertionError("an untrusted file is parsed outside the sandbox")

    for module, name in (
        (zipfile, "ZipFile"),
        (tarfile, "open"),
        (tarfile, "TarFile"),
        (zlib, "decompressobj"),
    ):
        monkeypatch.setattr(module, name, refused)
    for source in (packed, tmp_path / "a.tar.gz"):
        assert [content_of(one) for one in listed(source)] == [LONG]


def test_a_member_that_is_more_than_it_says_is_refused(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, bomb=bytes(5_000_000), fine=PICTURE)
    content = source.read_bytes()
    lied = content.replace((5_000_000).to_bytes(4, "little"), (5_000).to_bytes(4, "little"))
    assert lied != content
    source.write_bytes(lied)
    bomb, fine = listed(source)
    with pytest.raises(UnreadableFileError, match="damaged"):
        bomb.open()
    assert content_of(fine) == PICTURE


def test_a_damaged_member_is_refused_and_the_others_come_out(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, broken=PICTURE, fine=PICTURE)
    content = bytearray(source.read_bytes())
    content[60:64] = b"\xff\xff\xff\xff"
    source.write_bytes(content)
    broken, fine = listed(source)
    with pytest.raises(UnreadableFileError, match="damaged"):
        broken.open()
    assert content_of(fine) == PICTURE


@pytest.mark.parametrize("cut", [10, 200, 2000])
def test_a_cut_archive_is_refused_in_words(tmp_path: Path, cut: int) -> None:
    whole = zipped(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, one=PICTURE, two=PICTURE).read_bytes()
    source = tmp_path / "cut.zip"
    source.write_bytes(whole[:-cut])
    with pytest.raises(DeliveryError, match="pack it again"):
        members_of(source)


def test_what_gzip_packed_and_is_no_tar_is_a_file(tmp_path: Path) -> None:
    import gzip

    volume = tmp_path / "volume.nii.gz"
    volume.write_bytes(gzip.compress(b"not a tar" * 100))
    assert members_of(volume) is None


def test_a_bit_that_turned_in_a_stored_member_is_noticed(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", zipfile.ZIP_STORED, broken=PICTURE, fine=PICTURE)
    content = bytearray(source.read_bytes())
    content[len(PICTURE) // 2] ^= 1
    source.write_bytes(content)
    broken, fine = listed(source)
    with pytest.raises(UnreadableFileError, match="damaged"):
        broken.open()
    assert content_of(fine) == PICTURE


def test_a_stored_member_does_not_reach_into_its_neighbour(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", zipfile.ZIP_STORED, short=b"x" * 5_000, other=b"y" * 9_000)
    content = source.read_bytes()
    place = content.rindex(b"short") - 46  # its row of the list: packed at 20, size at 24
    lied = content[: place + 24] + (8_000).to_bytes(4, "little") + content[place + 28 :]
    source.write_bytes(lied)
    with pytest.raises(UnreadableFileError, match="damaged"):
        listed(source)[0].open()


def test_a_server_that_dies_is_replaced(tmp_path: Path) -> None:
    found = listed(zipped(tmp_path / "a.zip", zipfile.ZIP_DEFLATED, one=PICTURE, two=LONG))
    assert content_of(found[0]) == PICTURE
    before = found[0].archive.server.process_id
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert content_of(found[1]) == LONG


def test_names_that_are_no_utf_8_are_listed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        member = tarfile.TarInfo("M\u00fcller.png")
        member.size = len(PICTURE)
        archive.addfile(member, io.BytesIO(PICTURE))
    [found] = listed(tmp_path / "a.tar")
    assert found.path == "M\ufffdller.png"
    assert content_of(found) == PICTURE


def test_an_archive_is_known_by_its_name_where_its_bytes_do_not_tell(tmp_path: Path) -> None:
    zipped(tmp_path / "plain.zip", zipfile.ZIP_STORED, one=PICTURE)
    prefixed = tmp_path / "prefixed.zip"
    prefixed.write_bytes(b"#!/bin/unzip\n" + (tmp_path / "plain.zip").read_bytes())
    assert [content_of(one) for one in listed(prefixed)] == [PICTURE]
    with tarfile.open(tmp_path / "new.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("one")
        member.size = len(PICTURE)
        archive.addfile(member, io.BytesIO(PICTURE))
    head = bytearray((tmp_path / "new.tar").read_bytes())
    head[257:265] = bytes(8)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    (tmp_path / "old.tar").write_bytes(head)
    assert [content_of(one) for one in listed(tmp_path / "old.tar")] == [PICTURE]
