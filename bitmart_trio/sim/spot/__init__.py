"""Money and orders of the spot market: pairs, matching, algo orders, isolated margin, savings."""
