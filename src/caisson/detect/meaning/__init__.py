"""What a text is about, and whether an answer stands on its sources, by static sentence vectors."""
