"""BER-TLV as chip cards use it (ISO/IEC 7816-4, 5.2.2)."""

from .facts import Unreadable


def elements(data):
    """[(tag, value, whole element)] of a concatenation."""
    out, at = [], 0
    while at < len(data):
        tag, value, end = element(data, at)
        out.append((tag, value, data[at:end]))
        at = end
    return out


def element(data, at=0):
    """Tag, value and end of the element at `at`."""
    try:
        start, tag = at, data[at]
        at += 1
        if tag & 0x1F == 0x1F:
            while True:
                tag = tag << 8 | data[at]
                at += 1
                if not data[at - 1] & 0x80:
                    break
        length = data[at]
        at += 1
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise Unreadable("TLV length")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
    except IndexError as error:
        raise Unreadable("TLV ends early") from error
    if at + length > len(data) or at == start:
        raise Unreadable("TLV ends early")
    return tag, data[at : at + length], at + length


def only(data, tag):
    """The value of the one element that `data` begins with; what follows it is padding."""
    found, value, _ = element(data)
    if found != tag:
        raise Unreadable(f"no element {tag:X}")
    return value


def find(data, tag):
    """The value of the first element with this tag, or None."""
    return next((value for found, value, _ in elements(data) if found == tag), None)


def encode(tag, value):
    head = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    length = len(value)
    if length < 0x80:
        return head + bytes([length]) + value
    size = (length.bit_length() + 7) // 8
    return head + bytes([0x80 | size]) + length.to_bytes(size, "big") + value
