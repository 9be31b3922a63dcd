"""A text as its author meant it to be read, with the way back to what was written."""
