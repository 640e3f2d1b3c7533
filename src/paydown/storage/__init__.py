"""Facts in, outcomes out: the one place that speaks SQL. No driver type or error leaves it."""
