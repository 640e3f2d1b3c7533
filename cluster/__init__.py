"""A cluster on one machine, to try failover with: three PostgreSQL nodes and two servers.

Law of this folder: everything listens on 127.0.0.1, every wait has an end, and whatever was started
ends with the trial, however the trial ends.
"""
