"""The HTTP door: the two calls, and what is served beside them. ``app.make_app`` builds it."""
