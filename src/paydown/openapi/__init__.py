"""The OpenAPI 3.1 document: the calls and what is beside them, for programs and for readers."""
