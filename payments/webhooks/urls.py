"""/webhooks/<gateway>/. The URL is the same in every language, so never put it inside i18n_patterns."""

from django.urls import path

from payments.webhooks import receive

urlpatterns = [path("webhooks/<slug:gateway>/", receive.webhook, name="webhook")]
