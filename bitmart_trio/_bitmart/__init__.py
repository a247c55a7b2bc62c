"""The venue: everything that knows how BitMart spells, signs, wraps and numbers things. Sans-IO, on ``_core``."""
