"""Stripe events, signed with the SDK's own helper."""

import itertools
import json
import time

import stripe

_numbers = itertools.count(1)


def event(event_type="payment_intent.succeeded", event_id=None, **data):
    number = next(_numbers)
    return {
        "id": event_id or f"evt_conformance_{time.time_ns()}_{number}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "type": event_type,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": f"pi_{number}", "object": "payment_intent", "amount": 2000} | data},
    }


def signed(body, secret, timestamp=None):
    """Body bytes and headers of a delivery. `body` is an event or raw text."""
    text = body if isinstance(body, str) else json.dumps(body)
    signature = stripe.WebhookSignature.generate_signature_header(text, secret, timestamp)
    return text.encode(), {"Stripe-Signature": signature, "Content-Type": "application/json"}
