"""The sandbox's pages. Their URLs are the same in every language, so never put them inside i18n_patterns."""

from django.urls import path

from payments.gateways.sandbox import views

urlpatterns = [
    path("sandbox/pay/<slug:session_id>/", views.sandbox_pay, name="sandbox_pay"),
    path("sandbox/pay/<slug:session_id>/bank/", views.sandbox_bank, name="sandbox_bank"),
    path("sandbox/payments/<slug:session_id>/", views.sandbox_payment, name="sandbox_payment"),
]
