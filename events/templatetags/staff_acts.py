"""The table of what staff did to a row, below its page in the admin."""

from typing import Any

from django import template

from events import staff_acts as acts

register = template.Library()
SHOWN = 20


@register.inclusion_tag("admin/staff_acts.html", takes_context=True)
def staff_acts(context: dict[str, Any], row: Any) -> dict[str, Any]:
    """Return the newest acts on the row; none for a reader who may not see acts."""
    may_see = context["request"].user.has_perm("events.view_staffact")
    return {"acts": list(acts.of(row)[:SHOWN]) if may_see else []}
