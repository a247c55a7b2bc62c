"""What everything costs, as ratios to others who do the same work in the same run: ``python -m tests.bench``."""
