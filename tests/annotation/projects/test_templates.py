"""Ready-made protocols: each makes sense, names its standard, and can be answered."""

import re

import pytest

from annotation.projects.protocols import document_of, problems_of
from annotation.projects.questions import CHOSEN, Computed
from annotation.projects.templates import Template, UnknownTemplateError, template_called, templates

ALL = pytest.mark.parametrize("template", templates(), ids=[one.name for one in templates()])


def test_there_is_a_template_for_each_field() -> None:
    assert {one.name for one in templates()} == {
        "amd",
        "brain_tumour",
        "breast_birads",
        "cervical_lesion",
        "chest_xray",
        "colorectal_polyp",
        "diabetic_retinopathy",
        "glaucoma",
        "lung_nodule",
        "oesophageal_lesion",
    }


@ALL
def test_a_template_makes_sense(template: Template) -> None:
    assert problems_of(template.document) == []


@ALL
def test_a_template_names_its_standard_in_a_sentence(template: Template) -> None:
    assert template.standard.endswith(".")
    assert re.search(r"classification|scale|Study|BI-RADS|Society|terminology|CheXpert", template.standard)
    assert template.modalities


@ALL
def test_models_can_learn_the_first_question_with_choices(template: Template) -> None:
    first = next(one for one in document_of(template.document).questions if one.kind in CHOSEN)
    assert first.scope == "case"
    assert first.when is None


def test_glaucoma_computes_the_vertical_ratio_of_cup_to_disc() -> None:
    questions = document_of(template_called("glaucoma").document).questions
    [ratio] = [one for one in questions if isinstance(one, Computed)]
    assert ratio.formula.of == ["cup", "disc"]


def test_a_template_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(UnknownTemplateError, match="lung_nodule, oesophageal_lesion"):
        template_called("knee")
