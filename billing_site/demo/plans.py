"""The plans of the demo: three monthly plans paid in advance and one metered by the hour, in roubles and euros."""

from datetime import datetime
from typing import Any

from subscriptions import catalogue
from subscriptions.models import Plan

MONTHLY = {"interval": "month"}
HOURLY = {"interval": "hour", "metered": True}

# Code, texts, terms, and the amounts in minor units (kopecks and cents).
PLANS: tuple[tuple[str, dict[str, Any], dict[str, Any], dict[str, int]], ...] = (
    (
        "basic",
        {
            "name": "Basic",
            "name_ru": "Базовый",
            "description": "For one person and a first project.",
            "description_ru": "Для одного человека и первого проекта.",
            "features": ["1 project", "5 GB of storage", "Help by email"],
            "features_ru": ["1 проект", "5 ГБ хранилища", "Поддержка по почте"],
        },
        MONTHLY,
        {"RUB": 299_00, "EUR": 3_50},
    ),
    (
        "standard",
        {
            "name": "Standard",
            "name_ru": "Стандартный",
            "description": "For a small team that works every day.",
            "description_ru": "Для небольшой команды, которая работает каждый день.",
            "features": ["10 projects", "50 GB of storage", "Help within a day", "3 extra days to pay"],
            "features_ru": ["10 проектов", "50 ГБ хранилища", "Поддержка в течение дня", "3 дня отсрочки платежа"],
            "is_highlighted": True,
        },
        MONTHLY | {"grace_days": 3},
        {"RUB": 690_00, "EUR": 7_90},
    ),
    (
        "premium",
        {
            "name": "Premium",
            "name_ru": "Премиум",
            "description": "For a company that cannot wait.",
            "description_ru": "Для компании, которой нельзя ждать.",
            "features": ["Unlimited projects", "500 GB of storage", "Help within an hour", "14 days free"],
            "features_ru": [
                "Без ограничения проектов",
                "500 ГБ хранилища",
                "Поддержка в течение часа",
                "14 дней бесплатно",
            ],
        },
        MONTHLY | {"trial_days": 14, "grace_days": 7},
        {"RUB": 1490_00, "EUR": 15_90},
    ),
    (
        "hourly",
        {
            "name": "Pay as you go",
            "name_ru": "Почасовой",
            "description": "A server you pay for by the second.",
            "description_ru": "Сервер с посекундной оплатой.",
            "features": ["Charged by the second", "Pause at any time", "Stops when the balance is zero"],
            "features_ru": ["Посекундные списания", "Пауза в любой момент", "Останавливается при нулевом балансе"],
        },
        HOURLY,
        {"RUB": 1_50, "EUR": 2},
    ),
)


def put_on_sale(*, now: datetime) -> None:
    """Create the plans and their first prices."""
    for position, (code, texts, terms, amounts) in enumerate(PLANS, start=1):
        plan = Plan.objects.create(code=code, position=position, **texts)
        for currency, amount in amounts.items():
            catalogue.first_version(plan, now=now, currency=currency, amount=amount, **terms)
