"""All settings, by subject, from the environment. .env.example lists every variable with its meaning.

Without any variable the product runs locally: embedded PostgreSQL and Valkey, the sandbox gateway. billing_site.checks
refuses what must not be so in production when web, worker and scheduler start.
"""

from billing_site.settings.accounts import *
from billing_site.settings.api import *
from billing_site.settings.billing import *
from billing_site.settings.brand import *
from billing_site.settings.environment import *
from billing_site.settings.logs import *
from billing_site.settings.mail import *
from billing_site.settings.operators import *
from billing_site.settings.security import *
from billing_site.settings.site import *
from billing_site.settings.tasks import *
