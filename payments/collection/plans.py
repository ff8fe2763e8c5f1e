"""The sweep of collections: looks at each wallet when its plan says so, or when its book has changed.

Nothing is polled: `check_at` is worked out from the book, and one statement finds the books that have changed since.
Any number of workers may run it at the same time (payments.sweeps).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from core.columns import run
from ledger.display import moment
from ledger.models import Account
from ledger.money import Money
from payments import sweeps
from payments.collection import attempts, causes, consents, decisions, states
from payments.collection.attempts import NotTried
from payments.collection.causes import Cause
from payments.collection.consents import Purpose
from payments.models import Collection, CollectionPlan, Consent, Payment
from subscriptions import overview, renewals
from subscriptions.models import BillingClock
from subscriptions.overview import View

Status = Collection.Status

# So many steps are taken for a wallet in one run, each after the one before: begin, charge, follow, look ahead.
MOST_STEPS = 12
# While an attempt is at its gateway, its payment is asked about by reconciliation; here only so often.
AT_THE_GATEWAY = timedelta(minutes=10)
# How long a customer's own payment that is on its way is waited for, before it is looked at again.
ON_ITS_WAY = timedelta(hours=1)

# A plan for each wallet of a customer who has agreed to something.
NEW = """
    INSERT INTO payments_collectionplan (wallet_id, customer_id, check_at, checks, failures, parked_reason)
    SELECT wallet.id, wallet.owner_id, %s, 0, 0, '' FROM ledger_account AS wallet
    WHERE wallet.kind = 'wallet'
      AND wallet.owner_id IN (SELECT customer_id FROM payments_consent WHERE withdrawn_at IS NULL)
      AND NOT EXISTS (SELECT FROM payments_collectionplan WHERE wallet_id = wallet.id)
    ON CONFLICT DO NOTHING
"""
CHANGED = """
    UPDATE payments_collectionplan AS plan SET check_at = %s
    FROM ledger_account AS wallet LEFT JOIN subscriptions_billingclock AS clock ON clock.wallet_id = wallet.id
    WHERE wallet.id = plan.wallet_id AND plan.parked_reason = '' AND (plan.check_at > %s OR plan.check_at IS NULL)
      AND (clock.settled_at, wallet.balance) IS DISTINCT FROM (plan.seen_settled_at, plan.seen_balance)
"""
# A method was removed: what has begun with it stops at once.
GONE = """
    UPDATE payments_collectionplan AS plan SET check_at = %s
    FROM payments_collection AS collection
    JOIN payments_consent AS consent ON consent.customer_id = collection.customer_id AND consent.withdrawn_at IS NULL
    JOIN payments_paymentmethod AS method ON method.id = consent.method_id AND method.removed_at IS NOT NULL
    WHERE collection.wallet_id = plan.wallet_id AND collection.status IN ('waiting', 'action_required')
      AND plan.parked_reason = '' AND plan.check_at > %s
"""


def check_due(*, now: datetime) -> int:
    """Look at every wallet that is due or has changed; return how many were looked at. Call it with no transaction."""
    mark_changed(now=now)
    return sweeps.sweep(_plans(), review, now=now, park=_park)


def mark_changed(*, now: datetime) -> None:
    """Make the plans due whose books or methods have changed since they were made, and make the new ones."""
    run(NEW, [now])
    run(CHANGED, [now, now])
    run(GONE, [now, now])


def look_again(wallet_ids: Iterable[int], *, now: datetime) -> int:
    """Have these wallets looked at in the next run, those too that were parked; return how many. For staff."""
    rows = CollectionPlan.objects.filter(pk__in=list(wallet_ids))
    return rows.update(check_at=now, failures=0, parked_reason="")


def review(plan: CollectionPlan, now: datetime) -> None:
    """Take the next steps for one wallet, and set when to look again."""
    for _turn in range(MOST_STEPS):
        wallet = Account.objects.get(pk=plan.wallet_id)
        settled_at = BillingClock.objects.filter(pk=wallet.pk).values_list("settled_at", flat=True).first()
        check_at = _step(plan, wallet, now=now)
        if check_at is None or check_at > now:
            break
    CollectionPlan.objects.filter(pk=plan.pk).update(
        check_at=check_at, seen_settled_at=settled_at, seen_balance=wallet.balance
    )


def _step(plan: CollectionPlan, wallet: Account, *, now: datetime) -> datetime | None:
    """Take one step for a wallet, and return when the next one is due."""
    paid_late = Collection.objects.filter(wallet=wallet, attempts__status=Payment.Status.CONFIRMED)
    for ended in paid_late.exclude(status=Status.COLLECTED):
        states.follow(ended.pk, now=now)
    collection = Collection.objects.filter(wallet=wallet, status__in=states.OPEN).first()
    if collection is not None:
        collection = states.follow(collection.pk, now=now)
    if collection is not None and collection.status in states.OPEN:
        return _go_on(plan, collection, now=now)
    return _look_ahead(plan, wallet, now=now)


def _look_ahead(plan: CollectionPlan, wallet: Account, *, now: datetime) -> datetime | None:
    """Begin to collect if a renewal is due; return when to look again, None if only a change makes that necessary."""
    assert wallet.owner is not None
    if consents.in_force(plan.customer_id, Purpose.RENEWALS) is None:
        decisions.record(plan, "no_consent", "Not charged: the customer has not agreed to it.", now=now)
        return None
    view = overview.peek(wallet.owner, wallet.currency, now=now)
    for cause in causes.renewal_causes(view, wallet.pk, now=now):
        about = _figures(view, cause)
        if cause.charge_at > now:
            line = f"Not yet: {about}. It is charged from {moment(cause.charge_at)} on."
            decisions.record(plan, "not_yet", line, now=now)
            return cause.charge_at
        collection = states.begin(plan, wallet.currency, cause, now=now)
        if collection is not None:
            decisions.record(plan, "begun", f"Begun: {about}.", now=now, collection=collection)
            return now
        before = Collection.objects.get(cause=cause.name)
        line = f"Not again: {about}, but {before} for it is {before.status} {before.reason}".strip()
        decisions.record(plan, "not_again", f"{line}.", now=now, collection=before)
    decisions.record(plan, "nothing_missing", "Not charged: the balance pays the renewals ahead.", now=now)
    return None


def _figures(view: View, cause: Cause) -> str:
    """Return what a decision about a renewal rests on, in words."""
    missing = Money(renewals.missing(view, cause.subscriptions, at=cause.due_at), view.currency)
    balance = Money(view.available, view.currency)
    return f"the renewal at {moment(cause.due_at)} lacks {missing}, the balance is {balance}"


def _go_on(plan: CollectionPlan, collection: Collection, *, now: datetime) -> datetime:
    """Take the next step with an open collection and return when to look again."""
    view = overview.peek(collection.customer, collection.currency, now=now)
    missing = causes.missing(view, collection)
    consent = consents.in_force(plan.customer_id, Purpose.RENEWALS)
    if collection.status != Status.WAITING:
        return _at_the_gateway(plan, collection, is_wanted=bool(missing) and _is_standing(consent), now=now)
    if consent is None or consent.method.removed_at is not None:
        code = "consent_withdrawn" if consent is None else "method_removed"
        return _end(plan, collection, Status.STOPPED, code, now=now)
    if not missing:
        return _end(plan, collection, Status.COVERED, "covered", now=now)
    assert collection.next_at is not None
    if collection.next_at > now and consent.given_at <= collection.updated_at:
        return collection.next_at
    result = attempts.begin(collection.pk, now=now)
    if isinstance(result, NotTried):
        return _not_tried(plan, collection, result, now=now)
    line = f"Charged {result.money} to {consent.method}: so much was missing."
    decisions.record(plan, "charged", line, now=now, collection=collection)
    attempts.send(result, now=now)
    collection = states.follow(collection.pk, now=now)
    _record_outcome(plan, collection, now=now)
    return now


def _at_the_gateway(plan: CollectionPlan, collection: Collection, *, is_wanted: bool, now: datetime) -> datetime:
    """Let an attempt go on, or cancel one that waits for the customer and is not wanted any more."""
    if is_wanted or collection.status != Status.ACTION_REQUIRED:
        _record_outcome(plan, collection, now=now)
        return now + AT_THE_GATEWAY
    attempt = collection.attempts.order_by("-id").first()
    assert attempt is not None
    if attempts.cancel(attempt, now=now).status != Payment.Status.CANCELLED:
        return now + AT_THE_GATEWAY
    consent = consents.in_force(plan.customer_id, Purpose.RENEWALS)
    if _is_standing(consent):
        return _end(plan, collection, Status.COVERED, "covered", now=now)
    code = "consent_withdrawn" if consent is None else "method_removed"
    return _end(plan, collection, Status.STOPPED, code, now=now)


def _is_standing(consent: Consent | None) -> bool:
    return consent is not None and consent.method.removed_at is None


def _not_tried(plan: CollectionPlan, collection: Collection, why: NotTried, *, now: datetime) -> datetime:
    """Do what follows from an attempt that was due and not made."""
    lacking = f" {Money(why.missing, collection.currency)} is missing." if why.missing else ""
    decisions.record(plan, why.code, f"Not tried: {why.code}.{lacking}", now=now, collection=collection)
    match why.code:
        case "covered":
            return _end(plan, collection, Status.COVERED, why.code, now=now)
        case "consent_withdrawn" | "method_removed":
            return _end(plan, collection, Status.STOPPED, why.code, now=now)
        case "payment_in_progress" | "not_waiting":
            return now + ON_ITS_WAY
    states.postpone(collection.pk, why.code, now=now)
    return now


def _end(plan: CollectionPlan, collection: Collection, to: Collection.Status, code: str, *, now: datetime) -> datetime:
    states.end(collection.pk, to, code, now=now)
    decisions.record(plan, to.value, f"Ended: {to.value}, {code}.", now=now, collection=collection)
    return now


def _record_outcome(plan: CollectionPlan, collection: Collection, *, now: datetime) -> None:
    """Write down what has become of an attempt."""
    following = f" Next on {moment(collection.next_at)}." if collection.next_at else ""
    reason = f", {collection.reason}" if collection.reason else ""
    line = f"The attempt is {collection.status}{reason}; {collection.declines} declined so far.{following}"
    decisions.record(plan, collection.status, line, now=now, collection=collection)


def _plans() -> QuerySet[CollectionPlan]:
    return CollectionPlan.objects.filter(check_at__isnull=False, parked_reason="")


def _park(plan: CollectionPlan, reason: str, _at: datetime) -> None:
    """Stop looking at a wallet until staff have seen why."""
    CollectionPlan.objects.filter(pk=plan.pk).update(parked_reason=reason, check_at=None)
