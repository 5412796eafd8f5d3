"""Postgres, Temporal, the API and a worker under one command, for a laptop, a demo and the tests.

`Postgres` and `Temporal` are the real servers, unpacked from wheels; each is a `Child` that can be started, stopped and killed
on its own. `Stack` runs all parts, starts those again that die, and ends them together.
"""
