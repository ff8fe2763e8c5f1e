"""A stored quote as the confirmation page shows it: each line with its formula, and the effects in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ledger import display
from ledger.money import Money
from subscriptions import catalogue, quotes
from subscriptions.models import Price, Quote, Subscription
from subscriptions.models.subscription import LIVE
from subscriptions.quotes import QuoteLine
from subscriptions.web.cards import Card

Status = Subscription.Status
UNUSED = "unused_refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One movement of the wallet. `money` is signed."""

    label: str
    formula: str
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePage:
    """A quote and the subscription as it is now."""

    quote: Quote
    card: Card

    @property
    def new(self) -> Price:
        return self.quote.price

    @property
    def before(self) -> Money:
        return self._money(self.quote.balance_before)

    @property
    def after(self) -> Money:
        return self._money(self.quote.balance_after)

    @property
    def rows(self) -> list[Row]:
        """The movements that are posted when the customer confirms."""
        lines = quotes.read_lines(self.quote, write=display.money)
        return [Row(label=self._label(line), formula=line.formula, money=line.money) for line in lines]

    @property
    def is_at_end(self) -> bool:
        """Whether the change waits for the end of the paid period. Without a paid period, `period_end` means now."""
        paid_ahead = self.card.status is Status.ACTIVE and not self.card.price.metered
        return self.quote.when == Quote.When.PERIOD_END and paid_ahead

    @property
    def takes_effect_at(self) -> datetime | None:
        """When the plan changes; None if that is when the customer confirms."""
        return self.card.until if self.is_at_end else self.quote.takes_effect_at

    @property
    def is_live(self) -> bool:
        """Whether the subscription can be used after the change."""
        return self.quote.status_after in LIVE

    @property
    def lacking(self) -> Money:
        """What the balance after the change lacks for the next payment, or to start the new plan."""
        least = 1 if self.new.metered else catalogue.cost(self.new, self.card.row.quantity, self.card.row.periods)
        waits_for_money = self.is_at_end or not self.is_live
        return self._money(max(0, least - self.quote.balance_after) if waits_for_money else 0)

    @property
    def next_charge(self) -> Money | None:
        due = self.quote.next_charge_amount
        return None if due is None else self._money(due)

    @property
    def rate(self) -> Money:
        """What one interval of a metered plan costs."""
        return self._money(catalogue.cost(self.new, self.card.row.quantity, 1))

    @property
    def effects(self) -> list[str]:
        """Sentences on what happens to the plan, and to a cancellation or a change requested before."""
        return [self._plan_effect(), *self._dropped_requests()]

    @property
    def button(self) -> str:
        """The text of the confirmation button."""
        values = {"plan": self.new.plan.title, "amount": display.money(self._money(-self.quote.total))}
        text = _("Pay %(amount)s and change to %(plan)s") if self.quote.total < 0 else _("Change to %(plan)s")
        return text % values

    def _plan_effect(self) -> str:
        values = {"old": self.card.price.plan.title, "new": self.new.plan.title, "amount": display.money(self.lacking)}
        if self.takes_effect_at and self.is_at_end:
            text = _("You keep %(old)s until %(moment)s. Then %(new)s starts.")
            return text % {**values, "moment": display.moment(self.takes_effect_at)}
        if self.takes_effect_at:
            text = _("You keep %(old)s until %(moment)s. Then %(new)s starts. Your balance changes when you confirm.")
            return text % {**values, "moment": display.instant(self.takes_effect_at)}
        if self.card.status is Status.TRIALING and self.card.until:
            text = _("%(new)s replaces %(old)s when you confirm. Your free trial still ends on %(day)s.")
            return text % {**values, "day": display.day(self.card.until)}
        if self.is_live:
            return _("%(old)s ends when you confirm, and %(new)s starts.") % values
        if self.card.is_live:
            return (
                _("%(old)s and your access end when you confirm. %(new)s starts when you top up %(amount)s.") % values
            )
        return _("%(new)s replaces %(old)s. It starts when you top up %(amount)s.") % values

    def _dropped_requests(self) -> list[str]:
        planned = {"plan": self.card.coming.plan.title} if self.card.coming else None
        sentences = []
        if self.card.is_leaving and not self.is_at_end:
            sentences.append(_("Your cancellation no longer applies: the new plan continues until you cancel it."))
        if planned and self.is_at_end:
            sentences.append(_("This replaces the planned change to %(plan)s.") % planned)
        elif planned:
            sentences.append(_("The planned change to %(plan)s will not happen.") % planned)
        return sentences

    def _label(self, line: QuoteLine) -> str:
        is_own = line.subscription is not None and line.subscription.pk == self.card.row.pk
        if line.reason == UNUSED:
            return _("Refund for unused time of %(plan)s") % {"plan": self.card.price.plan.title}
        if line.subscription is None or is_own:
            return self.new.plan.title
        return line.subscription.price.plan.title

    def _money(self, amount: int) -> Money:
        return Money(amount, self.quote.price.currency)
