"""Which of Python's codecs is which of the server's encodings.

See "Character Set Support": https://www.postgresql.org/docs/current/multibyte.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from greenpg.errors import NotSupportedError

# PostgreSQL's names, without what is no letter or digit, in upper case.
# Python has no codec for EUC_TW and MULE_INTERNAL.
_CODECS = {
    "ABC": "cp1258",
    "ALT": "cp866",
    "BIG5": "big5",
    "EUCCN": "gb2312",
    "EUCJIS2004": "euc_jis_2004",
    "EUCJP": "euc_jp",
    "EUCKR": "euc_kr",
    "GB18030": "gb18030",
    "GBK": "gbk",
    "ISO88595": "iso8859-5",
    "ISO88596": "iso8859-6",
    "ISO88597": "iso8859-7",
    "ISO88598": "iso8859-8",
    "JOHAB": "johab",
    "KOI8": "koi8-r",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "LATIN1": "iso8859-1",
    "LATIN2": "iso8859-2",
    "LATIN3": "iso8859-3",
    "LATIN4": "iso8859-4",
    "LATIN5": "iso8859-9",
    "LATIN6": "iso8859-10",
    "LATIN7": "iso8859-13",
    "LATIN8": "iso8859-14",
    "LATIN9": "iso8859-15",
    "LATIN10": "iso8859-16",
    "SHIFTJIS2004": "shift_jis_2004",
    "SJIS": "cp932",
    "SQLASCII": "ascii",
    "TCVN": "cp1258",
    "TCVN5712": "cp1258",
    "UHC": "cp949",
    "UNICODE": "utf-8",
    "UTF8": "utf-8",
    "VSCII": "cp1258",
    "WIN": "cp1251",
    "WIN866": "cp866",
    "WIN874": "cp874",
    "WIN932": "cp932",
    "WIN936": "cp936",
    "WIN949": "cp949",
    "WIN950": "big5",
    **{f"WIN{page}": f"cp{page}" for page in range(1250, 1259)},
}

# Characters that Python and PostgreSQL map differently: the bytes of the one are another for the other.
# Compared with convert_to() and convert_from() of PostgreSQL 16, character by character.
_DISPUTE = "Python and PostgreSQL map a character of it differently: set client_encoding to UTF8"
_DISPUTED = {
    "big5": "\u02cd\u2574\uffe3",
    "cp932": "\xa2\xa3\xac\u2016\u2212\u301c",
    "euc_jis_2004": "\u2015\u2985\u2986\uffe3\uffe5",
    "euc_jp": "\xa2\xa3\xa5\xa6\xac\u2016\u203e\u2212\u301c",
    "shift_jis_2004": "\xa5\u2015\u203e\u2985\u2986",
}


@lru_cache
def disputed(codec: str) -> frozenset[str]:
    """Return the characters that would come out as others on the other side, to be refused.

    :param codec: Python's name of the encoding, as `codec()` returns it
    """
    if codec == "euc_kr":  # Python spells syllables that it lacks letter by letter
        syllables = map(chr, range(0xAC00, 0xD7A4))
        return frozenset(syllable for syllable in syllables if len(syllable.encode(codec)) > 2)
    return frozenset(_DISPUTED.get(codec, ""))


def encode(text: str, codec: str) -> bytes:
    """Return text in an encoding; ASCII is ASCII in all that PostgreSQL has, unlike Python's SHIFT_JIS_2004.

    :raises UnicodeEncodeError: it lacks a character, or PostgreSQL would take it for another one
    """
    if text.isascii():
        return text.encode("ascii")
    if (refused := disputed(codec)) and not refused.isdisjoint(text):
        at = next(at for at, character in enumerate(text) if character in refused)
        raise UnicodeEncodeError(codec, text, at, at + 1, _DISPUTE)
    return text.encode(codec)


def decode(data: bytes, codec: str) -> str:
    """Return text from an encoding.

    :raises UnicodeDecodeError: it is not in that encoding, or PostgreSQL means another character by it
    """
    if data.isascii():
        return str(data, "ascii")
    text = str(data, codec)
    if (refused := disputed(codec)) and not refused.isdisjoint(text):
        raise UnicodeDecodeError(codec, data, 0, len(data), _DISPUTE)
    return text


@lru_cache
def codec(name: str) -> str:
    """Return Python's name of an encoding, `ascii` for `SQL_ASCII`, which means "bytes of anything".

    :param name: PostgreSQL's name of it
    :raises NotSupportedError: Python has no such codec
    """
    key = "".join(letter for letter in name.upper() if letter.isalnum())
    if key not in _CODECS:
        raise NotSupportedError(
            f"Python has no codec for the client encoding {name!r}: set client_encoding to UTF8"
        )
    return _CODECS[key]


def codec_of(connection: Any) -> str:
    """Return the codec of a connection as it is now; UTF-8 if there is none, or it does not say.

    :param connection: an object with a `pgconn`, or None
    """
    return codec_as(None if connection is None else connection.pgconn.parameter_status(b"client_encoding"))


def codec_as(reported: bytes | None) -> str:
    """Return the codec for what the server has reported to be the client encoding; UTF-8 if it has not."""
    return "utf-8" if reported is None else codec(reported.decode("ascii", "replace"))
