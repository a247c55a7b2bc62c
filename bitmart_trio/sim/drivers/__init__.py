"""Drive a market by the synthetic flow, a tape, or a script."""
