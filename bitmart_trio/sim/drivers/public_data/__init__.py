"""Read market data that others publish as the moments of a tape."""
