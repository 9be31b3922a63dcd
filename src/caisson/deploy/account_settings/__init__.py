"""What an account that invokes models has set for all of it: its invocation log, and that Bedrock keeps no prompts."""
