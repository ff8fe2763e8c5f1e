from payments.models.payment import Payment
from payments.models.sandbox import SandboxDelivery, SandboxRefund, SandboxSession
from payments.models.webhook_event import WebhookEvent

__all__ = ["Payment", "SandboxDelivery", "SandboxRefund", "SandboxSession", "WebhookEvent"]
