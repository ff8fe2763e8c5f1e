from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        """Look after each change of a subscription whether its open payment is still wanted."""
        # Models cannot be imported before the apps are loaded.
        from payments import tasks  # noqa: PLC0415
        from subscriptions import orders  # noqa: PLC0415

        orders.changed.connect(tasks.close_ended, dispatch_uid="payments.close_ended")
