"""The schema's history, one file a step; their sum is ``schema.py``, by test."""
