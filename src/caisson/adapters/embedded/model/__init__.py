"""Models on one machine: `offline` quotes, `script` plays what a file declares, `openai` calls a compatible server."""
