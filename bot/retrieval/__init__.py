"""Retrieval: phrasings in, ranked candidates with calibrated confidence out. It knows neither names nor a pack's fields.

`index.Index` is what other packages use: `Index.build` from (phrasing, target number) pairs, `Index.rank` for one question.
"""
