"""The deletion of a row that nothing refers to, with a review and a reason."""

from datetime import datetime
from typing import Any

from django.db.models import ProtectedError, RestrictedError
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.errors import DomainError
from core.rehearsal import Fact, Facts
from events.admin.review import ActForm, Result
from events.admin.trace import reason_field


class DeleteForm(ActForm):
    """The deletion of the row. A subclass has `kind`, `permission`, and as `obstacle` why it must stay."""

    title = _("Delete")
    effect = _("It cannot be brought back.")

    reason = reason_field()

    def facts(self, *, now: datetime) -> Facts:
        """Return whether the row is there."""
        row = self._rows().first()
        name = str(self.row._meta.verbose_name).capitalize()
        return {"row": Fact(name, str(row))} if row else {}

    def carry_out(self, by: User, *, now: datetime) -> Result:
        """Delete it, or find that it is gone. Raises DomainError if it must stay."""
        row, said = self._rows().first(), gettext("%s is deleted.") % self.row
        if row is None:
            return Result(said, is_news=False)
        if obstacle := self.obstacle(row):
            raise DomainError(obstacle)
        try:
            self._rows().delete()
        except (ProtectedError, RestrictedError) as error:
            raise DomainError(gettext("Other rows need it, so it stays.")) from error
        return Result(said)

    def page(self) -> str:
        """Return the list: the row has no page any more."""
        return reverse(f"admin:{self.row._meta.app_label}_{self.row._meta.model_name}_changelist")

    def _rows(self) -> Any:
        return type(self.row)._default_manager.filter(pk=self.row.pk)
