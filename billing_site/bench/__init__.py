"""Measurements: every figure a ratio of two things done in one run on one machine. `make bench` prints them."""
