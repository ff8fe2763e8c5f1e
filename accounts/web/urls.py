"""/account/settings/..., /mails/stop/..., /signup/, /login/, /logout/, /password/..., /2fa/..."""

from django.urls import include, path

from accounts.web import views

urlpatterns = [
    path("signup/", views.SignUp.as_view(), name="account_signup"),
    path("account/settings/", views.preferences, name="settings"),
    path("account/settings/mails/", views.choose_mails, name="settings_mails"),
    path("mails/stop/<str:token>/", views.stop_mails, name="stop_mails"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
