"""The icons of the pages: one small sprite, static/icons.svg."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "wallet" %}`: a symbol of the sprite, 20 x 20, in the colour of its text.

    Hidden from screen readers: it stands beside a word, or inside a control that has a name of its own.
    """
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)
