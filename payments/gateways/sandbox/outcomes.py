"""The outcomes that a visitor can pick on the sandbox's page: one table for the page, the gateway and the tests."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from payments.gateways.sandbox.models import SandboxDispute, SandboxSession

Status = SandboxSession.Status
DisputeStatus = SandboxDispute.Status


class Delivery(StrEnum):
    """How the webhook is sent: once, twice, before the browser returns, after a newer one, or never."""

    ONCE = "once"
    TWICE = "twice"
    FIRST = "first"
    REORDERED = "reordered"
    NEVER = "never"


class RefundCourse(StrEnum):
    """What becomes of a refund of the payment: it is made at once, later, never, or without an answer."""

    AT_ONCE = "at_once"
    WAITS = "waits"
    FAILS = "fails"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One choice on the page: its title, the test card that stands for it, and its effect."""

    code: str
    title: str | Promise
    hint: str | Promise
    card: str = ""
    status: SandboxSession.Status = Status.SUCCEEDED
    failure_code: str = ""
    delivery: Delivery = Delivery.ONCE
    # The payment succeeds only after this time.
    delay: timedelta | None = None
    # Half of the amount is taken, or the amount in another currency.
    takes_half: bool = False
    takes_other_currency: bool = False
    # For this time neither the browser nor our server gets an answer.
    silence: timedelta | None = None
    refund: RefundCourse = RefundCourse.AT_ONCE
    # The customer disputes the payment soon after, and the dispute ends so, or stays open.
    dispute: SandboxDispute.Status | None = None


CHOICES = (
    Outcome(code="succeeds", title=_("Payment succeeds"), card="4242…4242", hint=_("The webhook arrives at once")),
    Outcome(
        code="succeeds_late",
        title=_("Succeeds after a delay"),
        card="4000…0077",
        hint=_("The payment and its webhook come after 20 s. Shows the waiting page"),
        status=Status.PROCESSING,
        delay=timedelta(seconds=20),
    ),
    Outcome(
        code="bank_asks",
        title=_("The bank asks to confirm"),
        card="4000…3220",
        hint=_("A second page asks for approval"),
        status=Status.REQUIRES_ACTION,
        delivery=Delivery.NEVER,
    ),
    Outcome(
        code="insufficient_funds",
        title=_("Declined: insufficient funds"),
        card="4000…9995",
        hint=_("You can try again with another card"),
        status=Status.FAILED,
        failure_code="insufficient_funds",
    ),
    Outcome(
        code="expired_card",
        title=_("Declined: card expired"),
        card="4000…0069",
        hint=_("You can try again with another card"),
        status=Status.FAILED,
        failure_code="expired_card",
    ),
)

FAULTS = (
    Outcome(
        code="webhook_twice",
        title=_("Webhook delivered twice"),
        hint=_("The balance must change only once"),
        delivery=Delivery.TWICE,
    ),
    Outcome(
        code="webhook_lost",
        title=_("Webhook lost"),
        hint=_("The payment page or the regular check finds the payment"),
        delivery=Delivery.NEVER,
    ),
    Outcome(
        code="webhook_first",
        title=_("Webhook before the browser returns"),
        hint=_("It arrives before this browser goes back"),
        delivery=Delivery.FIRST,
    ),
    Outcome(
        code="webhooks_reordered",
        title=_("Webhooks in the wrong order"),
        hint=_("A first card was declined, and that webhook comes last. The payment must stay paid"),
        delivery=Delivery.REORDERED,
    ),
    Outcome(
        code="wrong_amount",
        title=_("A different amount is taken"),
        hint=_("Half of it. Must be held for staff and never credited"),
        takes_half=True,
    ),
    Outcome(
        code="wrong_currency",
        title=_("A different currency is taken"),
        hint=_("Must be held for staff and never credited"),
        takes_other_currency=True,
    ),
    Outcome(
        code="times_out",
        title=_("Timeout after a successful payment"),
        hint=_("No answer for 20 s and no webhook. Must not be paid twice"),
        delivery=Delivery.NEVER,
        silence=timedelta(seconds=20),
    ),
    Outcome(
        code="expires_then_succeeds",
        title=_("Money comes after the page has expired"),
        hint=_("The page expires now, the money comes after 20 s. It must reach the balance"),
        status=Status.EXPIRED,
        delay=timedelta(seconds=20),
    ),
)

# The payment succeeds; what goes wrong comes after it.
AFTERWARDS = (
    Outcome(
        code="refund_waits",
        title=_("A refund waits"),
        hint=_("It is pending for a minute, then succeeds"),
        refund=RefundCourse.WAITS,
    ),
    Outcome(
        code="refund_fails",
        title=_("A refund fails later"),
        hint=_("It is pending for a minute, then fails. The money must come back to the balance"),
        refund=RefundCourse.FAILS,
    ),
    Outcome(
        code="refund_times_out",
        title=_("No answer to a refund"),
        hint=_("It is made, but nobody says so. Must not be made twice"),
        refund=RefundCourse.NO_ANSWER,
    ),
    Outcome(
        code="dispute_open",
        title=_("The payment is disputed"),
        hint=_("After 20 s. The dispute stays open until you decide it"),
        dispute=DisputeStatus.OPEN,
    ),
    Outcome(
        code="dispute_won",
        title=_("A dispute is won"),
        hint=_("Opened after 20 s and won a minute later. The money comes back"),
        dispute=DisputeStatus.WON,
    ),
    Outcome(
        code="dispute_lost",
        title=_("A dispute is lost"),
        hint=_("Opened after 20 s and lost a minute later"),
        dispute=DisputeStatus.LOST,
    ),
)

CANCEL = Outcome(code="cancel", title=_("Cancel and go back"), hint="", status=Status.CANCELLED)

# On a page that saves a card and takes no money.
SETUPS = (
    Outcome(code="succeeds", title=_("The card is saved"), card="4242…4242", hint=_("The webhook arrives at once")),
    Outcome(
        code="saved_late",
        title=_("The card is saved after a delay"),
        card="4000…0077",
        hint=_("The bank checks it for 20 s"),
        status=Status.PROCESSING,
        delay=timedelta(seconds=20),
    ),
    Outcome(
        code="webhook_lost",
        title=_("Webhook lost"),
        hint=_("The page that you return to or the regular check finds the card"),
        delivery=Delivery.NEVER,
    ),
    Outcome(
        code="declined",
        title=_("The bank refuses the card"),
        card="4000…0002",
        hint=_("Nothing is saved"),
        status=Status.FAILED,
        failure_code="card_declined",
    ),
)

# The bank's own page, after `bank_asks`.
APPROVE = Outcome(code="approve", title=_("Approve"), hint="")
REFUSE = Outcome(code="refuse", title=_("Refuse"), hint="", status=Status.FAILED, failure_code="authentication_failed")

# What the bank of a kept card answers to a charge. The tester picks it beforehand, on the page after the payment.
CHARGES = {
    outcome.code: outcome
    for outcome in (
        Outcome(code="succeeds", title=_("The next charges succeed"), hint=""),
        Outcome(
            code="insufficient_funds", title=_("Decline the next charges: insufficient funds"), hint="",
            status=Status.FAILED, failure_code="insufficient_funds",
        ),
        Outcome(
            code="stolen_card", title=_("Decline the next charges: stolen card"), hint="", status=Status.FAILED,
            failure_code="stolen_card",
        ),
        Outcome(
            code="bank_asks", title=_("The bank asks to confirm the next charges"), hint="",
            status=Status.REQUIRES_ACTION, delivery=Delivery.NEVER,
        ),
        Outcome(
            code="no_answer", title=_("The next charges succeed, but nobody says so for 20 s"), hint="",
            delivery=Delivery.NEVER, silence=timedelta(seconds=20),
        ),
    )
}  # fmt: skip

ON_THE_PAGE = {outcome.code: outcome for outcome in (*CHOICES, *FAULTS, *AFTERWARDS, CANCEL)}
ON_A_SETUP = {outcome.code: outcome for outcome in (*SETUPS, CANCEL)}
AT_THE_BANK = {outcome.code: outcome for outcome in (APPROVE, REFUSE)}


def refund_course(code: str) -> RefundCourse:
    """Return what becomes of refunds of a payment with this outcome."""
    outcome = ON_THE_PAGE.get(code)
    return outcome.refund if outcome else RefundCourse.AT_ONCE
