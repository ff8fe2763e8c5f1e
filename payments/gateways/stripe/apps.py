from django.apps import AppConfig


class StripeConfig(AppConfig):
    name = "payments.gateways.stripe"
    label = "stripe"
    verbose_name = "Stripe"
