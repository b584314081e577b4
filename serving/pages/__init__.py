"""Pages for a browser: whom to talk to, and one customer at the moment of contact."""
