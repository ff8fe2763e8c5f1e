"""Addresses of payments. Each is good with and without a slash at its end: a redirect would lose the body."""

from django.urls import re_path

from payments.api.views import actions, payments

urlpatterns = [
    re_path(
        r"^payments/create-checkout-session/?$",
        payments.CreateCheckoutSession.as_view(),
        name="payment-create-checkout-session",
    ),
    re_path(r"^payments/confirm-payment/?$", actions.ConfirmPayment.as_view(), name="payment-confirm"),
    re_path(r"^payments/cancel-payment/?$", actions.CancelPayment.as_view(), name="payment-cancel"),
    re_path(r"^payments/?$", payments.PaymentList.as_view(), name="payment-list"),
    re_path(r"^payments/(?P<public_id>[A-Za-z0-9_-]+)/?$", payments.PaymentDetail.as_view(), name="payment-detail"),
    re_path(r"^payment/?$", payments.TopUp.as_view(), name="payment-top-up"),
]
