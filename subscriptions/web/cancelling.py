"""The choice a customer has when cancelling, with what each choice does in numbers."""

from django import forms
from django.utils.translation import gettext as _

from ledger import display
from subscriptions.web.cards import Card


class CancelForm(forms.Form):
    """`when`: at the end of what is paid for, or now."""

    when = forms.ChoiceField()

    def __init__(self, data: object, *, card: Card) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        field = self.fields["when"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each["when"], each["title"]) for each in choices(card)]


def choices(card: Card) -> list[dict[str, str]]:
    """Return what the customer may choose, the gentler first; `effect` says what it does."""
    now = {"when": "now", "title": _("Cancel now"), "effect": _at_once(card)}
    if not card.ends_by_itself or card.until is None:
        return [now]
    end = display.day(card.until)
    later = {
        "when": "period_end",
        "title": _("Cancel on %(day)s") % {"day": end},
        "effect": _("You keep it until %(moment)s. Nothing more is charged, and you can change your mind until then.")
        % {"moment": display.moment(card.until)},
    }
    return [later, now]


def _at_once(card: Card) -> str:
    if card.unused.amount:
        return _("Access ends at once. The unused part, %(amount)s, goes back to your balance.") % {
            "amount": display.money(card.unused)
        }
    if card.price.metered and card.is_live:
        return _("Access ends at once. What was used up to this second is charged, nothing after it.")
    return _("It ends at once. Nothing is charged.")
