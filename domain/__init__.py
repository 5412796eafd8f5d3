"""What is true: frozen models and pure functions. Nothing here knows Temporal, Postgres, HTTP or a channel."""
