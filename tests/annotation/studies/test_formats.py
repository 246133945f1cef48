"""What a file is called is chosen by its first bytes."""

import gzip

import pytest

from annotation.studies.door.formats import suffix_of
from tests import phantoms
from tests.annotation.studies.test_volumes import a_nifti

HEADS = {
    ".dcm": [phantoms.dicom(phantoms.a_slice(1)), b"\x08\x00\x05\x00CS", b"\x02\x00\x00\x00UL"],
    ".png": [phantoms.png(phantoms.chest(1))],
    ".jpg": [b"\xff\xd8\xff\xe0\x00\x10JFIF"],
    ".tif": [b"II*\x00\x08", b"MM\x00*\x00"],
    ".nii": [a_nifti((4, 4, 2))],
    ".nii.gz": [gzip.compress(a_nifti((4, 4, 2)))],
    ".nrrd": [b"NRRD0004\n"],
    ".mha": [b"ObjectType = Image\n"],
    ".gz": [gzip.compress(gzip.compress(b"something else")), b"\x1f\x8b damaged"],
    ".bin": [b"", b"something else", bytes(140)],
}


@pytest.mark.parametrize("suffix", HEADS)
def test_a_suffix_is_chosen_by_the_first_bytes(suffix: str) -> None:
    assert [suffix_of(head) for head in HEADS[suffix]] == [suffix] * len(HEADS[suffix])
