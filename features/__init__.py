"""Engagement signals: derived from interactions, the same value in batch, online and on Spark."""
