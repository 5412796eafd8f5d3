"""What waits. Workflows hold progress only: they ask for a look, do what it says is next, and wait for a poke or a clock."""
