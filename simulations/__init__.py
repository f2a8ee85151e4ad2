"""Simulated programmes whose truth is known, to see what estimators are worth; and a week of the scheduler."""
