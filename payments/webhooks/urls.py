"""/webhooks/<gateway>/: where gateways report to. The same in every language, so never inside i18n_patterns."""

from django.urls import path

from payments.webhooks import receive

urlpatterns = [path("webhooks/<slug:gateway>/", receive.webhook, name="webhook")]
