"""The real product in one thread, under a seeded clock, network and disk that fail on command."""
