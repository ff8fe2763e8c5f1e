"""Template tags for the HTML of mails: parts with the style that mail programs need on each element.

The classes are for dark mode only (mail/base.html). The plain text of a mail needs no tags.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.brand import brand

register = template.Library()

MUTED = "#526160"
TONES = {"ok": "background:#e3f4e9;color:#14693c", "warn": "background:#fdf0d5;color:#7d4a00",
         "bad": "background:#fdeae7;color:#aa261c"}  # fmt: skip


@register.simple_block_tag
def heading(content: str) -> SafeString:
    """`{% heading %}Your balance runs out{% endheading %}`: the one heading of a mail."""
    style = "margin:0 0 10px;font-size:24px;line-height:1.25;letter-spacing:-.3px"
    return format_html('<h1 class="ink" style="{}">{}</h1>', style, content)


@register.simple_block_tag
def amount_heading(content: str) -> SafeString:
    """`{% amount_heading %}€25.00{% endamount_heading %}`: the same for a mail that is about one amount."""
    style = "margin:4px 0 0;font-size:40px;line-height:1.1;letter-spacing:-1px"
    return format_html('<h1 class="ink" style="{}">{}</h1>', style, content)


@register.simple_block_tag
def paragraph(content: str) -> SafeString:
    """`{% paragraph %}Hello Anna, ...{% endparagraph %}`."""
    return format_html('<p class="ink" style="margin:0 0 20px;font-size:16px;line-height:1.55">{}</p>', content)


@register.simple_block_tag
def note(content: str) -> SafeString:
    """`{% note %}You need not do anything.{% endnote %}`: a small grey paragraph."""
    style = f"margin:0 0 20px;font-size:14px;line-height:1.55;color:{MUTED}"
    return format_html('<p class="muted" style="{}">{}</p>', style, content)


@register.simple_block_tag
def status(content: str, tone: str) -> SafeString:
    """`{% status "ok" %}✓ Paid{% endstatus %}`: a coloured tag; the tone is `ok`, `warn` or `bad`."""
    style = f"display:inline-block;padding:3px 12px;border-radius:99px;{TONES[tone]};font-size:13px;font-weight:600"
    return format_html('<span class="{}" style="{}">{}</span>', tone, style, content)


@register.simple_block_tag
def button(content: str, url: str) -> SafeString:
    """`{% button topup_url %}Top up{% endbutton %}`: the one button of a mail."""
    return format_html(
        '<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px"><tr>'
        '<td class="brand" style="border-radius:10px;background:{}"><a class="onbrand" href="{}"'
        ' style="display:inline-block;padding:12px 22px;font-size:16px;font-weight:600;color:#ffffff;'
        'text-decoration:none">{}</a></td></tr></table>',
        brand().accent,
        url,
        content,
    )


@register.simple_block_tag
def text_link(content: str, url: str) -> SafeString:
    """`{% text_link settings_url %}Settings{% endtext_link %}`: a link inside a sentence."""
    return format_html('<a class="link" href="{}" style="color:{}">{}</a>', url, brand().accent, content)


@register.inclusion_tag("mail/_rows.html")
def facts(rows: list[tuple[str, str]]) -> dict[str, object]:
    """`{% facts rows %}`: a table of labels and values. `rows` is a list of pairs of plain text."""
    return {"rows": rows}


@register.simple_tag
def facts_text(rows: list[tuple[str, str]]) -> str:
    """`{% facts_text rows %}`: the same for plain text, a line each."""
    return "\n".join(f"{label}: {value}" if value else label for label, value in rows)
