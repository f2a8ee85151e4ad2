"""Sixteen KPIs by total, month and channel over two years, in three ways: by hand, through the engine, one by one."""
