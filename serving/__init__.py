"""Scores with reasons and ranked offers, served over HTTP by BentoML."""
