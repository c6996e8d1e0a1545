"""QR pictures, read from their pixels with `zxing-cpp`, and the transport chain of their texts: prefix, base45 (RFC 9285), zlib (RFC 1950)."""

import functools
import zlib

import zxingcpp
from PIL import Image

from .facts import Unreadable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CAP = 16 * 1024


@functools.lru_cache(maxsize=64)
def text_of(path):
    """The text of the one QR symbol of a picture."""
    with Image.open(path) as picture:
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    if len(found) != 1:
        raise Unreadable(f"{len(found)} QR symbols in {path}")
    return found[0].text


def base45(text):
    out = bytearray()
    for at in range(0, len(text), 3):
        digits = [ALPHABET.find(c) for c in text[at : at + 3]]
        value = sum(digit * 45**place for place, digit in enumerate(digits))
        if min(digits) < 0 or len(digits) == 1 or value >= 256 ** (len(digits) - 1):
            raise Unreadable("not base45")
        out += value.to_bytes(len(digits) - 1, "big")
    return bytes(out)


def body(text, prefix):
    if not text.startswith(prefix):
        raise Unreadable(f"not a text that begins with {prefix}")
    return base45(text[len(prefix) :])


def inflate(data):
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(data, CAP)
    except zlib.error as error:
        raise Unreadable("not zlib") from error
    if not inflater.eof or inflater.unused_data:
        raise Unreadable("zlib cut, too long or followed by more")
    return out
