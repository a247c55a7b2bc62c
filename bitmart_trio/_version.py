"""The version, in its one place: packaging, the user agent and the documentation read it from here."""

__version__ = "0.1.0"
