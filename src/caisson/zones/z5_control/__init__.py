"""Zone 5, control: decides what is in force, signs it, records who changed what, keeps the log's anchors (IAM-03)."""
