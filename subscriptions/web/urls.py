"""URLs of the subscription pages: /, /pricing/, /account/subscriptions/<id>/... and /account/transactions/."""

from django.urls import path

from subscriptions.web import (
    change_plan,
    change_quantity,
    confirm_change,
    home,
    months,
    pause,
    pricing,
    subscriptions,
    transactions,
)

ONE = "account/subscriptions/<str:public_id>/"

urlpatterns = [
    path("", home.home_page, name="home"),
    path("pricing/", pricing.pricing, name="pricing"),
    path(ONE, subscriptions.subscription_page, name="subscription"),
    path(f"{ONE}change/", change_plan.change, name="subscription_change"),
    path(f"{ONE}quantity/", change_quantity.quantity, name="subscription_quantity"),
    path(f"{ONE}change/<str:quote_id>/", confirm_change.confirm, name="subscription_change_confirm"),
    path(f"{ONE}keep-plan/", subscriptions.keep_plan, name="subscription_keep_plan"),
    path(f"{ONE}pause/", pause.pause, name="subscription_pause"),
    path(f"{ONE}resume/", pause.resume, name="subscription_resume"),
    path(f"{ONE}undo-cancel/", subscriptions.undo_cancel, name="subscription_undo_cancel"),
    path(f"{ONE}renew/", subscriptions.renewal, name="subscription_renew"),
    path("account/transactions/", transactions.transactions, name="transactions"),
    path("account/transactions/txn_<int:number>/", transactions.transaction, name="transaction"),
    path("account/statements/", months.statement_list, name="statements"),
    path("account/statements/<str:currency>/<str:month>/", months.statement, name="statement"),
    path("account/statements/<str:currency>/<str:month>.pdf", months.statement_pdf, name="statement_pdf"),
    path("account/transactions.csv", transactions.transactions_csv, name="transactions_csv"),
]
