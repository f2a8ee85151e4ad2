"""What a director sees: words, tables, charts, page one. Nothing here computes a figure."""
