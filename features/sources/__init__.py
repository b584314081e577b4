"""Where histories come from: files and databases of any shape, and the demo's data."""
