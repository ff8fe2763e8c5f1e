"""A new customer is greeted by one mail, in their language, by the API and by the page."""

import pytest
from django.core import mail
from django.test import Client

from accounts import registration
from events.models import Event

PASSWORD = "correct horse battery staple"


def test_a_new_customer_is_greeted_in_english(db):
    registration.register(username="<b>eve", email="eve@example.com", password=PASSWORD)
    [message] = mail.outbox
    assert message.subject == "Welcome to Acme Billing"
    assert message.body.split("\n-- \n")[0].splitlines() == [
        "Hello <b>eve,",
        "",
        "Your account is ready. You log in as <b>eve. Choose a plan to begin. You pay only for what you choose.",
        "",
        "See plans: http://127.0.0.1:8000/pricing/",
    ]
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert "<b>eve" not in html
    assert "You log in as &lt;b&gt;eve." in html
    assert not Event.objects.exists()


def test_a_new_customer_is_greeted_in_russian(db):
    registration.register(username="anna", email="anna@example.com", password=PASSWORD, language="ru")
    [message] = mail.outbox
    assert message.subject == "Acme Billing: добро пожаловать"
    assert "Учётная запись готова. Имя для входа: anna. Чтобы начать, выберите тариф." in message.body
    assert "http://127.0.0.1:8000/ru/pricing/" in message.body


@pytest.mark.parametrize(("verification", "subject"), [("none", "Welcome"), ("optional", "Confirm your email")])
def test_a_sign_up_on_the_page_is_greeted_once(db, settings, verification, subject):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    Client().post("/signup/", {"username": "anna", "email": "anna@example.com", "password1": PASSWORD})
    [message] = mail.outbox
    assert message.subject.startswith(subject)
    assert ("Welcome to " in message.body) is (verification != "none")
