"""What things cost, measured against a running stack; figures are ratios and medians of one run."""
