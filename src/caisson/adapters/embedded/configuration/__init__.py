"""Configuration and orders as a TUF repository in a folder (IAM-03, IAM-08).

`TufConfigurationPublisher` writes it in the control zone; each other zone reads it with a `TufConfigurationSource`,
once `establish_trust` has given the zone its root. `SteadyClock` is what a zone compares expiries with.
"""

from caisson.adapters.embedded.configuration import absent  # before what imports the TUF libraries
from caisson.adapters.embedded.configuration.client import establish_trust, share_trust
from caisson.adapters.embedded.configuration.publisher import TufConfigurationPublisher
from caisson.adapters.embedded.configuration.signing import OnlineKeys
from caisson.adapters.embedded.configuration.source import TufConfigurationSource
from caisson.adapters.embedded.configuration.steady import SteadyClock

__all__ = [
    "OnlineKeys", "SteadyClock", "TufConfigurationPublisher", "TufConfigurationSource", "absent", "establish_trust",
    "share_trust",
]  # fmt: skip
