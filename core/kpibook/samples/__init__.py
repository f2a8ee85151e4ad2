"""Sample clients beside the demo: CDNOW, converted, and Marea, generated with known truth."""
