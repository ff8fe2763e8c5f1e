"""All settings, in one file, from the environment. Every variable stands in .env.example with its meaning.

Without any variable the product runs locally: embedded PostgreSQL and Valkey, the sandbox gateway. What must
not be so in production is refused by billing_site.checks, when web, worker and scheduler start.
"""

import logging
from datetime import timedelta
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from billing_site import logs
from billing_site.local import paths
from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey

BASE_DIR = paths.ROOT
VAR_DIR = paths.VAR

env = environ.Env()

# --- Core -----------------------------------------------------------------------------------------------------------
# Local: nobody but us can reach it, and the defaults below will do. Anything else is production and must name its own.
LOCAL = env.bool("LOCAL", default=not (env.str("SECRET_KEY", default="") or env.str("DATABASE_URL", default="")))
DEBUG = env.bool("DEBUG", default=False)
LOCAL_SECRET_KEY = "local-only-not-a-secret-" + "0" * 40
SECRET_KEY = env.str("SECRET_KEY", default="") or (LOCAL_SECRET_KEY if LOCAL else "")
if not LOCAL and SECRET_KEY in ("", LOCAL_SECRET_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Give it 50 random characters or more: `openssl rand -base64 48`. "
        "On a machine that only you can reach, LOCAL=1 does without."
    )
# Older keys, still good for reading what was signed with them: change SECRET_KEY without logging everybody out.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
PORT = env.int("PORT", default=8000)
# Links in mails, return addresses and the sandbox's webhooks start with this; never with the Host header.
SITE_URL = (env.str("SITE_URL", default="") or f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or (
    ["localhost", "127.0.0.1", "[::1]"] if LOCAL else [urlsplit(SITE_URL).hostname or ""]
)
SITE_NAME = env.str("SITE_NAME", default="Acme Billing")
ROOT_URLCONF = "billing_site.urls"
WSGI_APPLICATION = "billing_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "billing_site", "payments", "payments.gateways.sandbox", "subscriptions", "ledger", "events", "accounts", "core",
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.postgres",
    "rest_framework", "django_filters", "drf_spectacular", "drf_spectacular_sidecar",
    "allauth", "allauth.account", "allauth.mfa", "axes", "csp", "django_celery_beat", "django_structlog",
]  # fmt: skip

MIDDLEWARE = [
    "billing_site.health.probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "billing_site.middleware.RequestLog",
    "billing_site.middleware.request_id_header",
    "billing_site.middleware.no_store_for_api",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "billing_site.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "billing_site.error_views.Pages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "billing_site.context_processors.site",
            ],
        },
    }
]

# --- Database -------------------------------------------------------------------------------------------------------
# Without DATABASE_URL: a server of our own under var/, started by manage.py and `make run`.
EMBEDDED_POSTGRES = not env.str("DATABASE_URL", default="")
DATABASES = {
    "default": env.db_url_config(env.str("DATABASE_URL", default="") or Postgres(VAR_DIR / "postgres").url)
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.str("TEST_DATABASE", default="test_billing")},
    }
}
# Nobody waits for a lock, runs a statement or holds a transaction open for longer than this.
DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
    "connect_timeout": 5,
    "options": "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c timezone=UTC",
}

# --- Cache ----------------------------------------------------------------------------------------------------------
# Redis or Valkey, shared by all processes. Without CACHE_URL: a Valkey of our own under var/, which is the broker too.
EMBEDDED_VALKEY = not (env.str("CELERY_BROKER_URL", default="") and env.str("CACHE_URL", default=""))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("CACHE_URL", default="") or Valkey(VAR_DIR / "valkey").cache_url(),
        # A cache that hangs is treated as one that is down.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

# --- Who logs in, and how -------------------------------------------------------------------------------------------
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
# Failures of one account from one address that lock it for that address, until LOGIN_LOCKED_FOR has passed.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES", default=5)
# The same for one account from anywhere, and for one address at any account.
LOGIN_FAILURES_ANYWHERE = env.int("LOGIN_FAILURES_ANYWHERE", default=50)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("LOGIN_LOCKED_FOR", default=900))
AXES_HANDLER = "accounts.brute_force.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.brute_force.login_name"
AXES_CLIENT_IP_CALLABLE = "core.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "billing_site.error_views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
ACCOUNT_ADAPTER = "accounts.web.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
# `none`, `optional` (a mail is sent, nothing waits for it) or `mandatory`.
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="none")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# accounts.brute_force limits log-ins, for pages, API and admin alike; allauth limits what sends mail and sign-ups.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
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
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
# allauth would ask for a confirmed address first; where none is ever asked for, nobody could protect his account.
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION != "mandatory"

# --- Language and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files ---------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Each file is served compressed, carries its content's hash in its name, and is cached for ever.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Browser security -----------------------------------------------------------------------------------------------
# Nothing inline, nothing from elsewhere. billing_site.api_docs relaxes styles for Swagger UI, nothing else does.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Where forms may lead, redirects included: the gateways' pages.
        "form-action": [SELF, *env.list("CSP_FORM_ACTION", default=[])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# The one switch for a site behind TLS. Browsers that saw it once refuse plain HTTP for HSTS_SECONDS.
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
# Only when every subdomain of the site speaks TLS too.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("HSTS_SUBDOMAINS", default=False)
# __Host-: the browser takes the cookie from this host only, over TLS, for the whole site.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = ("__Host-session", "__Host-csrf") if HTTPS else ("session", "csrftoken")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "billing_site.error_views.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Only behind a proxy that sets X-Forwarded-Proto itself and drops the caller's.
if env.bool("TRUST_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand in front and append to X-Forwarded-For. 0: the header is not read.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# The largest request body, in bytes, and the most fields of a form. There are no uploads.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("DATA_UPLOAD_MAX_MEMORY_SIZE", default=256 * 1024)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 0

# --- API ------------------------------------------------------------------------------------------------------------
# Requests of one user, of one address, of one address to register and to log in. `30/m` is thirty in a minute.
API_RATES = {
    "user": env.str("API_RATE_USER", default="1200/m"),
    "address": env.str("API_RATE_ADDRESS", default="2400/m"),
    "register": env.str("API_RATE_REGISTER", default="60/h"),
    "login": env.str("API_RATE_LOGIN", default="60/m"),
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.SafeJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["core.api.filters.StrictFilters"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.CursorPages",
    "DEFAULT_THROTTLE_CLASSES": [
        "core.api.throttles.ByScope",
        "core.api.throttles.ByAddress",
        "core.api.throttles.ByUser",
    ],
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.DescribedSchema",
    "EXCEPTION_HANDLER": "billing_site.problems.handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
LOCAL_JWT_SIGNING_KEY = "local-only-not-a-key-" + "0" * 43
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    # Not SECRET_KEY: who learns one of them has not learned the other.
    "SIGNING_KEY": env.str("JWT_SIGNING_KEY", default="") or (LOCAL_JWT_SIGNING_KEY if LOCAL else ""),
    "ISSUER": env.str("JWT_ISSUER", default="") or SITE_URL,
    "AUDIENCE": env.str("JWT_AUDIENCE", default="billing-api"),
    "LEEWAY": 0,
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=env.int("JWT_ACCESS_SECONDS", default=600)),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=env.int("JWT_REFRESH_SECONDS", default=24 * 3600)),
    "USER_ID_CLAIM": "user_id",
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME + " API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api(/v1)?",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SubscriptionStatus": "subscriptions.models.Subscription.Status",
        "PaymentStatus": "payments.models.Payment.Status",
        "TransactionReason": "ledger.models.Transaction.Reason",
        "Interval": "subscriptions.models.Price.Interval",
    },
    "PREPROCESSING_HOOKS": ["core.api.schema.each_path_once"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.document_problems",
    ],
}

# --- Tasks ----------------------------------------------------------------------------------------------------------
# A task is a poke: what is due stands in PostgreSQL. So a task may be lost, doubled or late without harm.
# Redis or Valkey; without CELERY_BROKER_URL the Valkey of our own.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or Valkey(VAR_DIR / "valkey").broker_url()
# Asking the broker to take a poke takes a second at most, and a request never fails of it (billing_site.celery.Poke).
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    # Longer than any task may run, so that no second worker is handed one that still does.
    "visibility_timeout": 900,
    # A broker that hangs is treated as one that is down.
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 210
CELERY_TASK_TIME_LIMIT = 240
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Seconds between two pokes. Staff may change them in the admin; a poke that waited for longer than that is dropped.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": timedelta(seconds=seconds), "options": {"expires": max(seconds, 10)}}
    for name, task, seconds in (
        ("bill-due", "subscriptions.tasks.bill_due", 60),
        ("process-webhooks", "payments.tasks.process_webhooks", 10),
        ("reconcile-payments", "payments.tasks.reconcile", 10),
        ("expire-payments", "payments.tasks.expire", 60),
        ("clean", "accounts.tasks.clean", 3600),
        ("forget-quotes", "subscriptions.tasks.forget_quotes", 3600),
        ("fold-rollups", "ledger.tasks.fold_rollups", 60),
    )
}

# --- Logs -----------------------------------------------------------------------------------------------------------
# `console` is for people, `json` (one object a line) for machines. Both without secrets. A local run is quiet.
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if LOCAL else "json")
LOGGING = logs.config(LOG_FORMAT, level=env.str("LOG_LEVEL", default="WARNING" if LOCAL else "INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# One line for each request, when it is answered.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
# What calls came from is personal data; throttles and lock-outs keep what they need, hashed.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

# --- Mail -----------------------------------------------------------------------------------------------------------
# Mails go to the terminal unless EMAIL_URL names a server: smtp+tls://user:password@host:587
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Billing <billing@localhost>")
EMAIL_TIMEOUT = 10

# --- Billing --------------------------------------------------------------------------------------------------------
# How often metered use is written down at least. Changes how charges are cut, never what they add up to.
BILLING_METER_EVERY = timedelta(seconds=env.int("BILLING_METER_EVERY", default=3600))
# A run that would catch up more than this waits for staff: a clock that jumped must not bill a year.
BILLING_MAX_CATCH_UP = timedelta(seconds=env.int("BILLING_MAX_CATCH_UP", default=7 * 24 * 3600))
# Books one worker claims and settles in one transaction.
BILLING_BATCH = env.int("BILLING_BATCH", default=1000)

# --- Payments -------------------------------------------------------------------------------------------------------
PAYMENT_GATEWAYS = env.list("PAYMENT_GATEWAYS", default=["sandbox"])
# Every gateway the code has. Those named above are in use, the first one by default.
GATEWAY_CLASSES = {"sandbox": "payments.gateways.sandbox.gateway.Sandbox"}
PAYMENT_EXPIRES_AFTER = timedelta(seconds=env.int("PAYMENT_EXPIRES_AFTER", default=1800))
LOCAL_WEBHOOK_SECRET = "whsec_bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtMDAwMDAwMDA="
SANDBOX_WEBHOOK_SECRET = env.str("SANDBOX_WEBHOOK_SECRET", default=LOCAL_WEBHOOK_SECRET if LOCAL else "")
if "sandbox" in PAYMENT_GATEWAYS:
    CELERY_BEAT_SCHEDULE["deliver-sandbox-webhooks"] = {
        "task": "payments.gateways.sandbox.tasks.deliver_sandbox_webhooks",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 10},
    }
# Top-ups, by currency, in minor units: the least and the most of one payment.
TOP_UP_LIMITS = {"RUB": (100_00, 1_000_000_00), "EUR": (1_00, 10_000_00)}
