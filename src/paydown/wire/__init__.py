"""Legend's names and formats: bytes in, requests out, and back. No other layer knows them."""
