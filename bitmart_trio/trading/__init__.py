"""Trading that survives cancellation: sessions that journal every order and clean up after themselves."""
