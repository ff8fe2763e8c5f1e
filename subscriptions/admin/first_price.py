"""Staff give a plan its first price in a currency, or change one that nobody has used, with a review."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import NOTHING, Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from subscriptions import catalogue
from subscriptions.admin.terms import TERMS, PriceForm, shown, word
from subscriptions.admin.versions import VersionForm
from subscriptions.models import Plan, Price


class FirstPriceForm(PriceForm):
    """The first price of a plan in one currency."""

    class Meta:
        model = Price
        fields = ["currency", *TERMS]


class AddPriceForm(ActForm):
    """A price in a currency in which the plan, which is the row, has none. `made` is the price that it has made."""

    title = _("Add price")
    kind, permission = "price.add", "subscriptions.add_price"
    effect = _("The plan is sold in this currency as soon as you confirm.")
    terms_form: type[FirstPriceForm] = FirstPriceForm
    made: Price | None = None

    reason = reason_field()

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.terms = self.terms_form(data, instance=Price(plan=row))
        self.fields = {**self.terms.fields, **self.fields}
        self.order_fields(["form_key", "seen_act", "currency", *TERMS, "reason"])
        self.initial = {**self.terms.initial, **self.initial}

    @property
    def plan(self) -> Plan:
        """The plan as it was when the page was asked for."""
        plan: Plan = self.row
        return plan

    def clean(self) -> dict[str, Any]:
        """Return the currency and the terms; the amount in minor units."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, errors in self.terms.errors.items():
            if name not in self.errors:
                self.add_error(None if name == NON_FIELD_ERRORS else name, list(errors))
        own = {name: cleaned[name] for name in ActForm.base_fields.keys() | {"reason"} if name in cleaned}
        return getattr(self.terms, "cleaned_data", {}) | own

    def answers(self) -> list[tuple[str, str]]:
        """Return the reason only: the terms stand in the table before -> after."""
        return [(str(self.fields["reason"].label), str(self["reason"].value()))]

    def facts(self, *, now: datetime) -> Facts:
        """Return the prices on sale by currency, with the terms of the one in the currency that was chosen."""
        prices = {each.currency: each for each in Price.objects.filter(plan=self.plan, archived_at=None)}
        facts = {
            f"price {currency}": Fact(gettext("Price in %s") % currency, shown(price))
            for currency, price in sorted(prices.items())
        }
        chosen = prices.get(getattr(self, "cleaned_data", {}).get("currency", ""))
        for name in TERMS if chosen else ():
            if name not in ("amount", "interval", "interval_count"):
                facts[name] = Fact(str(self.fields[name].label or name), word(getattr(chosen, name)), quiet=True)
        return facts or {"none": Fact(gettext("Prices"), NOTHING)}

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Put the plan on sale in the currency. Raises TermsInvalid, and DomainError if it has a price there."""
        currency = self.cleaned_data["currency"]
        terms: Any = {name: self.cleaned_data[name] for name in TERMS if name in self.cleaned_data}
        with transaction.atomic():
            # Whoever adds a price holds the plan: of two, the second one finds the first one's.
            Plan.objects.select_for_update(no_key=True).get(pk=self.plan.pk)
            if Price.objects.filter(plan=self.plan, currency=currency, archived_at=None).exists():
                raise DomainError(
                    gettext("The plan already has a price in this currency. Open it and create a new version."),
                    param="currency",
                )
            self.made = catalogue.first_version(self.plan, now=now, currency=currency, **terms)
        return Result(gettext("%(plan)s costs %(price)s.") % {"plan": self.plan, "price": shown(self.made)})

    def logged(self) -> Sequence[Any]:
        """Return the new price and the plan."""
        return [self.made, self.plan] if self.made else [self.plan]

    def page(self) -> str:
        """Return the page of the plan, which lists its prices."""
        return reverse("admin:subscriptions_plan_change", args=[self.plan.pk])


class ChangeTermsForm(VersionForm):
    """The change of a price that no subscription has used yet: no new version is needed."""

    title = _("Change terms")
    kind, permission = "price.change", "subscriptions.change_price"
    effect = _("Nobody has used this price yet, so it can still change. New customers get the new terms.")

    @classmethod
    def obstacle(cls, row: Price) -> str:
        """Return why it cannot change."""
        if row.used_at or row.archived_at:
            return gettext("Subscriptions use this price, or a newer version has replaced it. Make a new version.")
        return ""

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Change the price. Raises DomainError if it has been used meanwhile, TermsInvalid."""
        with transaction.atomic():
            price = Price.objects.select_for_update().select_related("plan").get(pk=self.row.pk)
            if obstacle := self.obstacle(price):
                raise DomainError(obstacle)
            for name in TERMS:
                setattr(price, name, self.cleaned_data[name])
            try:
                price.full_clean()
            except ValidationError as error:
                raise catalogue.terms_invalid(error) from error
            price.save(update_fields=TERMS)
        return Result(gettext("%(plan)s costs %(price)s.") % {"plan": price.plan, "price": shown(price)})

    def logged(self) -> Sequence[Any]:
        """Return the price and the plan."""
        return [self.row, self.row.plan]
