"""Series of a batch are found in a time that does not grow with the data set."""

import pytest

from annotation.studies import hierarchy
from annotation.studies.hierarchy import series_named
from annotation.studies.models import Series
from tests import factories

pytestmark = pytest.mark.django_db


def test_series_are_found_by_the_index_of_their_uids() -> None:
    plan = series_named(["1.2.3", "1.2.4"]).explain()
    assert "USING INDEX series_by_uid (series_instance_uid=?)" in plan
    assert "SCAN" not in plan


def test_the_same_uid_of_another_data_set_is_another_series() -> None:
    here, there = factories.a_project().dataset, factories.a_project().dataset
    [one], [other] = factories.some_series(here), factories.some_series(there)
    Series.objects.filter(pk=other.pk).update(series_instance_uid=one.series_instance_uid)
    found = hierarchy._series_there(here, [one.series_instance_uid])
    assert found == {one.series_instance_uid: one}
