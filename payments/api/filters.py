"""Filters of the list of payments, and the lookup of the caller's own subscription."""

from typing import cast

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from accounts.models import User
from core.api.lookup import NotFound, find_by_public_id
from payments.models import Payment
from subscriptions.api.serializers import check_plan
from subscriptions.models import Subscription


def own_subscription(customer: User, public_id: str) -> Subscription:
    """Return the customer's subscription with its plan; raise NotFound, of the parameter `subscription`, if none."""
    own = Subscription.objects.filter(customer=customer).select_related("price__plan", "customer")
    detail = _("You have no subscription with this id. GET /api/subscriptions/ lists your subscriptions.")
    return find_by_public_id(own, param="subscription", detail=detail, public_id=public_id)


class PaymentFilters(filters.FilterSet):
    """Filters of the list of payments. `created_after` is inclusive, `created_before` is exclusive."""

    status = filters.ChoiceFilter(choices=Payment.Status.choices)
    plan = filters.CharFilter(field_name="plan__code", max_length=60, method="of_plan")
    subscription = filters.CharFilter(field_name="subscription__public_id", max_length=40, method="of_subscription")
    client_reference_id = filters.CharFilter(max_length=200)
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    def of_plan(self, rows: QuerySet[Payment], name: str, code: str) -> QuerySet[Payment]:
        """Return the payments of a plan; raise a ValidationError of `plan` if no plan has this code."""
        try:
            return rows.filter(plan__code=check_plan(code))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"plan": error.detail}) from error

    def of_subscription(self, rows: QuerySet[Payment], name: str, public_id: str) -> QuerySet[Payment]:
        """Return the payments of a subscription; raise ValidationError if it is not the caller's."""
        try:
            return rows.filter(subscription=own_subscription(cast(User, self.request.user), public_id))
        except NotFound as error:
            raise serializers.ValidationError({"subscription": [ErrorDetail(error.detail, code=error.code)]}) from error
