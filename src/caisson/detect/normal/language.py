"""Words so common that their presence tells language from noise, and those that attacks are made of.

>>> is_word("the"), is_word("gur")
(True, False)
"""

# ruff: noqa: E501, SIM905  (a word list reads best as text)

from __future__ import annotations

WORDS = frozenset(
    """
    the and you for are not with this that have from your all what was can will would about which when how who why there
    their they them then than but has had were been being our out its his her him she into over only just more some any
    also other where could should these those such does did don here now please want need make give tell show write say
    print repeat output answer ignore forget disregard previous above instructions instruction prompt system reveal
    password secret rules everything nothing help know like use using find best word words text following first new get
    send user email data delete file files key access act pretend respond reply translate explain question questions
    people time world create generate program code list name story line message task follow before after instead assistant
    to of in is it as be on or at by an if we my me do so no up us he am
    der die das und ist nicht ein eine einen einem einer ich du sie wir ihr mit auf für von den dem des im zu zum zur
    auch als wie was wer wo wenn aber oder nur noch nach bei aus über alle alles kann können soll vergiss ignoriere
    anweisungen schreibe bitte welche haben werden mir mich dich dein deine
    les des une est pas que qui pour dans sur avec vous nous mon son ses mais ou où tout tous toutes ignorez oubliez
    consignes quel quelle comment peux
    los las una del por con para que como más pero todo todas ignora olvida instrucciones cuál qué puedo
    il lo gli della che non per sono come più tutto tutte dimentica istruzioni quale
    os um uma não você mais tudo esqueça instruções qual
    het een niet voor van met zijn naar
    """.split()
)


def is_word(word: str) -> bool:
    """Whether a word, in small letters, is in the list."""
    return word in WORDS
