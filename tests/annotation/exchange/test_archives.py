"""Archives are opened by throw-away children: what they give back, and what no archive can do to us."""

import io
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
