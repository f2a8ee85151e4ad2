"""From params to a finished, validated report folder."""
