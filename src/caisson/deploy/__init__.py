"""The same system on AWS: the system file turned into CloudFormation, an account per zone (`caisson synth`)."""
