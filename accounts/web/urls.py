"""/account/settings/..., /mails/stop/..., /signup/, /login/, /logout/, /password/..., /2fa/..."""

from django.urls import include, path

from accounts.web import address, settings, views

urlpatterns = [
    path("signup/", views.SignUp.as_view(), name="account_signup"),
    path("account/settings/", settings.preferences, name="settings"),
    path("account/settings/mails/", settings.choose_mails, name="settings_mails"),
    path("account/settings/profile/", settings.profile, name="settings_profile"),
    path("account/settings/sessions/", settings.log_out_elsewhere, name="settings_log_out_elsewhere"),
    path("account/settings/sessions/<int:number>/end/", settings.end_session, name="settings_end_session"),
    path("email/", address.change, name="account_email"),
    path("email/confirm/", address.send_link, name="send_confirmation"),
    path("email/change/<str:token>/", address.confirm, name="email_change"),
    path("mails/stop/<str:token>/", views.stop_mails, name="stop_mails"),
    path("2fa/", include("allauth.mfa.urls")),
    path("", include("allauth.account.urls")),
]
