"""Staff put the next version of a price on sale. Whoever has the plan keeps the version they have."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from subscriptions import catalogue
from subscriptions.admin.terms import TERMS, TermsForm, shown, word
from subscriptions.models import Price, Subscription


class NewTerms(TermsForm):
    """The terms of a new version. catalogue.new_version checks that they are consistent."""

    class Meta:
        model = Price
        fields = TERMS

    def hint(self) -> str:
        """Add the present price to the help text."""
        return super().hint() + " " + gettext("Now: %s.") % shown(self.instance)

    def _post_clean(self) -> None:
        """Skip the model's checks: catalogue.new_version sets plan, currency and version and runs them."""


class VersionForm(ActForm):
    """The next version of a price, which is the row. `made` is the version that it has made."""

    title = _("New version")
    kind, permission = "price.new_version", "subscriptions.add_price"
    effect = _(
        "New customers get these terms as soon as you confirm. Who is affected: nobody who has the plan. Existing "
        "customers keep their version."
    )
    made: Price | None = None

    reason = reason_field()

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        old = {name: getattr(row, name) for name in ("plan", "currency", *TERMS)}
        self.terms = NewTerms(data, instance=Price(**old))
        self.fields = {**self.terms.fields, **self.fields}
        self.order_fields(["form_key", "seen_act", *TERMS, "reason"])
        self.initial.update(self.terms.initial)

    @classmethod
    def obstacle(cls, row: Price) -> str:
        """Return why it has no next version."""
        if row.archived_at is None:
            return ""
        return gettext("Version %d is no longer current. Open the newest one.") % row.version

    def clean(self) -> dict[str, Any]:
        """Return the terms; the amount in minor units."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, errors in self.terms.errors.items():
            if name not in self.errors:
                self.add_error(name, list(errors))
        return cleaned | getattr(self.terms, "cleaned_data", {})

    def answers(self) -> list[tuple[str, str]]:
        """Return the reason only: the terms stand in the table before -> after."""
        return [(str(self.fields["reason"].label), str(self["reason"].value()))]

    def facts(self, *, now: datetime) -> Facts:
        """Return the terms on sale, and who keeps other versions."""
        price = Price.objects.select_related("plan").get(
            plan=self.row.plan_id, currency=self.row.currency, archived_at=None
        )
        facts = {
            "version": Fact(gettext("On sale"), gettext("version %d") % price.version),
            "price": Fact(gettext("Price"), shown(price)),
        }
        for name in TERMS:
            if name not in ("amount", "interval", "interval_count"):
                label = str(self.fields[name].label or name)
                facts[name] = Fact(label, word(getattr(price, name)), quiet=True)
        return facts | self._kept()

    def _kept(self) -> Facts:
        """Return how many subscriptions have each version."""
        held = Subscription.objects.filter(
            price__plan=self.row.plan_id, price__currency=self.row.currency, ended_at=None
        )
        said = [
            ngettext("%(count)d subscription keeps version %(version)d.",
                     "%(count)d subscriptions keep version %(version)d.", count) % {"count": count, "version": version}
            for version, count in held.order_by("price__version").values_list("price__version").annotate(Count("pk"))
        ]  # fmt: skip
        return {"kept": Fact(gettext("Who keeps which version"), " ".join(said) or gettext("Nobody has the plan."))}

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Put the version on sale. Raises PriceNotCurrent, TermsInvalid."""
        terms = {name: self.cleaned_data[name] for name in TERMS}
        self.made = catalogue.new_version(self.row, now=now, **terms)
        words = {"version": self.made.version, "price": shown(self.made)}
        said = gettext("Version %(version)d is on sale: %(price)s. Existing customers keep their version.")
        return Result(said % words)

    def logged(self) -> Sequence[Any]:
        """Return the new version, the one that it replaces, and the plan."""
        return [self.made, self.row, self.row.plan] if self.made else [self.row]

    def page(self) -> str:
        """Return the page of the new version."""
        return reverse("admin:subscriptions_price_change", args=[self.made.pk]) if self.made else ""
