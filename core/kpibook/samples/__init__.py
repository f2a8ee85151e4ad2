"""Sample clients beside the demo: CDNOW, converted; Corner and Marea, made up."""
