"""Patterns of text that tries to take over the model (NET-02), and what the strengths of a filter mean.

A pattern states how sure it is, as Bedrock's content filters do: a filter of strength `low` acts on high confidence only,
`medium` on medium and above, `high` on everything. Documents and tool results have no business giving orders, so they are
judged one strength stricter. `caisson.detect.injection` looks for the patterns in the text without disguises and
mentions, and says what each is worth there; paraphrase and other languages are the trained model's.

>>> sorted({rule.score for rule in PATTERNS})
[0.45, 0.75, 0.95]
"""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from typing import Literal

from caisson.detect.rule import Rule

Strength = Literal["none", "low", "medium", "high"]
HIGH, MEDIUM, LOW = 0.95, 0.75, 0.45
"""Confidence of a rule."""
LEAST: dict[Strength, float] = {"none": 2.0, "low": HIGH, "medium": MEDIUM, "high": LOW}
"""Least confidence on which a filter of that strength acts."""
STRICTER: dict[Strength, Strength] = {"none": "none", "low": "medium", "medium": "high", "high": "high"}
"""The strength by which documents and tool results are judged."""

_ALL = r"(?:(?:all|any|every|each|the|your|my|our|these|those|of|and|everything)\s{1,3}){0,4}"
_PRIOR = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|existing|former|past|system|safety|last)"
)
_ORDERS = (
    r"(?:instruction|direction|directive|command|prompt|rule|guideline|order|message|context|task|assignment|constraint"
    r"|restriction|polic(?:y|ie)|training|programming|guardrail|conversation|statement|information|text|input)s?"
)
_MODEL = r"(?:you|the\s(?:assistant|ai|model|chatbot|llm|bot)|assistant|chatgpt)"
_HIDDEN_TEXT = (
    r"(?:system|hidden|initial|original|secret|internal|confidential|developer|pre-?)\s?"
    r"(?:prompt|instruction|message|directive|guideline|rule|configuration|context)s?"
)

_TABLE: tuple[tuple[str, float, str], ...] = (
    ("override", HIGH,
     rf"\b(?:ignore|disregard|forget|discard|override|bypass|neglect|overlook|skip|drop)\s{{1,3}}(?:about\s)?{_ALL}(?:{_PRIOR}\s{{1,3}}){{1,2}}{_ALL}{_ORDERS}\b"),
    ("override", HIGH,
     r"\b(?:ignore|disregard|forget|override)\s{1,3}(?:everything|anything|all|what)\s(?:that\s)?(?:(?:you|i|we|they|was|were|is|has|have|been|just)\s){0,4}"
     r"(?:above|before|told|said|instructed|learned|given|written|know|prior|previously)\b"),
    ("override", MEDIUM,
     rf"\b(?:ignore|disregard|forget|discard|override|bypass|do\snot\sfollow|don'?t\sfollow|stop\sfollowing)\s{{1,3}}{_ALL}{_ORDERS}\b"),
    ("override", MEDIUM,
     r"\b(?:your|the)\s(?:new|real|actual|true|updated)\s(?:instruction|task|objective|goal|role|purpose|directive|job|mission)s?\s(?:is|are|will|:)"),
    ("override", MEDIUM, r"\b(?:instead|rather)\s(?:of\s(?:that|this|answering|following|summarizing)),?\s.{0,40}\b(?:say|print|output|write|respond|reply|send)\b"),
    ("override", LOW, r"\b(?:new|updated|important|urgent|special|additional)\s(?:instruction|directive|order|task)s?\s{0,3}[:!]"),
    ("jailbreak", HIGH, r"\bdo\sanything\snow\b|\b(?:DAN|developer|god|sudo|jailbreak|unrestricted|evil|opposite)[\s-]{1,2}mode\s(?:enabled|activated|on|output|engaged)"),
    ("jailbreak", HIGH, rf"\b{_MODEL}\s(?:are|is)\s(?:now\s)?(?:free\sfrom|no\slonger\sbound|not\sbound|unbound|liberated|unrestricted|unfiltered|uncensored|jailbroken)\b"),
    ("jailbreak", HIGH, r"\b(?:broken|break|breaking|broke)\sfree\s(?:of|from)\s(?:the\s)?(?:typical|usual|normal|your|its|their|all)\s(?:confines|constraints|limits|limitations|rules|restrictions|chains)"),
    ("jailbreak", MEDIUM, r"\b(?:without|no|ignor\w{1,4}|bypass\w{0,3}|regardless\sof|free\sof|any)\s(?:any\s|all\s|the\s|your\s|of\s){0,2}(?:ethical|moral|legal|safety|content|openai'?s?|censorship|usual)\s(?:or\s\w{1,12}\s)?(?:restriction|guideline|polic(?:y|ie)|filter|limit|limitation|constraint|consideration|rule|standard|boundar(?:y|ie))s?\b"),
    ("jailbreak", MEDIUM, r"\b(?:no|without|zero)\s(?:any\s)?(?:restriction|limitation|filter|censorship|guideline|moral|ethic)s?\b.{0,80}\b(?:you|answer|respond|ai|chatbot|character)\b"),
    ("jailbreak", MEDIUM, r"\bfrom\snow\son,?\s(?:you\s(?:are|will|must|shall|have|should|can|only)|act|respond|answer|reply|every|ignore)\b"),
    ("jailbreak", MEDIUM, r"\b(?:you\s(?:will|must|should|shall|can)\s|do\s)?(?:never|not|n't)\s(?:refuse|say\sno|decline|break\scharacter|say\s(?:that\s)?(?:you|it)\s(?:can'?t|cannot|is\sillegal))"),
    ("jailbreak", MEDIUM, r"\bstay\sin\scharacter\b|\bstay\sa\sDAN\b|\b(?:two|both)\s(?:different\s|separate\s)?(?:ways|responses|styles|answers)\b.{0,80}\b(?:as|like)\s(?:normal\s)?(?:chatgpt|yourself|dan)\b"),
    ("jailbreak", MEDIUM, r"\b(?:immerse\syourself\sinto\sthe\srole|pretend\s(?:to\sbe|that\s?you\sare|you\sare)|act\sas|role-?play\sas|you\sare\sgoing\sto\s(?:act|play|pretend))\b.{0,80}\b(?:ai|model|chatbot|assistant|bot|dan|gpt)\b.{0,120}\b(?:no|without|never|any|anything|not\sbound|free)\b"),
    ("jailbreak", LOW, r"\b(?:hypothetical|fictional)\s(?:response|scenario|story|character)\b.{0,80}\b(?:illegal|unethical|harmful|anything|no\srules)\b"),
    ("prompt-extraction", HIGH, rf"\b(?:reveal|show|print|output|repeat|display|disclose|expose|leak|dump|recite|return|give|tell|write|share|provide|copy|paste|list|spell\s?check|summari[sz]e|translate|encode)\s(?:me\s|us\s|out\s|back\s|with\s)?(?:(?:all|the|your|its|of|exact|full|entire|complete|verbatim|whole|own|what|is|are|my|this)\s){{0,5}}{_HIDDEN_TEXT}\b"),
    ("prompt-extraction", HIGH, rf"\bwhat\s(?:is|are|was|were|does|do)\s(?:your|the)\s(?:exact\s|full\s|entire\s)?{_HIDDEN_TEXT}\b"),
    ("prompt-extraction", MEDIUM, r"\b(?:repeat|print|output|show|return|copy|recite|write|spell\s?check|encode|give)\s(?:me\s|out\s|back\s)?(?:(?:all|every|everything|the|exact|of|words?|text|content|sentences?|instructions?|this|whole|entire|complete)\s){1,6}(?:above|before\sthis|(?:that\s)?you\swere\s(?:given|told)|at\sthe\s(?:beginning|start|top)|initially|prior)\b"),
    ("prompt-extraction", MEDIUM, r"\b(?:initialization|init|boot|start-?up)\s(?:prompt|string|text|instructions?)\b|\byour\s(?:initial|original|first|very\sfirst)\s(?:prompt|instructions?|message|text|words)\b"),
    ("prompt-extraction", MEDIUM, rf"\b{_HIDDEN_TEXT}\b.{{0,60}}\b(?:verbatim|word\sfor\sword|in\sfull|base64|rot13|leet\w{{0,4}}|backwards|reversed|txt\scode\sblock|code\sblock)\b"),
    ("turn-spoofing", HIGH, r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|end_of_turn)\|>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[/?(?:SYSTEM|ASSISTANT)_?(?:PROMPT|INSTRUCTIONS?|MESSAGE)\]"),
    ("turn-spoofing", HIGH, r"</?(?:system|assistant|user|document|documents|context|untrusted|data|information|tool_result|function_results?)(?:[_-](?:prompt|message|instructions?|mode|override|results?|information))>"),
    ("turn-spoofing", MEDIUM, r"(?m:^\s{0,8}(?:#{1,6}\s{0,2}|\*{2})?(?:system|assistant|developer)(?:\s(?:prompt|message|override|instruction|note))?(?:\*{2})?\s{0,2}:\s)"),
    ("turn-spoofing", MEDIUM, r"</?(?:system|information|important|instructions?|admin|override|secret)>|\[(?:system|admin|important|override)\]|<system\smode>|<!--.{0,60}\b(?:assistant|ai|llm|model|agent|system)\s?[:,]"),
    ("turn-spoofing", MEDIUM, r"(?:\[|#|=|-|\*){2,8}\s{0,2}(?:end|begin|start)\s(?:of\s)?(?:(?:system|user|the|untrusted|context|document|prompt|instructions?|input|data|file|text|email|website)\s{0,2}){1,3}(?:\]|#|=|-|\*){2,8}"),
    ("exfiltration", HIGH, r"!\[[^\]\n]{0,80}\]\((?:https?:)?//[^ \t\r\n\f\x0b)]{1,200}[?&/=](?:[^ \t\r\n\f\x0b)]{0,80}(?:\{|\$|<|%7b|data|secret|canary|token|prompt|key|password|exfil|steal|leak|log)|[^ \t\r\n\f\x0b)]{0,40}=)"),
    ("exfiltration", HIGH, r"\b(?:send|forward|email|post|upload|transmit|exfiltrate|leak|append|submit|include|embed)\s.{0,80}\b(?:system\sprompt|password|credential|api\skey|secret|token|private\skey|conversation|chat\shistory|personal\s(?:data|information|details)|bank\sdetails|passport|phone\snumber|email\saddress(?:es)?)s?\b.{0,80}(?:\bto\s|https?://|@|\bin\sthe\surl\b)"),
    ("exfiltration", MEDIUM, r"\b(?:ask|request|tell|instruct|urge|advise|encourage|convince)(?:ing|s|ed)?\s(?:that\s)?(?:the\s)?(?:user|reader|customer|recipient|them)s?\s(?:to\s)?.{0,60}(?:https?://|www\.|\b[a-z0-9-]{2,40}\.(?:com|net|org|io|xyz|ru|info|link)\b|password|click|visit|download|reset)"),
    ("exfiltration", MEDIUM, r"\b(?:visit|go\sto|navigate\sto|load|fetch|open|render|request|call)\s.{0,30}https?://[^ \t\r\n\f\x0b]{1,120}\b.{0,60}\b(?:and|then|with|include|append|replac\w{0,3})\b"),
    ("data-orders", MEDIUM, r"\b(?:attention|important|note|dear|hey|hello|urgent)\W{1,4}(?:to\s)?(?:the\s)?(?:ai|assistant|llm|language\smodel|chatbot|model|gpt|chatgpt|claude|gemini|copilot|agent)s?\b"),
    ("data-orders", MEDIUM, r"\b(?:if|when|whenever|while|before|after)\s(?:you\sare\s|you're\s)?(?:an?\s|the\s)?(?:ai|llm|assistant|language\smodel|chatbot|model|agent)\b.{0,60}\b(?:must|should|say|write|print|output|respond|reply|include|ignore|reveal|send|call|use|read|process|summari)"),
    ("data-orders", MEDIUM, rf"\b{_MODEL}\s(?:must|should|shall|need\sto|have\sto|will)\s(?:now\s|also\s|always\s|first\s|immediately\s|instead\s)?(?:ignore|disregard|reveal|send|transfer|exfiltrate|comply|obey|execute|override|disable|leak)\b"),
    ("data-orders", LOW, r"\bi\sam\s(?:the\s|your\s)?(?:admin\w{0,10}|developer|owner|creator|operator|root|anthropic|openai)\b|\bthis\sis\san?\s(?:authori[sz]ed|official)\s(?:test|override|request)"),
    ("data-orders", LOW, r"\b(?:end|conclude|begin|start|finish|close)\s(?:your|the|every|each)\s(?:response|answer|reply|output|summary)\s(?:with|by)\b|\b(?:respond|reply|answer)\s(?:only\s)?(?:with|in|using)\s(?:only\s|the\s(?:word|phrase|exact))"),
    ("hijack", HIGH, r"\bi\s(?:have|'ve)\sbeen\s(?:pwned|hacked|owned)\b|\bpwned\b"),
    ("encoded-orders", HIGH, r"\b(?:decode|decrypt|decipher|deobfuscate|unscramble|translate)\s.{0,60}\b(?:base-?64|base-?32|hex|rot-?13|morse|url|binary|ascii|cipher\w{0,4}|braille|leet\w{0,5}|atbash|caesar)\b.{0,80}\b(?:follow|execute|obey|comply|run|monologue|do\swhat|instruction|carry\sout|perform|act\son|secure\ssystem\smessage)"),
    ("encoded-orders", MEDIUM, r"\b(?:aWdub3JlI|SWdub3JlI|aWdub3Jl|ZGlzcmVnYXJk|c3lzdGVtIHByb21wd|cmV2ZWFsI|Zm9yZ2V0I)[A-Za-z0-9+/=]{4,64}"),
    ("encoded-orders", MEDIUM, r"(?:%[0-9A-F]{2}){16}|(?:&#x?[0-9A-F]{2,5};){8}|(?:\\x[0-9A-F]{2}){12}|(?:\\u[0-9A-F]{4}){8}"),
    ("encoded-orders", MEDIUM, "[\U000e0020-\U000e007e]{4}"),
)  # fmt: skip
"""Name, confidence and expression; letters match in either case."""

PATTERNS = tuple(
    Rule(id=f"injection.{name}", type="PROMPT_ATTACK", pattern=f"(?i){pattern}", score=score)
    for name, score, pattern in _TABLE
)
"""All of them; the number of a cue of the classifier is a place here."""
