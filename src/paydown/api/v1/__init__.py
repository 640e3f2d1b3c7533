"""``/v1``: our own surface, plain JSON. ``door.V1`` answers it, from ``openapi.routes``."""
