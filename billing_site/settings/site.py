"""The Django project: applications, middleware, templates, database, cache, languages, static files."""

from urllib.parse import urlsplit

import environ
from django.utils.translation import gettext_lazy as _

from billing_site.local.postgres import Postgres
from billing_site.local.valkey import Valkey
from billing_site.settings.environment import BASE_DIR, LOCAL, SITE_URL, VAR_DIR, env

# Older keys, still accepted for what they signed, so that a new SECRET_KEY does not log everybody out.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9a-fA-F:.]+\]",
    allowed="host names without a scheme, a port or a path, with commas between them",
    example="billing.example.com",
) or (["localhost", "127.0.0.1", "[::1]"] if LOCAL else [urlsplit(SITE_URL).hostname or ""])
ROOT_URLCONF = "billing_site.urls"
WSGI_APPLICATION = "billing_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "billing_site.apps.BillingSiteConfig",
    "payments", "payments.gateways.sandbox", "payments.gateways.manual", "payments.gateways.stripe",
    "subscriptions", "ledger", "events", "accounts", "core",
    "billing_site.apps.DeskConfig", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.postgres",
    "rest_framework", "django_filters", "drf_spectacular", "drf_spectacular_sidecar",
    "allauth", "allauth.account", "allauth.mfa", "axes", "csp", "anymail", "django_celery_beat", "django_structlog",
]  # fmt: skip

MIDDLEWARE = [
    "billing_site.health.probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "billing_site.request_log.RequestLog",
    "billing_site.middleware.request_id_header",
    "billing_site.middleware.no_store",
    "billing_site.middleware.utf8_only",
    "billing_site.middleware.gateway_patience",
    "billing_site.middleware.database_patience",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "billing_site.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "billing_site.middleware.time_zone",
    "billing_site.middleware.staff_language",
    "billing_site.middleware.browser_sessions",
    "billing_site.middleware.signed_in_answers",
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
                "subscriptions.web.balances.in_head",
            ],
        },
    }
]

# Database
# Without DATABASE_URL: the embedded server under var/, which manage.py and `make run` start.
_database_url = env.url(
    "DATABASE_URL", ("postgresql", "postgres"), example="postgresql://billing:PASSWORD@db.example.com:5432/billing"
)
EMBEDDED_POSTGRES = not _database_url
DATABASES = {
    "default": environ.Env.db_url_config(_database_url or Postgres(VAR_DIR / "postgres").url)
    | {
        "ENGINE": "core.database",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.str("TEST_DATABASE", default="test_billing")},
    }
}
# A password of any characters, for a DATABASE_URL that has none.
POSTGRES_PASSWORD = env.str("POSTGRES_PASSWORD")
DATABASES["default"]["PASSWORD"] = DATABASES["default"].get("PASSWORD") or POSTGRES_PASSWORD
# A pooler in transaction mode, such as PgBouncer, is in front of the database. Sessions then change hands after each
# transaction, so nothing may depend on one: no prepared statements, no cursors of the server beyond a transaction.
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
PREPARED_STATEMENTS = not DATABASE_POOLED
DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
    "connect_timeout": 5,
    # A server whose network is gone is given up after half a minute, not after hours.
    "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000,
}  # fmt: skip
# The longest time to wait for a lock, run a statement, or leave a transaction idle; core.database.patience has how long
# we wait for an answer. A pooler lets no client set them
# for its session: then they belong to the role, and `manage.py check --database default` warns if they are not set.
SESSION_LIMITS = {
    "lock_timeout": "5s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s",
    # How often a statement that runs or waits looks whether its client is still there. A killed process keeps no lock.
    "client_connection_check_interval": "1s",
}  # fmt: skip
if not DATABASE_POOLED:
    limits = "".join(f"-c {name}={value} " for name, value in SESSION_LIMITS.items())
    DATABASES["default"]["OPTIONS"] |= {
        "options": f"{limits}-c timezone=UTC",
        # Prepare what asks for it (core.prepared_statements), never a statement only because it runs often. With None
        # nothing would be prepared.
        "prepare_threshold": 1_000_000_000,
    }
# How many seconds `manage.py migrate` waits for a lock. Everything that needs the table waits behind it.
MIGRATION_LOCK_SECONDS = env.int("MIGRATION_LOCK_SECONDS", default=5, most=86_400)

# Cache
# Redis or Valkey, shared by all processes. Without CACHE_URL: the embedded Valkey under var/, also the broker.
_cache_url = env.url("CACHE_URL", ("redis", "rediss", "unix"), example="redis://redis.example.com:6379/1")
EMBEDDED_VALKEY = not (env.str("CELERY_BROKER_URL") and _cache_url)
CACHES = {
    "default": {
        "BACKEND": "core.cache.ForgetfulRedisCache",
        "LOCATION": _cache_url or Valkey(VAR_DIR / "valkey").cache_url(),
        # A cache that hangs is treated as one that is down.
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
    }
}

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
# The zone of dates and times on pages and in mails, unless a customer has chosen one. The API is always in UTC.
TIME_ZONE = env.zone("TIME_ZONE", default="UTC")
USE_TZ = True
# How the admin writes dates and times. Customer pages use core.dates.
FORMAT_MODULE_PATH = "core.formats"

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Files are served compressed, with a hash of their content in the name, and cached for ever.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
