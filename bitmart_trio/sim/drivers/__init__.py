"""What moves a market: the synthetic flow, a tape, or a script."""
