"""Churn and offer models: trained on signals, tracked and registered in MLflow."""
