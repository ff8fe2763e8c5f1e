"""What staff do is recorded once, and never edited."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import translation
from psycopg.errors import CheckViolation

from core.rehearsal import Change
from events import act_titles, staff_acts
from events.models import StaffAct
from events.staff_acts import Author

pytestmark = pytest.mark.django_db


def act(staff, alice, key="", kind="user.block"):
    author = Author(staff, "192.0.2.1")
    changes = [Change("Status", "active", "blocked"), Change("Balance", "0", "0")]
    return staff_acts.record(kind, [alice], author=author, key=key, customer=alice, changes=changes)


def test_an_act_has_what_changed_and_the_rows_that_it_is_about(staff, alice):
    done = act(staff, alice)
    assert (done.changes, done.objects_touched) == ([["Status", "active", "blocked"]], [f"accounts.user:{alice.pk}"])
    assert list(staff_acts.of(alice)) == [done]
    assert list(staff_acts.of(staff)) == []


def test_its_row_is_named_in_english_whoever_acts(staff, alice):
    first = act(staff, alice)
    with translation.override("ru"):
        assert str(first) == "Заблокировать: alice"
        done = staff_acts.record("user.block", [first], author=Author(staff, "192.0.2.1"))
    assert done.subject == "Block: alice"


def test_the_same_key_is_one_act(staff, alice):
    act(staff, alice, "form_1")
    with pytest.raises(IntegrityError), transaction.atomic():
        act(staff, alice, "form_1")
    assert staff_acts.find("form_1") == StaffAct.objects.get()


def test_reading_changes_nothing_that_others_decide_by(staff, alice):
    changed = act(staff, alice)
    act(staff, alice, kind="view.account")
    assert staff_acts.last([alice], alice) == changed


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("staff_act_is_never_edited", "UPDATE events_staffact SET reason = 'x'"),
        ("staff_act_is_never_deleted", "DELETE FROM events_staffact"),
        ("staff_acts_are_never_truncated", "TRUNCATE events_staffact CASCADE"),
    ],
)
def test_the_database_refuses_to_change_acts(staff, alice, rule, statement):
    act(staff, alice)
    with connection.cursor() as sql:
        sql.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only") as refusal, transaction.atomic():
            sql.execute(statement)
    assert isinstance(refusal.value.__cause__, CheckViolation)
    assert refusal.value.__cause__.diag.constraint_name == rule


def test_the_list_of_acts_and_the_page_of_one_are_read_only(client: Client, superuser, staff, alice):
    done = act(staff, alice)
    client.force_login(superuser)
    assert "Block" in client.get("/admin/events/staffact/?q=alice").content.decode()
    page = client.get(f"/admin/events/staffact/{done.pk}/change/").content.decode()
    assert "<strong>blocked</strong>" in page
    assert 'type="submit"' not in page.split("<main")[1]
    assert client.get("/admin/events/staffact/?done=read").context["cl"].result_count == 0


def test_a_title_is_in_the_language_of_who_reads_it(client: Client, superuser, staff, alice):
    with translation.override("ru"):
        done = act(staff, alice)
    assert done.title == "Block"
    superuser.language = "ru"
    superuser.save()
    client.force_login(superuser)
    for page in ("events/staffact/", f"events/staffact/{done.pk}/change/", f"customers/{alice.pk}/",
                 f"accounts/user/{alice.pk}/change/"):  # fmt: skip
        assert "Заблокировать" in client.get(f"/admin/{page}").content.decode()
    with translation.override("en"):
        assert str(done) == "Block: alice"


def test_an_old_act_of_a_kind_that_no_code_names_keeps_its_title(client: Client, superuser, staff, alice):
    now = StaffAct(kind="plan.move", title="Перемещён")
    assert now.shown_title == "Перемещён"
    assert act_titles.title_of("plan.move") == "plan.move"
    assert act_titles.title_of("group.add", "Добавлено") == "Added"


def test_each_kind_has_one_title():
    with pytest.raises(ValueError, match=r"The acts of the kind user\.block have the titles Block and Other\."):
        act_titles.register("user.block", "Other")
