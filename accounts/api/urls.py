"""/api/auth/."""

from django.urls import path

from accounts.api import views

urlpatterns = [
    path("auth/register", views.Register.as_view(), name="api-register"),
    path("auth/token", views.LogIn.as_view(), name="api-token"),
    path("auth/token/refresh", views.Refresh.as_view(), name="api-token-refresh"),
    path("auth/logout", views.LogOut.as_view(), name="api-logout"),
    path("auth/confirm-email", views.ConfirmEmail.as_view(), name="api-confirm-email"),
    path("auth/me", views.Me.as_view(), name="api-me"),
]
