"""URLs of the payments API. Each works with and without a trailing slash: a redirect would lose the body."""

from django.urls import path, re_path

from payments.api import auto_top_ups, consents, methods, refunds, transactions, views

urlpatterns = [
    re_path(
        r"^payments/create-checkout-session/?$",
        views.CreateCheckoutSession.as_view(),
        name="payment-create-checkout-session",
    ),
    re_path(r"^payments/confirm-payment/?$", views.ConfirmPayment.as_view(), name="payment-confirm"),
    re_path(r"^payments/cancel-payment/?$", views.CancelPayment.as_view(), name="payment-cancel"),
    re_path(
        r"^payments/cancel-subscription/?$", refunds.CancelSubscription.as_view(), name="payment-cancel-subscription"
    ),
    re_path(r"^payments/?$", views.PaymentList.as_view(), name="payment-list"),
    re_path(
        r"^payments/(?P<public_id>[A-Za-z0-9_-]+)/refunds/?$", refunds.PaymentRefunds.as_view(), name="payment-refunds"
    ),
    re_path(r"^payments/(?P<public_id>[A-Za-z0-9_-]+)/?$", views.PaymentDetail.as_view(), name="payment-detail"),
    re_path(r"^payment-methods/?$", methods.PaymentMethodList.as_view(), name="payment-method-list"),
    re_path(
        r"^payment-methods/(?P<public_id>[A-Za-z0-9_-]+)/?$",
        methods.PaymentMethodDetail.as_view(),
        name="payment-method-detail",
    ),
    re_path(r"^consents/?$", consents.ConsentList.as_view(), name="consent-list"),
    re_path(r"^consents/(?P<public_id>[A-Za-z0-9_-]+)/?$", consents.ConsentDetail.as_view(), name="consent-detail"),
    re_path(r"^automatic-top-ups/?$", auto_top_ups.AutoTopUpList.as_view(), name="automatic-top-up-list"),
    re_path(
        r"^automatic-top-ups/(?P<public_id>[A-Za-z0-9_-]+)/?$",
        auto_top_ups.AutoTopUpDetail.as_view(),
        name="automatic-top-up-detail",
    ),
    path("transactions/", transactions.TransactionList.as_view(), name="transaction-list"),
    path("transactions/<txn:transaction_id>", transactions.TransactionDetail.as_view(), name="transaction-detail"),
    re_path(r"^payment/?$", views.TopUp.as_view(), name="payment-top-up"),
]
