"""The encoder that a project uses, changed by hand: rolled back, chosen, sent; with the password, audited."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from annotation.learning import services
from annotation.learning.models import Encoder, Promotion
from annotation.projects.models import Project
from audit.models import Event
from jobs.models import Job, Lane, State
from tests.annotation.api.pages.test_models import address, an_encoder, used
from tests.factories import a_project, typed


def test_one_click_rolls_back_and_is_audited(ml_staff: Client, project: Project) -> None:
    first, second = an_encoder(project, "First"), an_encoder(project, "Second")
    used(project, first)
    used(project, second)
    typed(ml_staff)
    answer = ml_staff.post(address(project, "rollback"), follow=True)
    assert "Back on First" in answer.content.decode()
    assert services.policy_for(project).encoder == first
    staff = User.objects.get(username="m.lind")
    event = Event.objects.get(action="encoder.rollback")
    assert (event.actor, event.remote_address) == (str(staff.pk), "127.0.0.1")
    assert {"refit", "embed"} <= set(Job.objects.values_list("name", flat=True))


def test_without_an_earlier_encoder_nothing_is_rolled_back(ml_staff: Client, project: Project) -> None:
    answer = typed(ml_staff).post(address(project, "rollback"), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert not Promotion.objects.exists()


def test_an_encoder_of_the_data_set_is_asked_for_and_another_s_does_not_exist(
    ml_staff: Client, project: Project
) -> None:
    own, other = an_encoder(project, "Own"), an_encoder(a_project(), "Other")
    assert typed(ml_staff).post(address(project, f"encoders/{own.pk}")).status_code == 302
    assert Job.objects.get(name="adopt_encoder").arguments["encoder_id"] == str(own.pk)
    assert ml_staff.post(address(project, f"encoders/{other.pk}")).status_code == 404


def test_uploaded_weights_are_stored_unread_and_a_worker_is_asked(ml_staff: Client, project: Project) -> None:
    sent = SimpleUploadedFile("../x.safetensors", b"not looked into here")
    form = {"name": "imagenet-resnet18", "weights": sent}
    early = ml_staff.post(address(project, "encoders"), form)
    assert (early.status_code, "Type your password first" in early.content.decode()) == (422, True)
    assert not Job.objects.exists()
    sent.seek(0)
    typed(ml_staff).post(address(project, "encoders"), form)
    job = Job.objects.get(name="add_encoder")
    assert job.arguments["stored"] == f"incoming/{job.arguments['digest']}.safetensors"
    assert Event.objects.filter(action="encoder.upload").count() == 1


def test_another_encoder_wants_the_password_first(ml_staff: Client, project: Project) -> None:
    first, second = an_encoder(project, "First"), an_encoder(project, "Second")
    used(project, first)
    used(project, second)
    failed = Job.objects.create(
        name="adopt_encoder",
        lane=Lane.TRAINING,
        scope_id=project.pk,
        state=State.FAILED,
        created_at=timezone.now(),
    )
    acts = (
        address(project, "rollback"),
        address(project, f"encoders/{first.pk}"),
        f"/jobs/{failed.pk}/retry",
    )
    for act in acts:
        assert ml_staff.post(act)["Location"].startswith("/confirm?next=%2F")
    assert services.policy_for(project).encoder == second
    assert not Job.objects.filter(name="adopt_encoder").exclude(pk=failed.pk).exists()
    typed(ml_staff).post(acts[-1])
    assert Job.objects.filter(name="adopt_encoder").count() == 2


def test_an_encoder_whose_weights_are_gone_is_refused_in_words(ml_staff: Client, project: Project) -> None:
    gone = an_encoder(project, "Gone")
    Encoder.objects.filter(pk=gone.pk).update(report={"method": "SimCLR"})
    answer = typed(ml_staff).post(address(project, f"encoders/{gone.pk}"), follow=True)
    assert "its weights were refused and are removed since" in answer.content.decode()


def test_a_pickle_cannot_be_uploaded(ml_staff: Client, project: Project) -> None:
    sent = SimpleUploadedFile("weights.pth", b"\x80\x04")
    answer = ml_staff.post(address(project, "encoders"), {"name": "imagenet-resnet18", "weights": sent})
    assert answer.status_code == 422
    assert "Only .safetensors files" in answer.content.decode()
    assert not Job.objects.exists()
