"""A strict reader of CBOR (RFC 8949). `cbor2` alone would hide what matters here: an entry that stands twice in a map, tags turned into other values.

Refused: indefinite lengths, heads longer than needed (4.2.1), duplicate keys (5.6), bytes after the item, nesting beyond 32.
"""

import struct

import cbor2

from .facts import Unreadable

DEPTH = 32


def loads(data):
    """The one item that `data` is: int, bytes, str, list, dict, float, bool, None, `cbor2.CBORTag`, `cbor2.CBORSimpleValue`."""
    value, end = item(data, 0, 0)
    if end != len(data):
        raise Unreadable("something follows the CBOR item")
    return value


def spans(data):
    """Of an encoded array or map: the encoded bytes of its members (of a map: pairs), as they arrived."""
    major, count, at = head(data, 0)
    if major not in (4, 5):
        raise Unreadable("neither array nor map")
    parts = []
    for _ in range(count * (2 if major == 5 else 1)):
        _, end = item(data, at, 1)
        parts.append(data[at:end])
        at = end
    return parts if major == 4 else list(zip(parts[::2], parts[1::2]))


def head(data, at):
    if at >= len(data):
        raise Unreadable("CBOR ends early")
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:
        return major, info, at + 1
    if info > 27:
        raise Unreadable("CBOR of indefinite length")
    length = 1 << (info - 24)
    if at + 1 + length > len(data):
        raise Unreadable("CBOR ends early")
    value = int.from_bytes(data[at + 1 : at + 1 + length], "big")
    if major != 7 and value < (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]:
        raise Unreadable("a CBOR head is longer than needed")
    return major, value, at + 1 + length


def item(data, at, depth):
    if depth > DEPTH:
        raise Unreadable("CBOR nested too deeply")
    major, value, start = head(data, at)
    if major == 0:
        return value, start
    if major == 1:
        return -1 - value, start
    if major in (2, 3):
        end = start + value
        if end > len(data):
            raise Unreadable("CBOR ends early")
        if major == 2:
            return data[start:end], end
        try:
            return data[start:end].decode(), end
        except UnicodeDecodeError as error:
            raise Unreadable("CBOR text is no UTF-8") from error
    if major == 4:
        out = []
        for _ in range(value):
            member, start = item(data, start, depth + 1)
            out.append(member)
        return out, start
    if major == 5:
        out = {}
        for _ in range(value):
            key, start = item(data, start, depth + 1)
            try:
                hash(key)
            except TypeError as error:
                raise Unreadable("a map key that is no plain value") from error
            if key in out:
                raise Unreadable("a key stands twice")
            out[key], start = item(data, start, depth + 1)
        return out, start
    if major == 6:
        inner, start = item(data, start, depth + 1)
        return cbor2.CBORTag(value, inner), start
    length = start - at - 1
    if length == 0 and value in (20, 21, 22):
        return {20: False, 21: True, 22: None}[value], start
    if length <= 1:
        return cbor2.CBORSimpleValue(value), start
    return struct.unpack({2: ">e", 4: ">f", 8: ">d"}[length], data[at + 1 : start])[0], start
