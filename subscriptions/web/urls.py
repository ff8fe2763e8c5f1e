"""/, /pricing/, /account/subscriptions/<subscription>/... and /account/transactions/."""

from django.urls import path

from subscriptions.web import transactions, views

urlpatterns = [
    path("", views.pricing, name="home"),
    path("pricing/", views.pricing, name="pricing"),
    path("account/subscriptions/<str:public_id>/", views.subscription, name="subscription"),
    path("account/subscriptions/<str:public_id>/cancel/", views.cancel, name="subscription_cancel"),
    path("account/transactions/", transactions.transactions, name="transactions"),
    path("account/transactions.csv", transactions.transactions_csv, name="transactions_csv"),
]
