"""Staff move a plan one place up or down in the price list, with a review."""

from datetime import datetime
from typing import ClassVar

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import Fact, Facts
from events.admin.deletion import DeleteForm
from events.admin.review import Result, SeenForm
from events.admin.trace import reason_field
from subscriptions import catalogue
from subscriptions.models import Plan


class MoveForm(SeenForm):
    """The move of a plan, which is the row. Staff decide by the position that it has."""

    permission = "subscriptions.change_plan"
    effect = _("Customers see the plans in the new order at once.")
    is_down: ClassVar[bool]

    reason = reason_field()

    @classmethod
    def obstacle(cls, row: Plan) -> str:
        """Return why it cannot be moved there."""
        order = _order()
        if order[-1 if cls.is_down else 0].pk != row.pk:
            return ""
        return gettext("It is the last plan already.") if cls.is_down else gettext("It is the first plan already.")

    def figure(self) -> int:
        """Return the position."""
        position: int = Plan.objects.values_list("position", flat=True).get(pk=self.row.pk)
        return position

    def facts(self, *, now: datetime) -> Facts:
        """Return the order of the plans."""
        return {"order": Fact(gettext("Order"), " · ".join(plan.title for plan in _order()))}

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Move it. Raises Changed if somebody has moved it meanwhile, and DomainError if there is no such place."""
        if not catalogue.move(self.row, down=self.is_down, seen=self.cleaned_data["seen"] or 0):
            if self.figure() != self.cleaned_data["seen"]:
                raise self.changed(DomainError(gettext("The order has changed meanwhile. Check it, then decide.")))
            raise DomainError(self.obstacle(self.row))
        return Result(gettext("%s is moved.") % self.row)

    def page(self) -> str:
        """Return the list, which shows the order."""
        return reverse("admin:subscriptions_plan_changelist")


class MoveUpForm(MoveForm):
    """The move towards the front."""

    title, kind, is_down = _("Move up"), "plan.move_up", False


class MoveDownForm(MoveForm):
    """The move towards the end."""

    title, kind, is_down = _("Move down"), "plan.move_down", True


class DeletePlanForm(DeleteForm):
    """The deletion of a plan that nobody has ever been able to buy."""

    kind, permission = "plan.delete", "subscriptions.delete_plan"

    @classmethod
    def obstacle(cls, row: Plan) -> str:
        """Return why it must stay."""
        return gettext("This plan has prices. Hide it instead.") if row.prices.exists() else ""


def _order() -> list[Plan]:
    return list(Plan.objects.order_by("position", "id").only("name", "name_ru", "position"))
