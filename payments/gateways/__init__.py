"""Payment gateways: the protocol they implement (base), the list of them (registry), and one package for each."""
