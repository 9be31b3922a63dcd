"""What clients speak: each parsed to one `Conversation`, rendered from one answer, none with a path of its own."""
