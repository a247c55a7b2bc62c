"""A venue that is no real exchange: plain JSON over REST and one WebSocket; see ``docs/generic_venue.md``."""
