"""Users, log-in, passwords and second factors."""

from datetime import timedelta

from billing_site.settings.environment import LOCAL, SITE_NAME, SITE_URL, env

# Log-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account"
SESSION_COOKIE_AGE = 60 * 60 * 12
# Failed log-ins of one account from one address (IPv6: one /64), after which that pair is locked for LOGIN_LOCKED_FOR
# seconds.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES", default=5, least=1)
# The same limit for one account from all addresses, and for one address at all accounts.
LOGIN_FAILURES_ANYWHERE = env.int("LOGIN_FAILURES_ANYWHERE", default=50, least=1)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("LOGIN_LOCKED_FOR", default=900, least=1))
AXES_HANDLER = "accounts.brute_force.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.brute_force.login_name"
AXES_CLIENT_IP_CALLABLE = "core.addresses.client_network"
AXES_LOCKOUT_CALLABLE = "billing_site.error_views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
ACCOUNT_ADAPTER = "accounts.web.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
# `none`, `optional` (a mail is sent, but log-in does not wait for it) or `mandatory`.
ACCOUNT_EMAIL_VERIFICATION = env.choice("EMAIL_VERIFICATION", ("none", "optional", "mandatory"), default="none")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# accounts.brute_force limits log-ins on pages, API and admin; allauth limits sign-ups and whatever sends mail.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    # The address to which gateways send customers back, which needs no log-in.
    "payment_return": "60/m/ip,20/m/key",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SITE_URL.startswith("https:") else "http"
ACCOUNT_FORMS = {
    "login": "accounts.web.forms.LoginForm",
    "signup": "accounts.web.forms.SignupForm",
    "reset_password": "accounts.web.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.web.forms.ResetPasswordKeyForm",
    "change_password": "accounts.web.forms.ChangePasswordForm",
    "reauthenticate": "accounts.web.forms.ReauthenticateForm",
}
MFA_FORMS = {
    "authenticate": "accounts.web.forms.AuthenticateForm",
    "reauthenticate": "accounts.web.forms.SecondFactorReauthenticateForm",
    "activate_totp": "accounts.web.forms.ActivateTOTPForm",
}
MFA_ADAPTER = "accounts.web.adapter.SecondFactorAdapter"
# The keys that encrypt the secrets of second factors: the first one encrypts, all of them decrypt.
LOCAL_MFA_KEY = "bG9jYWwtb25seS1ub3QtYS1rZXktMDAwMDAwMDAwMDA="
MFA_KEYS = env.list("MFA_KEYS") or ([LOCAL_MFA_KEY] if LOCAL else [])
# Staff must have a second factor to enter the admin.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not LOCAL)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
# allauth requires a confirmed address; where addresses are never confirmed, nobody could set up a second factor.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION != "mandatory"
