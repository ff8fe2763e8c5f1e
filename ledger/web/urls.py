"""/account/transactions/ and the same as CSV."""

from django.urls import path

from ledger.web import views

urlpatterns = [
    path("account/transactions/", views.transactions, name="transactions"),
    path("account/transactions.csv", views.transactions_csv, name="transactions_csv"),
]
