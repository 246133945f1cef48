"""Which case of a project a file speaks of: by UID (stored or original), by file, by study or patient."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from annotation.exchange.labels.statements import Target
from annotation.projects.models import Project
from annotation.studies.door.pseudonyms import new_uid
from annotation.studies.keys import dataset_key, pseudonym_of
from annotation.studies.models import ImportedFile, Instance

UID: Final = re.compile(r"[0-9]+(\.[0-9]+){4,}")


class UnmatchedError(Exception):
    """No case of the project, or more than one, is meant; the message says what to do."""


class Cases:
    """A project's cases by everything that a file may call them."""

    def __init__(self, project: Project) -> None:
        self._key = dataset_key(project.dataset_id)
        self._images: dict[str, set[UUID]] = defaultdict(set)
        self._series: dict[str, set[UUID]] = defaultdict(set)
        self._studies: dict[str, set[UUID]] = defaultdict(set)
        self._patients: dict[str, set[UUID]] = defaultdict(set)
        self._paths: dict[str, set[tuple[UUID, str]]] = defaultdict(set)
        self._whole_paths: dict[str, set[tuple[UUID, str]]] = defaultdict(set)
        self._sizes: dict[UUID, set[str]] = defaultdict(set)
        self.numbers: dict[UUID, int] = dict(project.cases.values_list("pk", "number"))
        self._by_number = {str(number): key for key, number in self.numbers.items()}
        self._read(project)

    def _read(self, project: Project) -> None:
        rows = Instance.objects.filter(series__cases__project=project).values_list(
            "series__cases__pk",
            "sop_instance_uid",
            "series__series_instance_uid",
            "series__study__study_instance_uid",
            "series__study__patient__pseudonym",
            "series__cases__project",
        )
        for case, image, series, study, patient, owner in rows.iterator():
            if owner == project.pk:
                self._images[image].add(case)
                self._series[series].add(case)
                self._studies[study].add(case)
                self._patients[patient].add(case)
                self._sizes[case].add(image)
        arrivals = ImportedFile.objects.filter(instance__series__cases__project=project)
        for path, image in arrivals.values_list("path", "instance__sop_instance_uid").distinct().iterator():
            for case in self._images.get(image, ()):
                for name in endings_of(path):
                    self._paths[name].add((case, image))
                for name in whole_names(path):
                    self._whole_paths[name].add((case, image))

    def found(self, target: Target) -> tuple[UUID, str]:
        """Find the case that is meant, and the image in it; "" where the whole case is.

        raises: UnmatchedError.
        """
        if target.image:
            uid = self.uid(target.image)
            return self._one(self._images.get(uid), "image with this SOP Instance UID"), uid
        if target.series:
            return self._whole(self._series.get(self.series_uid(target.series)), "series with this UID")
        if target.paths:
            return self._by_path(target.paths)
        if target.study:
            return self._whole(self._studies.get(self.study_uid(target.study)), "study with this UID")
        if target.patient:
            known = self._patients.get(target.patient) or self._patients.get(
                pseudonym_of(self._key, target.patient)
            )
            return self._whole(known, "patient with this identifier")
        if target.case:
            case = self._by_number.get(target.case)
            return self._whole({case} if case else None, f"case {target.case[:20]}")
        raise UnmatchedError("it does not say which image it is about: give a path or a UID")

    def uid(self, given: str) -> str:
        """Give the stored UID of an image: the one given, or what de-identification made of it."""
        return given if given in self._images else new_uid(self._key, given)

    def series_uid(self, given: str) -> str:
        """Give the stored UID of a series."""
        return given if given in self._series else new_uid(self._key, given)

    def study_uid(self, given: str) -> str:
        """Give the stored UID of a study."""
        return given if given in self._studies else new_uid(self._key, given)

    def _by_path(self, paths: Iterable[str]) -> tuple[UUID, str]:
        for path in paths:
            stem = stem_of(PurePosixPath(path.replace("\\", "/")).name)
            if UID.fullmatch(stem) and self.uid(stem) in self._images:
                uid = self.uid(stem)
                return self._one(self._images[uid], "image"), uid
            for index, names in ((self._paths, whole_names(path)), (self._whole_paths, endings_of(path))):
                for name in names:
                    if hits := index.get(name):
                        return self._hit(hits, name)
        raise UnmatchedError(
            "no stored file has this name: import the image first, or name it as it was sent"
        )

    def _hit(self, hits: set[tuple[UUID, str]], name: str) -> tuple[UUID, str]:
        cases = {case for case, _ in hits}
        if len(cases) > 1:
            raise UnmatchedError(f"{len(cases)} cases have a file {name}: give more of its path, or a UID")
        case = next(iter(cases))
        images = {image for _, image in hits}
        return case, images.pop() if len(images) == 1 else ""

    def _one(self, found: set[UUID] | None, what: str) -> UUID:
        if not found:
            raise UnmatchedError(f"the project has no {what}: import the image first")
        if len(found) > 1:
            raise UnmatchedError(f"{len(found)} cases have this {what}: give the UID of the image or series")
        return next(iter(found))

    def _whole(self, found: set[UUID] | None, what: str) -> tuple[UUID, str]:
        case = self._one(found, what)
        images = self._sizes[case]
        return case, next(iter(images)) if len(images) == 1 else ""


def whole_names(path: str) -> list[str]:
    """Give a path as it is, and without its ending; in small letters."""
    return named(parts_of(path))


def endings_of(path: str) -> list[str]:
    """List what a path ends in, the longest first: a file is found with fewer folders in front of it."""
    parts = parts_of(path)
    return [name for place in range(len(parts)) for name in named(parts[place:])]


def parts_of(path: str) -> list[str]:
    """Cut a path into its folders and its name."""
    return [part for part in path.replace("\\", "/").lower().split("/") if part not in ("", ".")]


def named(parts: list[str]) -> list[str]:
    """Write folders and a name, with the name's ending and without."""
    if not parts:
        return []
    return list(dict.fromkeys(["/".join(parts), "/".join([*parts[:-1], stem_of(parts[-1])])]))


def stem_of(name: str) -> str:
    """Give a file's name without its ending; .nii.gz is one, and so is no part of a UID."""
    lower = name.lower().removesuffix(".gz")
    for ending in (".nii", ".png", ".jpg", ".jpeg", ".dcm", ".xml", ".tif", ".tiff", ".nrrd", ".mha", ".txt"):
        if lower.endswith(ending):
            return lower.removesuffix(ending)
    return lower
