"""Tokens taken apart, changed and signed again, as an attacker would."""

import base64
import json

import jwt
from django.conf import settings

KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def forged(header: dict, payload: dict, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed(payload: dict, key: str = KEY, algorithm: str = "HS256", **headers) -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers or None)


def tampered(access: str, **changes) -> str:
    return signed({k: v for k, v in (claims(access) | changes).items() if v is not None})
