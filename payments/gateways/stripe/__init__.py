"""Stripe: hosted Checkout Sessions through the official SDK. docs/add-a-gateway.md says how to set it up."""
