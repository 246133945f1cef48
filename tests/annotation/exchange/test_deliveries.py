"""What a zip may do, and what its table may say."""

import io
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from annotation.exchange import archives, deliveries
from annotation.exchange.archives import DeliveryError
from annotation.exchange.deliveries import open_source
from annotation.exchange.tables import read_table
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, a_zip, outcomes, write

PICTURE = phantoms.png(phantoms.chest())


def test_a_zip_is_imported_like_a_folder(deliver: Deliver, folder: Path, tmp_path: Path) -> None:
    members = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    _, packed = deliver(a_zip(tmp_path / "d.zip", members))
    _, plain = deliver(folder)
    assert (packed.stored, packed.quarantined) == (7, 2)
    assert (plain.stored, plain.duplicate, plain.quarantined) == (0, 7, 2)


def test_a_table_inside_the_only_folder_is_found(tmp_path: Path) -> None:
    source = a_zip(
        tmp_path / "d.zip",
        {"top/labels.csv": b"path,label\na.png,x\n", "top/a.png": PICTURE, "__MACOSX/._a": b"x"},
    )
    delivery = open_source(source)
    assert delivery.base == "top/"
    assert read_table(delivery.table).row("a.png").label == "x"
    assert [one.path for one in delivery.files] == ["__MACOSX/._a", "top/a.png"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.png", "C:\\x\\..\\y.png", "a\x01.png"]
)
def test_a_path_that_leaves_the_delivery_is_counted_and_not_used(
    deliver: Deliver, tmp_path: Path, name: str
) -> None:
    delivery, report = deliver(a_zip(tmp_path / "d.zip", {"ok.png": PICTURE, name: PICTURE}))
    assert (report.stored, report.quarantined) == (1, 1)
    assert outcomes(delivery)["member 1"] == ("quarantined", "its path leaves the delivery or is no path")


def test_links_nested_zips_and_locked_members_are_counted(deliver: Deliver, tmp_path: Path) -> None:
    source = a_zip(tmp_path / "d.zip", {"ok.png": PICTURE, "more.zip": b"PK\x03\x04"})
    with zipfile.ZipFile(source, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    delivery, report = deliver(source)
    assert (report.stored, report.quarantined) == (1, 2)
    assert outcomes(delivery)["link.png"][1].startswith("a link")
    assert outcomes(delivery)["more.zip"][1].startswith("a zip inside a zip")


def test_two_members_of_one_path_are_both_counted(deliver: Deliver, tmp_path: Path) -> None:
    source = a_zip(tmp_path / "d.zip", {"a.png": PICTURE})
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(source, "a") as archive:
        archive.writestr("a.png", phantoms.png(phantoms.chest(1)))
    delivery, report = deliver(source)
    assert report.total == 2
    assert outcomes(delivery)["member 1"] == ("quarantined", "a second member of the same path")


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(deliver: Deliver, tmp_path: Path) -> None:
    source = tmp_path / "d.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", PICTURE)
        archive.writestr("b.png", bytes(100_000))
    content = bytearray(source.read_bytes())
    place = content.rindex(b"PK\x01\x02") + 24
    content[place : place + 4] = (10).to_bytes(4, "little")
    source.write_bytes(content)
    delivery, report = deliver(source)
    assert (report.stored, report.quarantined) == (1, 1)
    assert outcomes(delivery)["b.png"][0] == "quarantined"


def test_a_zip_with_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MAX_MEMBERS", 3)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    source = a_zip(tmp_path / "d.zip", {f"{number}.png": b"" for number in range(4)})
    with pytest.raises(DeliveryError, match="3 files"):
        open_source(source)


def test_an_empty_zip_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="no file in it"):
        open_source(a_zip(tmp_path / "d.zip", {}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"label\nx\n", "no column named path"),
        (b"path,label,split\na.png,x,maybe\n", "row 2: split is none of"),
        (b"path,label\n,x\n", "row 2: path is empty"),
        (b"path,label\n\xff\xfe,x\n", "not UTF-8"),
        (b'path,label\na.png,"' + b"x" * 140_000 + b'"\n', "damaged"),
        (b"path,label\n" + b"y" * 5000 + b",x\n", "row 2: a value is too long"),
    ],
)
def test_a_table_s_mistake_is_named_by_row_and_rule(tmp_path: Path, content: bytes, message: str) -> None:
    write(tmp_path, "d/labels.csv", content)
    write(tmp_path, "d/a.png", PICTURE)
    with pytest.raises(DeliveryError, match=message):
        read_table(open_source(tmp_path / "d").table)


def test_a_patient_with_one_held_out_file_is_held_out_wholly(tmp_path: Path) -> None:
    write(
        tmp_path,
        "d/labels.csv",
        b"path,label,patient_id,split\na.png,x,p,train\nb.png,y,p,test\nc.png,y,q,train\n",
    )
    write(tmp_path, "d/a.png", PICTURE)
    table = read_table(open_source(tmp_path / "d").table)
    assert [table.row(name).split for name in ("a.png", "b.png", "c.png")] == ["test", "test", "train"]
    assert table.choices == [("x", "X"), ("y", "Y")]


def test_a_patient_in_validation_and_test_is_in_the_test(tmp_path: Path) -> None:
    for number, order in enumerate((("val", "test"), ("test", "val"))):
        lines = "".join(f"{place}.png,x,p,{split}\n" for place, split in enumerate(order))
        write(tmp_path, f"{number}/labels.csv", f"path,label,patient_id,split\n{lines}".encode())
        write(tmp_path, f"{number}/a.png", PICTURE)
        table = read_table(open_source(tmp_path / str(number)).table)
        assert [table.row(name).split for name in ("0.png", "1.png")] == ["test", "test"]


def a_tar(target: Path, members: dict[str, bytes], mode: Any = "w") -> Path:
    with tarfile.open(target, mode) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target


@pytest.mark.parametrize(("name", "mode"), [("d.tar", "w"), ("d.tar.gz", "w:gz"), ("d.tar.xz", "w:xz")])
def test_a_tar_is_imported_like_a_folder(
    deliver: Deliver, folder: Path, tmp_path: Path, name: str, mode: str
) -> None:
    members = {f"./{one.relative_to(folder)}": one.read_bytes() for one in folder.rglob("*") if one.is_file()}
    delivery, packed = deliver(a_tar(tmp_path / name, members, mode))
    _, plain = deliver(folder)
    assert (packed.stored, packed.quarantined) == (7, 2)
    assert (plain.stored, plain.duplicate, plain.quarantined) == (0, 7, 2)
    assert "ct/1.dcm" in outcomes(delivery)


def test_a_tar_s_links_and_paths_are_counted(deliver: Deliver, tmp_path: Path) -> None:
    source = a_tar(tmp_path / "d.tar", {"ok.png": PICTURE, "../out.png": PICTURE, "in.tar.gz": b"x"})
    with tarfile.open(source, "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            link = tarfile.TarInfo(f"link-{kind.decode()}")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
    delivery, report = deliver(source)
    assert (report.stored, report.quarantined) == (1, 5)
    found = outcomes(delivery)
    assert found["member 1"][1] == "its path leaves the delivery or is no path"
    assert found["link-2"][1] == found["link-1"][1] == "a link: links are not followed"
    assert found["in.tar.gz"][1].startswith("an archive inside an archive")


def test_a_broken_tar_is_refused_in_words(tmp_path: Path) -> None:
    whole = a_tar(tmp_path / "d.tar.gz", {"a.png": PICTURE * 50}, "w:gz").read_bytes()
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DeliveryError, match="damaged"):
        open_source(broken)


def test_a_metaimage_in_two_files_is_one(deliver: Deliver, tmp_path: Path) -> None:
    source = tmp_path / "two"
    source.mkdir()
    values = np.random.default_rng(4).integers(0, 900, (3, 4, 5)).astype(np.int16)
    for name, packed in (("a", False), ("b", True)):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values + len(name)), source / f"{name}.mhd", packed)
    (source / "lost.mhd").write_bytes((source / "a.mhd").read_bytes().replace(b"a.raw", b"lost.raw"))
    delivery, report = deliver(source)
    found = outcomes(delivery)
    assert sorted(found) == ["a.mhd", "b.mhd", "lost.mhd"]
    assert (report.stored, report.quarantined) == (2, 1)
    assert "voxels are missing" in found["lost.mhd"][1]


def test_the_odd_volumes_of_a_real_delivery_are_reported(
    deliver: Deliver, real_data: Path, tmp_path: Path
) -> None:
    source, real = tmp_path / "hippocampus", real_data / "hippocampus_mr"
    shutil.copytree(real / "odd", source / "odd")
    (source / "labels.csv").write_bytes((real / "labels.csv").read_bytes())
    for folder in ("images", "labels"):
        (source / folder).mkdir()
        for path in sorted((real / folder).iterdir())[:2]:
            shutil.copy(path, source / folder)
    delivery, report = deliver(source, modality="MR")
    found = outcomes(delivery)
    assert (report.stored, report.quarantined) == (3, 4)
    assert found["images/hippocampus_004.nii.gz"] == ("stored", "")
    outcome, reason = found["odd/image_hippocampus_118.nii.gz"]
    assert (outcome, reason.startswith("labels.csv has no row of it")) == ("stored", True)
    for name in ("odd/label_hippocampus_010.nii.gz", "odd/label_hippocampus_281.nii.gz"):
        assert found[name][0] == "quarantined"
        assert found[name][1].startswith("the volume looks like a mask (values 0, 1")
