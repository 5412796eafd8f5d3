"""The HTTP surface: routers parse, make one call and map errors; nothing is decided here."""
