"""What the product must bear: commands killed at random moments, and faults of machine, clock, user and plugin."""
