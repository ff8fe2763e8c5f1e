from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ManualConfig(AppConfig):
    name = "payments.gateways.manual"
    label = "manual"
    verbose_name = _("Bank transfers and cash")
