"""URLs of the price list, subscriptions, wallets and transactions."""

from django.urls import path

from subscriptions.api import explanations, plans, views, wallet

urlpatterns = [
    path("plans/", plans.PlanList.as_view(), name="plan-list"),
    path("plans/<slug:code>", plans.PlanDetail.as_view(), name="plan-detail"),
    path("subscriptions/", views.SubscriptionList.as_view(), name="subscription-list"),
    # As an older description of the API has it. No public id is a number.
    path("subscriptions/<int:user_id>", views.SubscriptionsByNumber.as_view(), name="user-subscriptions-by-number"),
    path("subscriptions/<slug:public_id>", views.SubscriptionDetail.as_view(), name="subscription-detail"),
    path("subscriptions/<slug:public_id>/access", views.SubscriptionAccess.as_view(), name="subscription-access"),
    path("subscriptions/<slug:public_id>/cancel", views.Cancel.as_view(), name="subscription-cancel"),
    path("subscriptions/<slug:public_id>/undo-cancel", views.UndoCancel.as_view(), name="subscription-undo-cancel"),
    path("subscriptions/<slug:public_id>/pause", views.Pause.as_view(), name="subscription-pause"),
    path("subscriptions/<slug:public_id>/resume", views.Resume.as_view(), name="subscription-resume"),
    path("subscriptions/<slug:public_id>/start", views.Start.as_view(), name="subscription-start"),
    path("subscriptions/<slug:public_id>/change-plan", views.ChangePlan.as_view(), name="subscription-change-plan"),
    path(
        "subscriptions/<slug:public_id>/change-quantity",
        views.ChangeQuantity.as_view(),
        name="subscription-change-quantity",
    ),
    path(
        "subscriptions/<slug:public_id>/change-preview",
        views.ChangePreview.as_view(),
        name="subscription-change-preview",
    ),
    path("users/<int:user_id>/subscriptions", views.UserSubscriptions.as_view(), name="user-subscriptions"),
    path("transactions/<txn:transaction_id>/explain", explanations.Explain.as_view(), name="transaction-explain"),
    path("wallet/", wallet.Wallet.as_view(), name="wallet"),
]
