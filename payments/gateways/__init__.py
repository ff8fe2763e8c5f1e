"""Gateways: how they look to us (base), which we have (registry), and one package for each."""
