"""What a client's runs keep on disk, so that a later one computes only what changed."""
