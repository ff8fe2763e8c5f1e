"""/api/events/: the caller's own event log, its serializer and its filters."""

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from events.models import Event
from events.names import NAMES


class EventSerializer(serializers.ModelSerializer[Event]):
    """An event of the caller. Events are never changed or removed."""

    id = serializers.SerializerMethodField()
    type = serializers.CharField(help_text="For example `subscription.renewed`.")
    subject = serializers.CharField(help_text="Id of the object concerned.")
    # DRF removes fields from the class, so this does not hide the serializer's own `data`.
    data = serializers.DictField()  # type: ignore[assignment]
    effective_at = serializers.DateTimeField(help_text="When it took effect by the rules.")
    created_at = serializers.DateTimeField(help_text="When it was recorded.")

    class Meta:
        model = Event
        fields = ["id", "type", "subject", "data", "effective_at", "created_at"]
        read_only_fields = fields

    def get_id(self, row: Event) -> str:
        """Return the public id."""
        return f"evt_{row.pk}"


class EventFilters(filters.FilterSet):
    """Filters by exact type, one of those that there are, and exact subject."""

    type = filters.ChoiceFilter(choices=[(name, name) for name in NAMES])
    subject = filters.CharFilter(max_length=40)


class EventList(GenericAPIView):
    """The caller's own event log."""

    serializer_class = EventSerializer
    filterset_class = EventFilters
    queryset = Event.objects.none()

    @extend_schema(operation_id="events_list", responses=EventSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the events, newest first."""
        events = Event.objects.filter(customer_id=request.user.pk)
        page = self.paginate_queryset(self.filter_queryset(events)) or []
        return self.get_paginated_response(EventSerializer(page, many=True).data)
