"""Lists of known words for the recogniser: given names, family names, cities from Faker (MIT), and words of streets."""

# ruff: noqa: E501  (tables)

from __future__ import annotations

from collections import Counter

from caisson.detect.people.words import hashed
from people_text import LOCALES, TITLES, pool

LEAST_CHARACTERS = 2
STREETS = """
street st avenue ave road rd lane ln drive dr court ct boulevard blvd way place pl square sq terrace crescent close circle
parkway pkwy highway hwy alley gardens grove hill mews park quay row walk rue chemin allee allée impasse quai cours route via
viale piazza corso largo vicolo strada calle avenida avda plaza paseo camino carrera carretera ronda travesia rua travessa
praca praça alameda strasse straße str weg gasse platz allee ring damm ufer straat laan plein gracht kade steeg dijk gade vej
veien gata gatan vagen vägen stræde katu tie polku ulica ul ulice utca út útja tér krt bulevardul strada aleea ulitsa prospekt
pereulok cadde caddesi sokak sk cad bulvarı apt apartment suite ste unit flat floor box po p.o building bldg room lot psc apo
fpo dpo usns usnv uss usnm uscgc zip postcode
""".split()  # noqa: SIM905
COMPANIES = """
inc ltd llc gmbh ag plc corp corporation company co group sons partners holdings sa srl bv nv oy ab as aps kg ohg eurl sarl spa
bank university institute agency ministry department council club league society association foundation school college hospital
hotel labs systems technologies solutions software services media studio
""".split()  # noqa: SIM905


def lists(seed: int) -> dict[str, frozenset[int]]:
    """Hashes of words by list. A word of two lists of names is in the one where it is more frequent, or in both."""
    words: dict[str, Counter[str]] = {name: Counter() for name in ("first", "last", "city", "country")}
    for locale in dict.fromkeys(LOCALES):
        for name, counted in words.items():
            for value in pool(locale, name, seed):
                parts = value.lower().replace(",", " ").split()
                counted.update(
                    part.strip(".()") for part in parts if len(part) >= LEAST_CHARACTERS and part[0].isalpha()
                )
    fixed = {"title": {title.lower().strip(".") for title in TITLES}, "street": set(STREETS), "company": set(COMPANIES)}
    taken = fixed["street"] | fixed["company"] | fixed["title"]
    found = {name: {word for word in counted if word not in taken} for name, counted in words.items()}
    return {name: frozenset(map(hashed, group)) for name, group in {**fixed, **found}.items()}
