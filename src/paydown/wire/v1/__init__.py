"""The shapes of ``/v1``: what is sent (``orders``) and what is answered (``documents``)."""
