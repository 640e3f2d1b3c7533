"""The books' rules, pure: no I/O, clock, thread, database or HTTP. Times and ids are passed in."""
