"""Addresses of the log."""

from django.urls import path

from ledger.api import views

urlpatterns = [
    path("transactions/", views.TransactionList.as_view(), name="transaction-list"),
    path("transactions/txn_<int:number>", views.TransactionDetail.as_view(), name="transaction-detail"),
]
