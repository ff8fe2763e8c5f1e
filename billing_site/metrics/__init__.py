"""Metrics in the format of Prometheus: /metrics. docs/ops/metrics.md lists them, ADR 0012 says where they come from."""
