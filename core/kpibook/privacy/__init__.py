"""Which figures are withheld so that no published number rests on a few persons, and none can be worked out."""
