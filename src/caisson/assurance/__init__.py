"""Shows what holds: the catalogue of controls, the probes that attack a system, and the verdicts with their evidence.

controls/   the 80 controls: what each means, which code enforces it, what shows it
probes/     attacks on a running system, and on a rehearsal of it with a hostile model
templates/  templates and policies of anyone, read into resources
iam/        what AWS decides for a request under given policies
evidence/   verdicts, and how they are told

Sits above zones and adapters, whose code it tries, and below the command line, which prints what it found.
"""
