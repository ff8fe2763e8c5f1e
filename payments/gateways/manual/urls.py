"""The page of a transfer. Its URL has the language of the customer, like every other page of the site."""

from django.urls import path

from payments.gateways.manual import views

urlpatterns = [
    path("transfer/<slug:transfer_id>/", views.manual_transfer, name="manual_transfer"),
]
