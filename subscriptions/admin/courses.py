"""Staff start, pause and resume a subscription, and turn its automatic renewal on and off."""

from django.utils.translation import gettext_lazy as _

from subscriptions.admin.acts import SubscriptionForm
from subscriptions.books import OpenBook
from subscriptions.models import Subscription
from subscriptions.web.actions import Action
from subscriptions.web.cards import Card

WAITING = (Subscription.Status.PENDING, Subscription.Status.SUSPENDED)


class StartForm(SubscriptionForm):
    """The start of a pending or suspended subscription, from the balance or with its trial."""

    title = _("Start from the balance")
    effect = _("It is paid from the customer's balance, or begins with its free trial if they have not had one.")
    kind = "subscription.start"
    needs_open_account = True
    done = _("The subscription was started.")

    @classmethod
    def is_possible(cls, card: Card) -> bool:
        """Tell whether it waits for money."""
        return card.status in WAITING

    def act(self, book: OpenBook) -> None:
        """Start it."""
        book.start(self.subscription)


class PauseForm(SubscriptionForm):
    """A pause."""

    title = _("Pause")
    effect = _("The customer cannot use it and nothing is charged until it is resumed. A paid period keeps its rest.")
    kind, action = "subscription.pause", Action.PAUSE
    done = _("The subscription was paused.")

    def act(self, book: OpenBook) -> None:
        """Pause it."""
        book.pause(self.subscription)


class ResumeForm(SubscriptionForm):
    """The end of a pause."""

    title = _("Resume")
    effect = _("The customer can use it again: the rest of a paid period runs from now on, or use is charged again.")
    kind, action = "subscription.resume", Action.RESUME
    needs_open_account = True
    done = _("The subscription was resumed.")

    def act(self, book: OpenBook) -> None:
        """Resume it."""
        book.resume(self.subscription)


class RenewForm(SubscriptionForm):
    """Automatic renewal, turned on."""

    title = _("Turn automatic renewal on")
    effect = _("At the end of each period the next one is paid from the balance.")
    kind, action = "subscription.renewal_on", Action.RENEW
    done = _("Automatic renewal is on.")

    def act(self, book: OpenBook) -> None:
        """Turn it on."""
        book.set_auto_renew(self.subscription, True)


class StopRenewalForm(SubscriptionForm):
    """Automatic renewal, turned off."""

    title = _("Turn automatic renewal off")
    effect = _("It ends with the paid period. The first payment after a trial is still made.")
    kind, action = "subscription.renewal_off", Action.STOP_RENEWING
    done = _("Automatic renewal is off.")

    def act(self, book: OpenBook) -> None:
        """Turn it off."""
        book.set_auto_renew(self.subscription, False)
