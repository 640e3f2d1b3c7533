"""The bench: what Paydown can do, each figure beside one that says what it is worth."""
