"""Addresses that gateways use, and the sandbox's own. The same in every language, so never inside i18n_patterns."""

from django.urls import path

from payments.web.gateways import views

urlpatterns = [
    path("webhooks/<slug:gateway>/", views.webhook, name="webhook"),
    path("sandbox/pay/<slug:session_id>/", views.sandbox_pay, name="sandbox_pay"),
    path("sandbox/pay/<slug:session_id>/bank/", views.sandbox_bank, name="sandbox_bank"),
]
