"""/, /pricing/, /account/subscriptions/<subscription>/... and /account/transactions/."""

from django.urls import path

from subscriptions.web import transactions
from subscriptions.web.views import changing, managing, pricing, subscription

ONE = "account/subscriptions/<str:public_id>/"

urlpatterns = [
    path("", pricing.pricing, name="home"),
    path("pricing/", pricing.pricing, name="pricing"),
    path(ONE, subscription.subscription, name="subscription"),
    path(f"{ONE}change/", changing.change, name="subscription_change"),
    path(f"{ONE}change/<str:quote_id>/", changing.confirm, name="subscription_change_confirm"),
    path(f"{ONE}keep-plan/", managing.keep_plan, name="subscription_keep_plan"),
    path(f"{ONE}pause/", managing.pause, name="subscription_pause"),
    path(f"{ONE}resume/", managing.resume, name="subscription_resume"),
    path(f"{ONE}cancel/", managing.cancel, name="subscription_cancel"),
    path(f"{ONE}undo-cancel/", managing.undo_cancel, name="subscription_undo_cancel"),
    path(f"{ONE}renew/", managing.renewal, {"renews": True}, name="subscription_renew"),
    path(f"{ONE}stop-renewing/", managing.renewal, {"renews": False}, name="subscription_stop_renewing"),
    path("account/transactions/", transactions.transactions, name="transactions"),
    path("account/transactions/txn_<int:number>/", transactions.transaction, name="transaction"),
    path("account/transactions.csv", transactions.transactions_csv, name="transactions_csv"),
]
