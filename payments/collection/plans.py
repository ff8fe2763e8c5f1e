"""The sweep of collections: looks at each wallet when its plan says so, or when its book has changed.

Nothing is polled: `check_at` is worked out from the book, and one statement finds the books that have changed since.
Any number of workers may run it at the same time (payments.sweeps).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from core import retry
from core.columns import run
from ledger.display import moment
from ledger.models import Account
from ledger.money import Money
from payments import amounts, sweeps
from payments.collection import attempts, causes, consents, decisions, states, top_ups
from payments.collection.attempts import NotTried
from payments.collection.causes import Cause
from payments.collection.consents import Purpose
from payments.gateways import guard
from payments.models import AutoTopUp, Collection, CollectionPlan, Consent, Payment
from subscriptions import overview, renewals
from subscriptions.models import BillingClock
from subscriptions.overview import View

Status = Collection.Status

# So many steps are taken for a wallet in one run, each after the one before: begin, charge, follow, look ahead.
MOST_STEPS, RESTLESS = 12, timedelta(minutes=1)
# One run looks at so many batches of wallets: with meters, thousands of books change each hour.
MOST_BATCHES = 50
# While an attempt is at its gateway, its payment is asked about by reconciliation; here only so often.
AT_THE_GATEWAY = timedelta(minutes=10)
# How long a customer's own payment that is on its way is waited for, before it is looked at again.
ON_ITS_WAY = timedelta(hours=1)
# How long a wallet waits whose gateway is not asked because its breaker is open.
UNASKED = timedelta(minutes=1)

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
# A method was removed: what has begun with it stops at once. From what is open, which is little, to its methods: there
# is an index for each step.
GONE = """
    WITH open AS MATERIALIZED (
        SELECT wallet_id, customer_id FROM payments_collection WHERE status IN ('waiting', 'action_required')
    ), gone AS MATERIALIZED (
        SELECT open.wallet_id FROM open
        JOIN payments_consent AS consent ON consent.customer_id = open.customer_id AND consent.withdrawn_at IS NULL
        JOIN payments_paymentmethod AS method ON method.id = consent.method_id AND method.removed_at IS NOT NULL
    )
    UPDATE payments_collectionplan AS plan SET check_at = %s FROM gone
    WHERE gone.wallet_id = plan.wallet_id AND plan.parked_reason = '' AND plan.check_at > %s
"""


def check_due(*, now: datetime, goes_on: Callable[[], bool] = sweeps.always) -> int:
    """Look at every wallet that is due or has changed; return how many were looked at. Call it with no transaction."""
    mark_changed(now=now)
    total = 0
    for _batch in range(MOST_BATCHES):
        total += (looked := sweeps.sweep(_plans(), review, now=now, park=_park, goes_on=goes_on))
        if looked < sweeps.BATCH:
            break
    return total


@retry.retried
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
        claimed = CollectionPlan.objects.values_list("check_at", flat=True).get(pk=plan.pk)
        wallet = Account.objects.get(pk=plan.wallet_id)
        settled_at = BillingClock.objects.filter(pk=wallet.pk).values_list("settled_at", flat=True).first()
        check_at = _step(plan, wallet, now=now)
        if check_at is None or check_at > now:
            break
    else:
        # Whatever it is, it does not come to rest: the other wallets go on.
        check_at = now + RESTLESS
    rows = CollectionPlan.objects.filter(pk=plan.pk)
    rows.update(seen_settled_at=settled_at, seen_balance=wallet.balance)
    # Who was woken since the last step, by a consent for example, is looked at again.
    rows.filter(check_at=claimed).update(check_at=check_at)


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
    """Begin to collect if something is due; return when to look again, None if only a change makes that necessary."""
    assert wallet.owner is not None
    renews = consents.in_force(plan.customer_id, Purpose.RENEWALS) is not None
    rule = top_ups.rule_of(plan.customer_id, wallet.currency)
    if not renews and rule is None:
        decisions.record(plan, "no_consent", "Not charged: the customer has not agreed to it.", now=now)
        return None
    view = overview.peek(wallet.owner, wallet.currency, now=now)
    found = list(causes.renewal_causes(view, wallet.pk, now=now)) if renews else []
    if rule is not None and (topping_up := top_ups.cause(view, rule)):
        found.append(topping_up)
    later: list[datetime] = []
    for cause in sorted(found, key=lambda each: each.charge_at):
        if cause.charge_at > now:
            when = f"It is charged from {moment(cause.charge_at)} on."
            gist = when if cause.rule is not None else ""
            decisions.record(plan, "not_yet", f"Not yet: {_figures(view, cause)}. {when}", now=now, gist=gist)
            return min([cause.charge_at, *later])
        if not _missing(view, cause):
            # The next look finds it again, but nothing can be charged now: never begin in a circle.
            later.append(now + ON_ITS_WAY)
        elif cause.rule is not None and (reason := _hindrance(plan, cause.rule, view, now=now)):
            later += _after(reason, now=now)
        elif begun := _begin(plan, view, cause, now=now):
            return begun
    if not found:
        decisions.record(plan, "nothing_missing", "Not charged: the balance is enough for what is ahead.", now=now)
    return min(later, default=None)


def _begin(plan: CollectionPlan, view: View, cause: Cause, *, now: datetime) -> datetime | None:
    """Begin to collect for a cause that is due, and return `now`; None if it may not begin again."""
    collection = states.begin(plan, view.currency, cause, now=now)
    if collection is not None:
        decisions.record(plan, "begun", f"Begun: {_figures(view, cause)}.", now=now, collection=collection)
        return now
    before = Collection.objects.get(cause=cause.name)
    line = f"Not again: {_figures(view, cause)}, but {before} for it is {before.status} {before.reason}".strip()
    decisions.record(plan, "not_again", f"{line}.", now=now, collection=before)
    return None


def _missing(view: View, cause: Cause) -> int:
    """Return what a cause would charge now, in minor units."""
    if cause.rule is not None:
        return top_ups.missing(view, cause.rule)
    return renewals.missing(view, cause.subscriptions, at=cause.due_at)


def _hindrance(plan: CollectionPlan, rule: AutoTopUp, view: View, *, now: datetime) -> str:
    """Return why a rule may not charge now, and do what follows from that; "" if it may."""
    missing = top_ups.missing(view, rule)
    amount = amounts.chargeable(missing, rule.currency, rule.consent.method.gateway) or missing
    reason = consents.obstacle(rule.consent.method, now=now) or top_ups.hindrance(rule, amount, now=now)
    if reason:
        lacking, cap = Money(amount, rule.currency), Money(rule.monthly_cap, rule.currency)
        line = f"Not tried: {reason}. {lacking} was to be charged; the monthly cap is {cap}."
        decisions.record(plan, reason, line, now=now)
        _hold(rule, reason, now=now)
    return reason


def _hold(rule: AutoTopUp, reason: str, *, now: datetime) -> None:
    """Note that the cap stands in the way, or stop the rule for a reason that does not pass."""
    if reason == "monthly_cap":
        top_ups.note_cap(rule, now=now)
    elif reason not in top_ups.PASSING:
        top_ups.stop(rule, reason, now=now)


def _after(reason: str, *, now: datetime) -> list[datetime]:
    """Return when to look at a hindered rule again; nothing if it was stopped."""
    match reason:
        case "monthly_cap":
            return [top_ups.next_month(now)]
        case _ if reason in top_ups.PASSING:
            return [now + ON_ITS_WAY]
    return []


def _figures(view: View, cause: Cause) -> str:
    """Return what a decision rests on, in words."""
    if cause.rule is not None:
        days, least = cause.rule.days_ahead, Money(cause.rule.threshold or 0, view.currency)
        keeps = f"lasts for fewer than {days} days" if days else f"falls below {least}"
        return f"the balance of {view.spendable} {keeps} from {moment(cause.charge_at)} on"
    missing = Money(_missing(view, cause), view.currency)
    balance = view.spendable
    return f"the renewal at {moment(cause.due_at)} lacks {missing}, the balance is {balance}"


def _go_on(plan: CollectionPlan, collection: Collection, *, now: datetime) -> datetime:
    """Take the next step with an open collection and return when to look again."""
    view = overview.peek(collection.customer, collection.currency, now=now)
    missing = attempts.missing(view, collection)
    consent = consents.in_force(plan.customer_id, *consents.scope_of(collection))
    if collection.status != Status.WAITING:
        is_wanted = bool(missing) and not _ended_by(collection, consent)
        return _at_the_gateway(plan, collection, is_wanted=is_wanted, now=now)
    if code := _ended_by(collection, consent):
        return _end(plan, collection, Status.STOPPED, code, now=now)
    assert consent is not None
    rule = collection.rule
    if not missing:
        return _end(plan, collection, Status.COVERED, "covered", now=now)
    if rule is not None and (reason := consents.obstacle(consent.method, now=now)):
        return _not_tried(plan, collection, NotTried(reason, missing), now=now)
    assert collection.next_at is not None
    if collection.next_at > now and consent.given_at <= collection.updated_at:
        return collection.next_at
    if guard.is_paused(consent.method.gateway):
        # The breaker would refuse the call, and the attempt would be looked for in vain.
        return now + UNASKED
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
    consent = consents.in_force(plan.customer_id, *consents.scope_of(collection))
    if code := _ended_by(collection, consent):
        return _end(plan, collection, Status.STOPPED, code, now=now)
    return _end(plan, collection, Status.COVERED, "covered", now=now)


def _ended_by(collection: Collection, consent: Consent | None) -> str:
    """Return what the customer has taken away that a collection needs, as a code; "" if nothing."""
    if consent is None:
        return "consent_withdrawn"
    if consent.method.removed_at is not None:
        return "method_removed"
    return "" if collection.rule is None or collection.rule.is_on else "rule_ended"


def _not_tried(plan: CollectionPlan, collection: Collection, why: NotTried, *, now: datetime) -> datetime:
    """Do what follows from an attempt that was due and not made."""
    lacking = f" {Money(why.missing, collection.currency)} is missing." if why.missing else ""
    decisions.record(plan, why.code, f"Not tried: {why.code}.{lacking}", now=now, collection=collection)
    match why.code:
        case "covered":
            return _end(plan, collection, Status.COVERED, why.code, now=now)
        case "consent_withdrawn" if consents.in_force(plan.customer_id, *consents.scope_of(collection)):
            # The customer was agreeing again in this moment.
            return now
        case "consent_withdrawn" | "method_removed" | "rule_ended":
            return _end(plan, collection, Status.STOPPED, why.code, now=now)
        case "payment_in_progress" | "not_waiting":
            return now + ON_ITS_WAY
    if collection.rule is not None and why.code == consents.GATEWAY_OFF:
        return now + ON_ITS_WAY
    if collection.rule is not None:
        _hold(collection.rule, why.code, now=now)
        to = Status.STOPPED if why.code == "monthly_cap" else Status.GIVEN_UP
        return _end(plan, collection, to, why.code, now=now)
    states.postpone(collection.pk, why.code, agreed_at=why.agreed_at, now=now)
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
