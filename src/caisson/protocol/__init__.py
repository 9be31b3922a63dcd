"""AWS wire formats as pure functions, for whoever serves them (zone 1) and whoever calls them (adapters/aws)."""
