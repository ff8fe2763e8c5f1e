"""/, /pricing/ and /account/subscriptions/<subscription>/..."""

from django.urls import path

from subscriptions.web import views

urlpatterns = [
    path("", views.pricing, name="home"),
    path("pricing/", views.pricing, name="pricing"),
    path("account/subscriptions/<str:public_id>/", views.subscription, name="subscription"),
    path("account/subscriptions/<str:public_id>/cancel/", views.cancel, name="subscription_cancel"),
]
