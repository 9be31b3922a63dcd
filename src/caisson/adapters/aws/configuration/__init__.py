"""The repository of configuration and orders in a bucket of S3 (decision 25).

The repository in a folder stays as it is at both ends; the bucket carries its files, and is believed in nothing: what
was changed, left out, held back or made up there is found by the client of the repository, as in a folder.

    upload.py     the control zone's folder into the bucket
    download.py   the bucket into a folder of the zone that reads
"""

from caisson.adapters.aws.configuration.download import Download
from caisson.adapters.aws.configuration.upload import Upload

__all__ = ["Download", "Upload"]
