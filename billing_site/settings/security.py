"""Security: content policy, cookies, TLS, proxies, and the largest request."""

from csp.constants import NONE, SELF

from billing_site.settings.environment import env

# A source of a content policy: a scheme, or an origin whose first label may be a star.
ORIGIN = r"[a-z][a-z0-9+.-]*:|(?:https?://)?(?:\*\.)?[A-Za-z0-9.-]+(?::[0-9]+)?"
# Nothing inline, nothing from other hosts. Only billing_site.api_docs relaxes it, for the styles of Swagger UI.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Where forms may lead, redirects included. Pages that pay add the offered gateways' own (payments.web.policy).
        "form-action": [
            SELF,
            *env.words(
                "CSP_FORM_ACTION", ORIGIN, allowed="origins with commas between them", example="https://pay.example.com"
            ),
        ],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Set it when the site is behind TLS. Browsers then refuse plain HTTP for HSTS_SECONDS.
HTTPS = env.bool("HTTPS", default=False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
# Only if every subdomain of the site uses TLS too.
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("HSTS_SUBDOMAINS", default=False)
# Whether other names of the domain use TLS is not known here, so the two warnings about it would be noise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# __Host-: the browser accepts the cookie from this host only, over TLS, for the whole site.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = ("__Host-session", "__Host-csrf") if HTTPS else ("session", "csrftoken")
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "billing_site.error_views.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS")
# Only behind a proxy that sets X-Forwarded-Proto itself and drops the client's.
if env.bool("TRUST_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many of our proxies append to X-Forwarded-For. With 0 the header is not read.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# The largest request body in bytes, and the most fields of a form. There are no uploads.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("DATA_UPLOAD_MAX_MEMORY_SIZE", default=256 * 1024, least=1)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 0
