"""URLs of the payment pages: /checkout/<plan>/, /topup/, /pay/<payment>/... and /account/."""

from django.urls import path

from payments.web import (
    account,
    auto_top_up,
    automatic_payments,
    change_payment,
    checkout,
    departure,
    methods,
    payment_list,
    payment_page,
    receipt,
    return_page,
    subscription_payment,
    topup,
)
from payments.web.cancel import CancelToCardForm
from subscriptions.web.cancel import cancel

urlpatterns = [
    path("checkout/<slug:code>/", checkout.checkout_page, name="checkout"),
    path("topup/", topup.topup_page, name="topup"),
    path("pay/<str:public_id>/", payment_page.payment_page, name="payment"),
    path("pay/<str:public_id>/status/", payment_page.status, name="payment_status"),
    path("pay/<str:public_id>/return/", return_page.return_page, name="payment_return"),
    path("pay/<str:public_id>/receipt/", receipt.receipt, name="receipt"),
    path("pay/<str:public_id>/receipt.pdf", receipt.receipt_pdf, name="receipt_pdf"),
    path("pay/<str:public_id>/open/", payment_page.open_page, name="payment_open"),
    path("pay/<str:public_id>/cancel/", payment_page.cancel, name="payment_cancel"),
    path("account/settings/data.json", departure.data, name="account_data"),
    path("account/settings/close/", departure.close, name="close_account"),
    path("account/payments/", payment_list.payments, name="payments"),
    path("account/", account.account_page, name="account"),
    path("account/automatic-payments/", automatic_payments.automatic_payments, name="automatic_payments"),
    path("account/automatic-payments/top-up/", auto_top_up.auto_top_up, name="auto_top_up"),
    path("account/automatic-payments/top-up/off/", auto_top_up.auto_top_up_off, name="auto_top_up_off"),
    path("account/automatic-payments/withdraw/", automatic_payments.withdraw, name="automatic_payments_withdraw"),
    path(
        "account/subscriptions/<str:public_id>/pay/", subscription_payment.subscription_payment, name="subscription_pay"
    ),
    path("account/subscriptions/<str:public_id>/pay-change/", change_payment.change_payment, name="change_payment"),
    path("account/payment-methods/add/", methods.add, name="payment_method_add"),
    path("account/payment-methods/added/<str:public_id>/", methods.added, name="payment_method_added"),
    path("account/payment-methods/<str:public_id>/remove/", methods.remove, name="payment_method_remove"),
    path(
        "account/subscriptions/<str:public_id>/cancel/",
        cancel,
        {"form_class": CancelToCardForm},
        name="subscription_cancel",
    ),
    path(
        "account/subscriptions/<str:public_id>/start/",
        checkout.start_from_wallet,
        name="subscription_start",
    ),
]
