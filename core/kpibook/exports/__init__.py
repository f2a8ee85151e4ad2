"""A finished report in other forms: each reads what the report's folder holds, and computes no figure."""
