from accounts.models.event import Event
from accounts.models.idempotency_key import IdempotencyKey
from accounts.models.rate_count import RateCount
from accounts.models.refresh_token import RefreshToken
from accounts.models.user import User

__all__ = ["Event", "IdempotencyKey", "RateCount", "RefreshToken", "User"]
