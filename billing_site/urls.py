"""Every address of the site. Pages carry a language prefix, except in English; the API and the webhooks never do."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path, re_path

from billing_site import api_docs, failures

# Staff log in on the same page as everybody, with its limits and its second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# allauth registers these two. Nobody has to see what makes the codes of a second factor, and an address is the user's.
admin.site.unregister([EmailAddress, Authenticator])

handler400 = failures.bad_request
handler403 = failures.permission_denied
handler404 = failures.not_found
handler500 = failures.server_error

urlpatterns = [
    # The pinned one first, so that links are made to the plain one.
    path("api/v1/", include("billing_site.api_urls")),
    path("api/", include("billing_site.api_urls")),
    re_path(r"^api(?:/.*)?$", failures.unknown_api_path),
    path("admin/", admin.site.urls),
    path("", include("payments.web.gateways.urls")),
    *i18n_patterns(
        path("docs/errors/", api_docs.errors, name="errors"),
        path("docs/errors/<slug:code>", api_docs.error, name="error"),
        path("", include("subscriptions.web.urls")),
        path("", include("payments.web.urls")),
        path("", include("accounts.web.urls")),
        prefix_default_language=False,
    ),
]
