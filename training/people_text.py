"""Sentences with names and addresses in them, labelled, for `training/people.py`.

Templates are ours; what fills them comes from Faker (MIT) in some sixty locales; prose without people is that of `people_prose.py`. Everything is drawn from one seed.

    {name} {first} {last} {title}   NAME           {address} {street} {unit}   ADDRESS
    {company}                       ORG            {place} {country}           LOC, or ADDRESS beside a street
"""

# ruff: noqa: E501  (a template is a line)

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from faker import Faker

from people_prose import prose

LOCALES = [
    "en_US",
    "en_GB",
    "en_AU",
    "en_CA",
    "en_IE",
    "en_IN",
    "en_NZ",
    "en_US",
    "en_GB",
    "en_US",
    "de_DE",
    "de_AT",
    "de_CH",
    "fr_FR",
    "fr_CH",
    "fr_CA",
    "es_ES",
    "es_MX",
    "es_CO",
    "es_AR",
    "it_IT",
    "pt_PT",
    "pt_BR",
    "nl_NL",
    "nl_BE",
    "pl_PL",
    "cs_CZ",
    "sk_SK",
    "hu_HU",
    "ro_RO",
    "bg_BG",
    "hr_HR",
    "sl_SI",
    "et_EE",
    "lt_LT",
    "lv_LV",
    "fi_FI",
    "sv_SE",
    "no_NO",
    "da_DK",
    "tr_TR",
    "el_GR",
    "ru_RU",
    "uk_UA",
    "en_PH",
    "id_ID",
    "fil_PH",
    "vi_VN",
    "en_IN",
    "en_NG",
    "en_GB",
    "zu_ZA",
    "tw_GH",
    "ig_NG",
    "yo_NG",
    "hy_AM",
]
POOL = 240
"""Values of each kind that a locale contributes."""
TITLES = ("Mr.", "Mrs.", "Ms.", "Dr.", "Miss", "Mr", "Ms", "Dr", "Prof.", "Sir", "Madam", "Herr", "Frau", "Sr.", "Mme")


class Labelled(NamedTuple):
    """A text and its spans: start, end, label."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    templates: tuple[str, ...]
    """What it was made of, where it was."""


TEMPLATES = (
    r"""
My name is {name}.|I am {name} and I live in {place}.|I'm {first}, nice to meet you!|Hi, this is {name} speaking.|Hello {first}, how are you today?|Dear {title} {last},
Dear {first},\n\nThank you for your letter.\n\nKind regards,\n{name}|Best regards,\n{name}\n{company}|Thanks,\n{first}|{name} wrote:|From: {name}\nTo: {name}\nSubject: the contract
{title} {last} will call you back.|Please ask for {title} {name} at the front desk.|Is {first} at home?|Why did {first} leave {company}?|{first} and {first} are getting married in {place}.
{name} is a {job} at {company}.|{name}, {job}, joined {company} in {year}.|The {job} {name} said that the plan had failed.|"We are proud of it," said {name}, who founded {company}.
Patient {name} was admitted on {date} with chest pain.|Patient: {name}\nDate of birth: {date}\nAddress: {address}|Claimant {name} reported water damage at {address}.
The policy holder is {name}, {address}.|Please send the parcel to {name}, {address}.|Ship to:\n{name}\n{address}|Bill to:\n{company}\n{name}\n{address}\nPhone: {phone}
I moved from {address} to {address} last {month}.|My address is {address}.|My new address: {address}|We live at {address}.|She lives at {street} in {place}.|He was born in {place}, {country}.
The shop is at {street}.|Meet me at {street}, {place} at {time}.|Deliver it to {unit}, {street}, {place}.|The house on {street} was sold.|Turn left into {street} and stop at number {num}.
The office of {company} is at {address}.|{company}\n{address}|{name}\n{street}\n{place}\n{country}|{name}\n{company}\n{street}\n{unit}\n{place} {zip}\nTel. {phone}
>{name}\n>{company}\n>{street}\n>{unit}\n>{place}\n>{country} {zip}|{name}; {street}; {place}; {phone}|{name},{phone},{email},{street}|{name}\t{date}\t{place}\t{num}
Our contact there is {name} ({email}).|Call {first} on {phone}.|You can reach {name} at {phone} or {email}.|cc: {name}, {name} and {name}|Attendees: {name}, {name}, {name}
Can you change the name on my account to {name}?|The card is in the name of {name}.|My card says {name}, but my name is {name}.|The account belongs to {name} of {place}.
{name} has {num} shares.|{first} is {num} years old.|{first}'s birthday is on {date}.|{name}'s lawyer refused.|I met {first}'s sister at the {company} party.|The report of {name} was late.
The song by {name} is great.|a film directed by {name} with {name}|the new novel of {name} is out|{name} sings better than {name}.|I like {last}'s early work, but not {last}'s.|tickets for {name} in {place}
In {country} people eat late.|I will travel to {place} next week.|The weather in {place} is bad.|{place} is the capital of {country}.|They opened a plant in {place}.|Flights from {place} to {place} are cheap.
{company} bought {company} for {num} million.|I work for {company}.|{company} is hiring.|The {company} website is down.|{company} announced its results on {weekday}.|He left {company} for {company}.
Send it to the attention of {name}.|Attn: {name}|Author: {name}|Signed: {name}|Witness: {name}, {place}|Approved by {name} on {date}|Reported-by: {name} <{email}>|Name: {name}|First name: {first}\nLast name: {last}
Surname: {last}|Full name: {name}|Customer: {name}|name = "{name}"|{"name": "{name}", "city": "{place}"}|"customer": {"first": "{first}", "last": "{last}", "street": "{street}"}|patient_name: {name}
User {name} asked about the invoice.|Could {first} please look at this?|@{first} can you check?|Thank you {first}!|ok {first}, see you on {weekday}|{first}: hello\n{first}: hi there|{first} says hi.|no idea, ask {first} or {first}
I was told by {title} {last} that my claim was closed.|Mr. and Mrs. {last} live next door.|The {last} family moved to {place}.|{last} v. {last}|Professor {last} teaches at {company}.|{last}, {first}|{last} {first}
The letter went to {address} by mistake.|There was a fire at {street}.|Pick up at {street}, drop off at {street}.|My billing address is {address} and my shipping address is {address}.|Please update my address to {address}
zip code {zip}|My postcode is {zip}.|The ZIP is {zip}, in {place}.|address: {street}, {zip} {place}|Street: {street}\nCity: {place}\nZIP: {zip}|P.O. Box {num}, {place}|{unit}, {street}, {zip} {place}, {country}
PSC {num}, Box {num}\nAPO AE {zip}|Unit {num} Box {num}\nDPO AP {zip}|USNS {last}\nFPO AA {zip}|The apartment at {street} {unit} is for rent.|the corner of {street} and {street}|{num} {street} {unit} {place} {country}
Her maiden name is {last}.|His mother, {name}, was from {place}.|The children are called {first}, {first} and {first}.|everyone calls me {first}|you may call me {first}|I go by {first}.|I told {first} about it.|With {first} gone, {first} had to work alone.
Who is {name}?|What did {name} do in {year}?|Tell me about {name}.|Write a poem for {first}.|Write an email to {title} {last} about the delay.|Summarise the meeting between {name} and {name}.|Translate this letter from {name}.
{first} {did} at {company}.|{first} {did} in {place} for {num} years.|{first} {did}, and {first} {did} too.|{last} {did} again.|{name} {did} when {first} {did}.|{first}, can you hear me?|{first}, this is {first}.|{first}: no, I {did}.\n{first}: why?|{first}: "Good evening."\n{first}: "Good evening, {first}."
{first} is from {company}.|{first} is from {place}.|{name} is from {country}.|Why is {first} so late?|Why was {name} not there?|Have you met {name}?|Have you ever heard of {name}?|a {name} fan|the {name} fan club|a photo by {name}.|not by {name}, but by {last}|They were four: {first}, {first}, {first} and {first}.|1. {name}\n2. {name}\n3. {name}
Our founders are {last}, {last} and {last}.|My son {first} is ill.|my wife {first} and my kid {first}|southern {place}|the north of {place}|companies in Southern {country}|Central {place} is crowded.|the {place} orchestra|the {company} orchestra played in {place}|Shops in {place} {zip}|I called {name} yesterday.|please change it to {name}|correct the name to {first} {last}
{name} lives on {street}.|{name} lives in {street}, {place}|{first} gave {first} the address: {street}, {place}|The bus stops at {street}.|The station is on {street}.|A taxi to {street}, please.|a taxi to {address}|Send a new one to {address}, I am in {place}.|send the statement to {address}|{name}\n\n{address}|{company}\n\n{address}|Here is {first}'s address:\n\n{address}|it is {address}
{name}\n{company}\n{address}\n{phone} office\n{phone} fax|{name}\n{address}\n{phone}-Office, {phone}-Fax|Mobile: {phone}\nDesk: {phone}|Billing address: {name}\n    {street} {unit}\n   {place}\n    {zip}|We meet on {weekday} at {company}, {street}, {place}|starring {last} and {name}|directed by {last}
The driver, {name}, was not hurt.|According to {name}, the car was parked at {street}.|{name} ({company})|the brainchild of {name}, {name} and {name}|{title} {name} is a {num} year old man from {place}.|{name} from {company} called.
""".strip()
    .replace("\n", "|")
    .replace("\\n", "\n")
    .replace("\\t", "\t")
    .split("|")
)

NOBODY = (
    r"""
How do I reset my password?|My card was declined, why?|I want to top up my account.|What is the exchange rate today?|Please book a table for {num} people on {weekday}.|The meeting is on {weekday} at {time} in Room {num}.
The invoice of {month} {year} is missing.|Version {num}.{num} was released in {month}.|See Chapter {num}, Section {num}.|The Terms and Conditions apply.|Click Save, then OK.|Open Settings > Privacy > Security.
Water Damage Claims\n\nThe policy covers burst pipes.|Step {num}: Turn off the main valve.|Question {num}. What is the capital?|Python, Java and Go are languages.|Use Docker and Kubernetes on Linux.|Install Visual Studio Code on Windows {num}.
It happened on {date} at {time}.|Total: {num} EUR|Order {num} has shipped.|The temperature was {num} degrees.|Monday, Tuesday and Friday are busy.|In January it snowed.|Merry Christmas and a Happy New Year!|I speak English, French and German.
The Russian restaurant is closed.|The French Revolution began in {year}.|World War II ended in {year}.|the European Union and the United Nations|He turned {num} years old|My phone number is {phone}.|My email is {email}
import os\nfrom pathlib import Path\nclass Reader:\n    def read(self): return None|SELECT id FROM users WHERE age > {num};|public static void Main(string[] args)|if (x == null) { throw new Error("Bad Request"); }|# Getting Started\n\nRun `make install`.
ERROR {num} ConnectionError: Connection refused|GET /index.html HTTP/1.1|The API returns JSON.|AWS Lambda calls Amazon S3 in Frankfurt.|Hello World|Good Morning! Thank You.|Act as a Senior Engineer. Write Clean Code.|You are a helpful assistant.
Can you recommend a good book?|Is the library open on {weekday}?|What time is it in Tokyo?|set an alarm for {time}|turn the lights off|play some jazz|who won the game last night|what does the policy cover|is my claim approved yet
The Adjuster's Report|Dear Sir or Madam,|To whom it may concern|Dear Customer,|Dear Team,|Best regards|Kind Regards,\nThe Claims Team|Thank you for your help!|Yes.|No, thanks.|OK|I can't log in|Where Do I Find My PIN?|Top-up failed again
A Mobile Phone, a Laptop and a Camera were stolen.|Act {num}, Scene {num}|Romantic dinner ideas for two|The Great Wall of China is long.|Mount Everest is high.|Lake Geneva is deep.|Project Falcon is secret.|Black Friday deals|Wall Street fell by {num} %.
""".strip()
    .replace("\n", "|")
    .replace("\\n", "\n")
    .split("|")
)

_VERBS = (
    """
spent a year|began to write|moved away|wrote a letter|thinks so|had lunch|went home|got married|loves cats|bought a house|was late|has left|can not come|lives alone|works|studied law|died|was born|played
wants a refund|asked for help|called twice|paid the bill|lost a phone|met a friend|has to go|plays chess|said no|sings well|broke the vase|is a nurse|is very kind|was there|runs fast|cooked|listed the best songs
""".strip()
    .replace("\n", "|")
    .split("|")
)

ADDRESS_FORMS = (
    "{s}, {c}", "{s}\n{c}", "{s}, {z} {c}", "{s}\n{z} {c}", "{s}, {c} {z}", "{s}\n{c}, {k}", "{s} {u}, {c}, {k} {z}", "{s}\n {u}\n {c}\n {k} {z}",
    "{n} {s} {u} {c} {k}", "{s} {u} {c}", "{n} {s}\n {u}\n {c}\n {k}", "{s}, {u}, {c}", "{s}", "{u}, {s}, {c} {z}", "{n} {s}, {c}, {k}", "{s}\n{c}, {a} {z}", "{s}, {c}, {a} {z}", "{n} {s}, {c}, {a} {z}",
)  # fmt: skip
_SLOT = re.compile(r"\{([a-z]+)\}")
_UNITS = (
    "Apt. {}",
    "Suite {}",
    "Apt {}",
    "Unit {}",
    "Flat {}",
    "Floor {}",
    "#{}",
    "Apartment {}",
    "Wohnung {}",
    "2nd floor",
    "Building {}",
)


_MAKERS = {
    "first": "first_name", "last": "last_name", "name": "name", "street": "street_address", "city": "city", "country": "country",
    "zip": "postcode", "company": "company", "job": "job", "phone": "phone_number", "email": "ascii_email", "streetname": "street_name",
}  # fmt: skip
"""Kinds of values and Faker's names for them; what a locale lacks comes from en_US."""


@cache
def pool(locale: str, kind: str, seed: int) -> tuple[str, ...]:
    """Values of a kind in a locale."""
    fake = Faker(locale)
    fake.seed_instance(f"{seed} {locale} {kind}")
    maker: Callable[[], str] | None = getattr(fake, _MAKERS[kind], None)
    if maker is None:
        return pool("en_US", kind, seed)
    return tuple(str(maker()).replace("\n", ", ") for _ in range(POOL))


class Writer:
    """Draws sentences."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._prose = prose(seed)

    def sentences(self, count: int) -> Iterator[Labelled]:
        """So many labelled texts."""
        for _ in range(count):
            kind = self._random.random()
            if kind < 0.3:
                yield self._cased(Labelled(self._random.choice(self._prose), (), ()))
            elif kind < 0.42:
                yield self._cased(self._filled(self._random.choice(NOBODY)))
            else:
                chosen = [self._random.choice(TEMPLATES)]
                between = ""
                if self._random.random() < 0.2:
                    between = self._random.choice(("\n", " "))
                    chosen.append(self._random.choice(TEMPLATES + NOBODY))
                yield self._cased(self._filled(between.join(chosen), tuple(chosen)))

    def _any(self, locale: str, kind: str) -> str:
        return self._random.choice(pool(locale, kind, self._seed))

    def _filled(self, template: str, templates: tuple[str, ...] = ()) -> Labelled:
        locale = self._random.choice(LOCALES)
        text, spans, at = "", [], 0
        for slot in _SLOT.finditer(template):
            text += template[at : slot.start()]
            at = slot.end()
            if self._random.random() < 0.3:
                locale = self._random.choice(LOCALES)
            value, label = self._slot(slot[1], locale)
            if label:
                spans.append((len(text), len(text) + len(value), label))
            text += value
        return Labelled(text + template[at:], tuple(joined(text + template[at:], spans)), templates)

    def _slot(self, name: str, locale: str) -> tuple[str, str]:
        pick, number = self._any, self._random.randint
        if name == "name":
            return self._name(locale), "NAME"
        if name in ("first", "last"):
            return pick(locale, name), "NAME"
        if name == "title":
            return self._random.choice(TITLES), "NAME"
        if name == "street":
            return self._street(locale), "ADDRESS"
        if name == "unit":
            return self._unit(), "ADDRESS"
        if name == "zip":
            return pick(locale, "zip"), "ADDRESS"
        if name == "address":
            return self._address(locale), "ADDRESS"
        if name == "place":
            return self._place(locale), "LOC"
        if name == "country":
            return pick("en_US" if number(0, 1) else locale, "country"), "LOC"
        if name == "company":
            return self._company(locale), "ORG"
        if name in ("job", "phone", "email"):
            return pick("en_US" if name == "job" else locale, name), ""
        small = {
            "num": lambda: str(number(0, 10 ** number(1, 4))), "year": lambda: str(number(1900, 2030)),
            "date": lambda: self._random.choice((f"{number(1, 12)}/{number(1, 28)}/{number(1940, 2026)}", f"{number(1, 28)} May {number(1940, 2026)}", f"20{number(10, 26)}-{number(10, 12)}-{number(10, 28)}")),
            "did": lambda: self._random.choice(_VERBS),
            "time": lambda: f"{number(1, 12)}:{number(10, 59)}", "month": lambda: self._random.choice(["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]),
            "weekday": lambda: self._random.choice(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
        }  # fmt: skip
        return small[name](), ""

    def _name(self, locale: str) -> str:
        kind = self._random.random()
        first, last = self._any(locale, "first"), self._any(locale, "last")
        if kind < 0.65:
            return f"{first} {last}"
        if kind < 0.75:
            return self._any(locale, "name")
        if kind < 0.83:
            return f"{first} {self._random.choice('ABCDEFGHJKLMNPRSTW')}{self._random.choice(('.', ''))} {last}"
        if kind < 0.9:
            return f"{first} {self._any(locale, 'first')} {last}"
        if kind < 0.95:
            return f"{first} {last}-{self._any(locale, 'last')}"
        return f"{self._any(self._random.choice(LOCALES), 'first')} {last}"

    def _street(self, locale: str) -> str:
        kind, number = self._random.random(), self._random.randint(1, 999)
        name = self._any(locale, "streetname")
        return (
            self._any(locale, "street")
            if kind < 0.4
            else f"{number} {name}"
            if kind < 0.7
            else f"{name} {number}"
            if kind < 0.9
            else name
        )

    def _unit(self) -> str:
        return self._random.choice(_UNITS).format(self._random.randint(1, 999))

    def _place(self, locale: str) -> str:
        city = self._any(locale, "city")
        return city.upper() if self._random.random() < 0.15 else city

    def _company(self, locale: str) -> str:
        kind = self._random.random()
        if kind < 0.6:
            return self._any("en_US" if kind < 0.3 else locale, "company")
        parts = (
            "Data",
            "Cloud",
            "Net",
            "Soft",
            "Bio",
            "Flow",
            "Open",
            "Map",
            "Meta",
            "Quant",
            "Solar",
            "Health",
            "Trade",
            "Bank",
            "Media",
            "Labs",
            "Space",
            "Farm",
            "Page",
            "Fin",
            "Tech",
            "Works",
            "Group",
            "Analytics",
            "Systems",
        )
        first, second = self._random.choice(parts), self._random.choice(parts)
        return first + (second.lower() if kind < 0.8 else f" {second}")

    def _address(self, locale: str) -> str:
        if self._random.random() < 0.08:
            return self._military(locale)
        values = {
            "s": self._street(locale),
            "c": self._place(locale),
            "z": self._any(locale, "zip"),
            "k": self._any("en_US", "country"),
            "u": self._unit(),
            "n": str(self._random.randint(1, 99)),
            "a": self._random.choice(["AL", "CA", "NY", "TX", "WA", "PR", "NSW", "VIC", "ON", "QC", "KA", "NI", "AA"]),
        }
        return self._random.choice(ADDRESS_FORMS).format(**values)

    def _military(self, locale: str) -> str:
        number, office = self._random.randint, self._random.choice(["AA", "AE", "AP"])
        kind, postcode = number(0, 2), self._any("en_US", "zip")
        if kind == 0:
            return f"Unit {number(1, 9999)} Box {number(1, 9999)}\nDPO {office} {postcode}"
        if kind == 1:
            return f"PSC {number(1, 9999)}, Box {number(1, 9999)}\nAPO {office} {postcode}"
        ship = self._random.choice(["USS", "USNS", "USNV", "USCGC", "USNM"])
        return f"{ship} {self._any(locale, 'last')}\nFPO {office} {postcode}"

    def _cased(self, drawn: Labelled) -> Labelled:
        kind = self._random.random()
        text = drawn.text.lower() if kind < 0.12 else drawn.text.upper() if kind < 0.15 else drawn.text
        return drawn._replace(text=text) if len(text) == len(drawn.text) else drawn


def joined(text: str, spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """A place right beside an address is a part of it; a title belongs to its name."""
    joined: list[tuple[int, int, str]] = []
    for start, end, label in spans:
        if joined:
            before = joined[-1]
            gap = text[before[1] : start]
            beside = len(gap) <= 3 and not gap.strip(" ,\n>;-")
            if beside and {label, before[2]} <= {"ADDRESS", "LOC"} and "ADDRESS" in (label, before[2]):
                joined[-1] = (before[0], end, "ADDRESS")
                continue
            if beside and label == before[2] == "NAME" and gap == " ":
                joined[-1] = (before[0], end, "NAME")
                continue
        joined.append((start, end, label))
    return joined
