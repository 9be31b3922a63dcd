"""Networks that templates make: who reaches whom, and what is claimed of that.

    for proof in examine(read(Path("cdk.out"))):
        print(proof.verdict, proof.claim.id, proof.way)

addresses, traffic   one address and port for every way to tell them apart
model                VPCs, routes, filters, interfaces, firewalls as values
building             all of it out of templates: places, routing, filtering, interfaces, transit, firewalls, suricata
filters, paths       what a filter lets through, where packets go
reach                ways between interfaces, to the internet and from it
bearing              which answers depend on what is not known
doors                what answers the internet without an address in a VPC
claims               what is claimed of anybody's network, decided
declared, ground     what a system file and the channel table say, and the subnets of its accounts
zones, needs         what these must not let through, and what they must
examination          all claims
"""

from caisson.assurance.network.examination import examine

__all__ = ["examine"]
