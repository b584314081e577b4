"""What the documentation shows that is computed: ``python -m docs`` writes it anew."""
