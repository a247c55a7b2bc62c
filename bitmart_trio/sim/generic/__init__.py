"""A venue of no particular exchange: plain JSON over REST and one WebSocket, see ``docs/generic_venue.md``."""
