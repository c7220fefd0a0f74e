"""Whatever comes from outside is read, or refused in words: random changes of what is sound, for a limited time.

What was ever found is kept: a spec as a file in ``corpus/spec``, an answer in ``corpus.py``.
"""
