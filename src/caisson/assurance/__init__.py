"""Evidence that controls hold: proofs over policies, probes, reports."""
