"""The URLs of a site whose mail provider reports bounces. No test lives here."""

from django.urls import include, path

from billing_site.urls import handler400, handler403, handler404, handler500
from billing_site.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [path("webhooks/mail/", include("anymail.urls")), *site]
