"""Staff hide a plan from new customers, and put it on sale again. Whoever has it keeps it."""

from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field
from subscriptions.models import Plan, Subscription

# More subscriptions than this are not counted.
MOST = 1000


class VisibilityForm(ActForm):
    """An act on a plan, with its reason."""

    permission = "subscriptions.change_plan"
    reason = reason_field()

    @property
    def plan(self) -> Plan:
        """The plan as it was when the page was asked for."""
        plan: Plan = self.row
        return plan

    def facts(self, *, now: datetime) -> Facts:
        """Return whether new customers can choose it, and how many have it."""
        is_public = Plan.objects.values_list("is_public", flat=True).get(pk=self.plan.pk)
        held = Subscription.objects.filter(price__plan=self.plan, ended_at=None).values("pk")[: MOST + 1].count()
        many = f"{MOST}+" if held > MOST else str(held)
        return {
            "sale": Fact(gettext("On sale"), gettext("yes") if is_public else gettext("no")),
            "held": Fact(gettext("Subscriptions that keep it"), many),
        }

    def set(self, is_public: bool) -> bool:
        """Hide or show it; return whether that changed anything."""
        changed = Plan.objects.filter(pk=self.plan.pk).exclude(is_public=is_public).update(is_public=is_public)
        return bool(changed)


class HideForm(VisibilityForm):
    """The end of the sale of a plan."""

    title, kind = _("Hide"), "plan.hide"
    effect = _("New customers do not see the plan any more, and nobody changes to it. Whoever has it keeps it.")

    @classmethod
    def obstacle(cls, row: Plan) -> str:
        """Return why there is nothing to hide."""
        return "" if row.is_public else gettext("This plan is hidden already.")

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Hide it, or find that it is hidden."""
        is_news = self.set(is_public=False)
        return Result(gettext("%s is hidden.") % self.plan, is_news)


class ShowForm(VisibilityForm):
    """The sale of a plan that was hidden."""

    title, kind = _("Put on sale"), "plan.show"
    effect = _("New customers see the plan and can order it at its current prices.")

    @classmethod
    def obstacle(cls, row: Plan) -> str:
        """Return why it cannot be shown."""
        return gettext("This plan is on sale already.") if row.is_public else ""

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Show it, or find that it is shown."""
        is_news = self.set(is_public=True)
        return Result(gettext("%s is on sale.") % self.plan, is_news)
