"""Names and addresses of people, by what stands around them (DAT-03).

    words.py      a text as words, and what is known of each: shape, ending, lists of names and places
    weights.py    what training left
    tagger.py     words to labels: a linear chain, two words of context on either side
    reader.py     a text as it comes to findings, the same however it is cut
    find.py       text in, findings out

The weights come from `training/people.py`; docs/models/people.md says from what, and how well they do.
"""
