"""Money, orders and positions of the futures market."""
