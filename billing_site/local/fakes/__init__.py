"""Fakes of payment gateways that speak the gateway's real HTTP API on 127.0.0.1. For tests and `make run` only."""
