"""The plans and prices on sale, new versions of a price, and what an order costs.

A price changes only by a new version (triggers forbid edits). Existing subscriptions keep the old version.
"""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import CharField, Func, Max, Prefetch, Q, QuerySet, Value
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import DomainError
from ledger.models import Account
from subscriptions.engine.calendar import DAY, plus, to_datetime, to_micros
from subscriptions.engine.subscription import MOST_PERIODS, MOST_QUANTITY
from subscriptions.models import Plan, Price, Trial

__all__ = ["MOST_PERIODS", "MOST_QUANTITY"]


class PlanNotFound(DomainError):
    """No plan with this code is on sale."""

    code = "plan_not_found"
    param = "plan"


class PlanNotSoldInCurrency(DomainError):
    """The plan is on sale, but only in other currencies."""

    code = "plan_not_sold_in_currency"
    param = "currency"


class CurrencyRequired(DomainError):
    """The plan is sold in several currencies and the request does not say which."""

    code = "currency_required"
    param = "currency"


class PriceNotCurrent(DomainError):
    """A newer version has replaced the price already."""

    code = "price_is_not_current"


class TermsInvalid(DomainError):
    """The terms of the price contradict each other."""

    code = "price_terms_invalid"


class PriceTerms(TypedDict, total=False):
    """The terms of a price version. `amount` is minor units for `interval_count` intervals."""

    amount: int
    interval: str
    interval_count: int
    metered: bool
    trial_days: int
    grace_days: int
    keep_days: int
    trial_quantity_max: int
    can_pause: bool
    can_refund_unused: bool


def on_sale(plan: Plan | str) -> dict[str, Price]:
    """Return the current prices of a public plan, given as a row or a code, by currency; raise PlanNotFound.

    A code may be written in any case.
    """
    code = plan.code if isinstance(plan, Plan) else plan
    current = Price.objects.filter(plan__code__iexact=code, plan__is_public=True, archived_at=None)
    prices = {price.currency: price for price in current.select_related("plan").order_by("currency")}
    if not prices:
        sold = [each.code for each in plans_on_sale()]
        words = {"code": repr(code), "sold": ", ".join(sold) or "-"}
        raise PlanNotFound(_("There is no plan %(code)s. On sale: %(sold)s.") % words, plans=sold)
    return prices


def current(plan: Plan | str, currency: str) -> Price:
    """Return the current price of a public plan in `currency`; raise PlanNotFound or PlanNotSoldInCurrency."""
    prices = on_sale(plan)
    if currency not in prices:
        code = plan.code if isinstance(plan, Plan) else plan
        words = {"code": repr(code), "sold": ", ".join(prices), "asked": repr(currency)}
        raise PlanNotSoldInCurrency(_("Plan %(code)s has prices in %(sold)s. You sent %(asked)s.") % words)
    return prices[currency]


def chosen(plan: Plan | str, *, customer: User, currency: str | None) -> Price:
    """Return the price that a customer chooses.

    That is the one in `currency` if given, else the plan's only price, else the one in the currency of the customer's
    only wallet. Raise PlanNotFound, PlanNotSoldInCurrency, or CurrencyRequired if several prices remain. Pages, which
    show what they chose, use subscriptions.web.pricing.currency_for.
    """
    if currency is not None:
        return current(plan, currency)
    prices = on_sale(plan)
    if len(prices) > 1:
        owned = Account.objects.filter(owner=customer, kind=Account.Kind.WALLET).values_list("currency", flat=True)[:2]
        prices = {each: prices[each] for each in owned if each in prices and len(owned) == 1} or prices
    if len(prices) > 1:
        raise CurrencyRequired(_("Send `currency`. This plan has prices in %s.") % ", ".join(prices))
    return next(iter(prices.values()))


def first_version(plan: Plan, *, now: datetime, currency: str, **terms: Unpack[PriceTerms]) -> Price:
    """Put a plan on sale in a currency in which it has no current price; raise TermsInvalid.

    Unless the terms say otherwise, a metered price can be paused and one paid in advance cannot.
    """
    terms.setdefault("can_pause", terms.get("metered", False))
    with transaction.atomic():
        Plan.objects.select_for_update(no_key=True).get(pk=plan.pk)
        return _create(Price(plan=plan, currency=currency, created_at=now, **terms))


def new_version(price: Price, *, now: datetime, **terms: Unpack[PriceTerms]) -> Price:
    """Archive `price` and put its next version on sale, with the same terms except those given.

    Raise PriceNotCurrent if a newer version exists (of two at the same time one wins), or TermsInvalid.
    """
    with transaction.atomic():
        Plan.objects.select_for_update(no_key=True).get(pk=price.plan_id)
        if not Price.objects.filter(pk=price.pk, archived_at=None).update(archived_at=now):
            raise PriceNotCurrent(_("Version %d is no longer current. Reload the plan.") % price.version)
        return _create(Price(plan=price.plan, currency=price.currency, created_at=now, **{**_terms(price), **terms}))


def move(plan: Plan, *, down: bool, seen: int) -> bool:
    """Move a plan one place up or down in the order of the price list. Return False if its position is not `seen`.

    `seen` is the position that it had when somebody decided to move it: a second click does not move it twice.
    """
    with transaction.atomic():
        plans = list(Plan.objects.select_for_update(no_key=True).order_by("position", "id"))
        at = next(place for place, each in enumerate(plans) if each.pk == plan.pk)
        to = at + 1 if down else at - 1
        if plans[at].position != seen or not 0 <= to < len(plans):
            return False
        plans.insert(to, plans.pop(at))
        # Its position is another one afterwards, whatever numbers there were.
        for position, each in enumerate(plans, start=2 if to + 1 == seen else 1):
            each.position = position
        Plan.objects.bulk_update(plans, ["position"])
    return True


def _terms(price: Price) -> PriceTerms:
    return PriceTerms(
        amount=price.amount,
        interval=price.interval,
        interval_count=price.interval_count,
        metered=price.metered,
        trial_days=price.trial_days,
        grace_days=price.grace_days,
        keep_days=price.keep_days,
        trial_quantity_max=price.trial_quantity_max,
        can_pause=price.can_pause,
        can_refund_unused=price.can_refund_unused,
    )


def _create(price: Price) -> Price:
    """Save `price` with the next version number. The caller holds the plan's lock."""
    versions = Price.objects.filter(plan_id=price.plan_id, currency=price.currency)
    price.version = (versions.aggregate(highest=Max("version"))["highest"] or 0) + 1
    try:
        price.full_clean()
    except ValidationError as error:
        raise terms_invalid(error) from error
    price.save(force_insert=True)
    return price


def terms_invalid(error: ValidationError) -> TermsInvalid:
    """Return the error of the domain for one of the model, about its first field."""
    named = next((name for name in getattr(error, "error_dict", {}) if name != NON_FIELD_ERRORS), None)
    return TermsInvalid("; ".join(error.messages), param=named)


def awaits_trial(customer: User, price: Price) -> bool:
    """Tell whether a new subscription to this price would start with a free trial."""
    return price.trial_days > 0 and not _trials(customer).filter(plan=price.plan_id).exists()


def plans_tried(customer: User) -> set[int]:
    """Return the ids of the plans whose free trial the customer, or somebody with the same mailbox, has had."""
    return set(_trials(customer).values_list("plan_id", flat=True))


def _trials(customer: User) -> QuerySet[Trial]:
    mailbox = Func(Value(customer.email), function="mailbox_of", output_field=CharField())
    return Trial.objects.filter(Q(customer=customer) | (Q(mailbox=mailbox) & ~Q(mailbox="")))


def plans_on_sale(**prices: Any) -> QuerySet[Plan]:
    """Return the public plans with a current price, and put these prices into `plan.current_prices`.

    Keyword arguments filter the prices.
    """
    current = Price.objects.filter(archived_at=None, **prices).order_by("currency")
    plans = Plan.objects.filter(is_public=True, pk__in=current.order_by().values("plan"))
    return plans.prefetch_related(Prefetch("prices", current, to_attr="current_prices"))


def prices_on_sale(currency: str | None = None) -> QuerySet[Price]:
    """Return the current prices of public plans, in the order of the plans."""
    prices = Price.objects.filter(plan__is_public=True, archived_at=None).select_related("plan")
    if currency is not None:
        prices = prices.filter(currency=currency)
    return prices.order_by("plan__position", "plan_id", "currency")


def cost(price: Price, quantity: int, periods: int) -> int:
    """Return the cost of `periods` intervals in minor units: one payment ahead, or that much metered use."""
    return price.amount * quantity * periods


def renewal_periods(price: Price, periods: int) -> int:
    """Return how many intervals each payment of a subscription buys: always 1 for metered prices.

    With a meter, `periods` only sets the first top-up. After a change from an hourly meter to a monthly plan it must
    not count months.
    """
    return 1 if price.metered else periods


def next_payment_at(price: Price, periods: int, *, is_trial: bool, now: datetime) -> datetime | None:
    """Return when a subscription that starts at `now` pays next; None for a metered price without a trial."""
    start = to_micros(now)
    if is_trial:
        return to_datetime(start + price.trial_days * DAY)
    if price.metered:
        return None
    return to_datetime(plus(start, price.interval, price.interval_count * periods))
