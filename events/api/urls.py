"""/api/events/."""

from django.urls import path

from events.api import views

urlpatterns = [path("events/", views.EventList.as_view(), name="event-list")]
