"""All URLs of the site. Pages have a language prefix, except in English; the API and the webhooks have none."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from anymail.signals import tracking
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from billing_site import api_docs, brand, dev_mail, error_views
from events.mails import bounces

# Staff log in on the same page as everybody else, with its limits and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# allauth registers these two. Staff must not see the keys of a second factor or edit a user's addresses.
admin.site.unregister([EmailAddress, Authenticator])

handler400 = error_views.bad_request
handler403 = error_views.permission_denied
handler404 = error_views.not_found
handler500 = error_views.server_error

API: list[URLPattern | URLResolver] = [
    path("schema/", api_docs.Schema.as_view(), name="api-schema"),
    path("docs/", api_docs.Docs.as_view(), name="api-docs"),
    path("", include("accounts.api.urls")),
    path("", include("events.api.urls")),
    path("", include("subscriptions.api.urls")),
    path("", include("payments.api.urls")),
]
# A mail provider reports bounces there; without a secret there is no such address.
MAIL_WEBHOOKS: list[URLPattern | URLResolver] = []
if settings.ANYMAIL.get("WEBHOOK_SECRET"):
    tracking.connect(bounces.receive, dispatch_uid="events.mails.bounces")
    MAIL_WEBHOOKS.append(path("webhooks/mail/", include("anymail.urls")))
urlpatterns = [
    # The versioned URLs come first, because `reverse` takes the last match: links go to the plain ones.
    path("api/v1/", include(API)),
    path("api/", include(API)),
    re_path(r"^api(?:/.*)?$", error_views.unknown_api_path),
    path("admin/", admin.site.urls),
    path("brand.css", brand.stylesheet, name="brand_stylesheet"),
    path("brand/logo", brand.logo, name="brand_logo"),
    *MAIL_WEBHOOKS,
    path("", include("payments.webhooks.urls")),
    path("", include("payments.gateways.sandbox.urls")),
    *i18n_patterns(
        path("dev/mail/", dev_mail.mails, name="dev_mails"),
        path("dev/mail/<str:name>/", dev_mail.mails, name="dev_mail"),
        path("dev/mail/<str:name>/html/", dev_mail.html, name="dev_mail_html"),
        path("docs/errors/", api_docs.errors, name="errors"),
        path("docs/errors/<slug:code>", api_docs.error, name="error"),
        path("", include("subscriptions.web.urls")),
        path("", include("payments.web.urls")),
        path("", include("payments.gateways.manual.urls")),
        path("", include("accounts.web.urls")),
        prefix_default_language=False,
    ),
]
