"""Networks that templates make: who reaches whom, and what is claimed of that.

addresses, traffic   one address and port for every way to tell them apart
model                VPCs, routes, filters, interfaces, firewalls as values
building             all of it out of templates: places, routing, filtering, interfaces, transit, firewalls, suricata
filters, paths       what a filter lets through, where packets go
reach                ways between interfaces, to the internet and from it
doors                what answers the internet without an address in a VPC
claims               what is claimed, decided
"""
