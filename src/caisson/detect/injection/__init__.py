"""Attacks on the model: what a text tries, how sure that is, and where it stands.

>>> from caisson.detect.injection import score
>>> score("What is the capital of Peru?").confidence
0.0
"""

from caisson.detect.injection.cues import prepare
from caisson.detect.injection.scoring import Mode, Score, findings, score
from caisson.detect.injection.session import SessionState

__all__ = ["Mode", "Score", "SessionState", "findings", "prepare", "score"]
