"""Simulated programmes whose truth is known, to see what the estimators of the ROI are worth."""
