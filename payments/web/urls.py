"""/checkout/<plan>/, /topup/, /pay/<payment>/... and /account/."""

from django.urls import path

from payments.web.views import account, checkout, payment, topup, waiting

urlpatterns = [
    path("checkout/<slug:code>/", checkout.checkout, name="checkout"),
    path("topup/", topup.topup, name="topup"),
    path("pay/<str:public_id>/", payment.payment, name="payment"),
    path("pay/<str:public_id>/status/", payment.status, name="payment_status"),
    path("pay/<str:public_id>/open/", payment.open_page, name="payment_open"),
    path("pay/<str:public_id>/cancel/", payment.cancel, name="payment_cancel"),
    path("account/", account.account, name="account"),
    path("account/subscriptions/<str:public_id>/start/", waiting.start, name="subscription_start"),
]
