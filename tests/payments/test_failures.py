import pytest

from payments import failures
from payments.models import Payment

Status = Payment.Status


def reason(code: str, *, status: str = Status.FAILED) -> str | None:
    """Return the code that the customer of a payment with this failure code sees."""
    failure = failures.failure_of(Payment(status=status, failure_code=code))
    return failure.code if failure else None


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("insufficient_funds", "insufficient_funds"),
        ("expired_card", "expired_card"),
        ("card_expired", "expired_card"),
        ("3d_secure_failed", "authentication_failed"),
        ("payment_method_limit_exceeded", "limit_exceeded"),
        # Nobody learns that a card is reported stolen.
        ("fraud_suspected", "declined"),
        ("a_new_code", "declined"),
        ("", "declined"),
    ],
)
def test_customers_see_the_same_reason_whatever_the_gateway_calls_it(code, shown):
    assert reason(code) == shown


def test_every_other_word_leads_to_a_text():
    assert set(failures.SAME.values()) <= set(failures.WORDS)


def test_a_payment_that_did_not_fail_has_no_reason():
    assert reason("insufficient_funds", status=Status.PENDING) is None
