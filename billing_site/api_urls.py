"""Everything under /api/, and the same under /api/v1/."""

from django.urls import include, path

from billing_site import api_docs

urlpatterns = [
    path("schema/", api_docs.Schema.as_view(), name="api-schema"),
    path("docs/", api_docs.Docs.as_view(), name="api-docs"),
    path("", include("accounts.api.urls")),
    path("", include("subscriptions.api.urls")),
    path("", include("payments.api.urls")),
]
