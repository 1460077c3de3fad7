"""The catalogue of messages: what a code and its facts mean, as a status, a title and a sentence.

An error (see `benchmark_manager.errors`) carries a code, a reason where the code has several
sentences, and facts. Here each code has its HTTP status and its sentences in English and Korean.
The API, the pages and the command line take their words from here; layers below do not.
"""

from benchmark_manager.messages.catalogue import CATALOGUE
from benchmark_manager.messages.rendering import detail, stored_words, words

__all__ = ["CATALOGUE", "detail", "stored_words", "words"]
