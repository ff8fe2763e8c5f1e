"""A stored quote as the page shows it before the customer agrees: each line with its arithmetic, and what it means."""

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
    """One movement of the wallet: what for, how it was worked out, how much (signed)."""

    label: str
    formula: str
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A quote over the subscription as it is now."""

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
        """Every line that is posted when the customer agrees."""
        lines = quotes.read_lines(self.quote, write=display.money)
        return [Row(label=self._label(line), formula=line.formula, money=line.money) for line in lines]

    @property
    def is_at_end(self) -> bool:
        """Whether it waits for the end of what is paid for; everywhere else `period_end` means now."""
        paid_ahead = self.card.status is Status.ACTIVE and not self.card.price.metered
        return self.quote.when == Quote.When.PERIOD_END and paid_ahead

    @property
    def takes_effect_at(self) -> datetime | None:
        """The instant the plan changes; None: when the customer confirms."""
        return self.card.until if self.is_at_end else self.quote.takes_effect_at

    @property
    def is_live(self) -> bool:
        """Whether it may be used after the change."""
        return self.quote.status_after in LIVE

    @property
    def lacking(self) -> Money:
        """What the next payment, or the start, finds missing on the balance as it is after the change."""
        least = 1 if self.new.metered else catalogue.cost(self.new, self.card.row.quantity, self.card.row.periods)
        waits_for_money = self.is_at_end or not self.is_live
        return self._money(max(0, least - self.quote.balance_after) if waits_for_money else 0)

    @property
    def next_charge(self) -> Money | None:
        due = self.quote.next_charge_amount
        return None if due is None else self._money(due)

    @property
    def rate(self) -> Money:
        """What a metered plan takes in one interval."""
        return self._money(catalogue.cost(self.new, self.card.row.quantity, 1))

    @property
    def effects(self) -> list[str]:
        """What happens to the plan, and to what was asked for before."""
        return [self._plan(), *self._dropped()]

    @property
    def button(self) -> str:
        """What the customer agrees to, in a few words."""
        words = {"plan": self.new.plan.title, "amount": display.money(self._money(-self.quote.total))}
        return (_("Pay %(amount)s and change to %(plan)s") if self.quote.total < 0 else _("Change to %(plan)s")) % words

    def _plan(self) -> str:
        words = {"old": self.card.price.plan.title, "new": self.new.plan.title, "amount": display.money(self.lacking)}
        if self.takes_effect_at and self.is_at_end:
            said = _("You keep %(old)s until %(moment)s. Then %(new)s starts.")
            return said % {**words, "moment": display.moment(self.takes_effect_at)}
        if self.takes_effect_at:
            said = _("You keep %(old)s until %(moment)s. Then %(new)s starts. The money moves when you confirm.")
            return said % {**words, "moment": display.instant(self.takes_effect_at)}
        if self.card.status is Status.TRIALING and self.card.until:
            said = _("%(new)s takes the place of %(old)s when you confirm. Your free trial still ends on %(day)s.")
            return said % {**words, "day": display.day(self.card.until)}
        if self.is_live:
            return _("%(old)s ends when you confirm, and %(new)s starts.") % words
        if self.card.is_live:
            return _("%(old)s and your access end when you confirm. %(new)s starts when you top up %(amount)s.") % words
        return _("%(new)s takes the place of %(old)s. It starts when you top up %(amount)s.") % words

    def _dropped(self) -> list[str]:
        planned = {"plan": self.card.coming.plan.title} if self.card.coming else None
        said = []
        if self.card.is_leaving and not self.is_at_end:
            said.append(_("Your cancellation is taken back: the new plan goes on until you cancel it."))
        if planned and self.is_at_end:
            said.append(_("This takes the place of the change to %(plan)s that was planned.") % planned)
        elif planned:
            said.append(_("The change to %(plan)s that was planned does not happen.") % planned)
        return said

    def _label(self, line: QuoteLine) -> str:
        is_mine = line.subscription is not None and line.subscription.pk == self.card.row.pk
        if line.reason == UNUSED:
            return _("Unused part of %(plan)s") % {"plan": self.card.price.plan.title}
        if line.subscription is None or is_mine:
            return self.new.plan.title
        return line.subscription.price.plan.title

    def _money(self, amount: int) -> Money:
        return Money(amount, self.quote.price.currency)
