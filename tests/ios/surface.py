"""The exported surface of the library as Swift sees it, out of `bindings/api.txt`.

`api.txt` speaks Rust (`snake_case`, variants in `CamelCase`); UniFFI makes `lowerCamelCase` of functions, fields and variants in Swift, but keeps the
variants of errors as they are. A constructor `new` becomes `init`, any other one a static function. Ports are protocols.
"""

import dataclasses
import re


def camel(name):
    """A Rust name as UniFFI writes it in Swift."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def lower_first(name):
    """A variant as UniFFI writes it in Swift: `OneWay` is `oneWay`."""
    return name[:1].lower() + name[1:]


@dataclasses.dataclass(frozen=True)
class Callable:
    """A function, method or initialiser: argument labels with whether each may be left out, and how it is called."""

    labels: tuple
    optional: frozenset
    is_async: bool
    throws: bool
    gives: str = ""

    def takes(self, labels):
        """Whether a call with these labels, in this order, is one of it."""
        left = list(labels)
        for label in self.labels:
            if left and left[0] == label:
                left.pop(0)
            elif label not in self.optional:
                return False
        return not left


@dataclasses.dataclass
class Kind:
    """A type: what it is (record, enum, error, object, port) and what belongs to it."""

    name: str
    sort: str
    methods: dict = dataclasses.field(default_factory=dict)
    statics: dict = dataclasses.field(default_factory=dict)
    inits: list = dataclasses.field(default_factory=list)
    fields: dict = dataclasses.field(default_factory=dict)
    cases: dict = dataclasses.field(default_factory=dict)


class Surface:
    """All functions and types."""

    def __init__(self, text):
        self.functions, self.kinds = {}, {}
        later = []
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("#"):
                continue
            if found := re.fullmatch(r"(record|enum|error) (\w+) \{(.*)\}", line):
                self._shape(*found.groups())
            elif found := re.fullmatch(r"(object|port) (\w+)", line):
                self._kind(found[2], found[1])
            else:
                later.append(line)
        for line in later:
            self._act(line)

    def _kind(self, name, sort):
        return self.kinds.setdefault(name, Kind(name, sort))

    def _shape(self, sort, name, body):
        kind = self._kind(name, sort)
        if sort == "record":
            parts = [split_field(part) for part in split(body)]
            kind.fields = {camel(field): swift_type(gives) for field, gives, _ in parts}
            optional = frozenset(camel(field) for field, _, default in parts if default)
            kind.inits.append(Callable(tuple(kind.fields), optional, False, False, name))
            return
        for part in split(body):
            found = re.fullmatch(r"(\w+)(?: \{(.*)\})?", part)
            case = found[1] if sort == "error" else lower_first(found[1])
            kind.cases[case] = tuple(camel(split_field(field)[0]) for field in split(found[2] or ""))

    def _act(self, line):
        found = re.fullmatch(
            r"(?:(constructor|port|method) )?(async )?fn (?:(\w+)\.)?(\w+)\((.*)\)(?: -> (.+?))?(?: throws (\w+))?", line
        )
        if not found:
            raise ValueError(f"api.txt: {line}")
        sort, is_async, owner, name, inputs, gives, throws = found.groups()
        parts = [split_field(part) for part in split(inputs)]
        optional = frozenset(camel(field) for field, _, default in parts if default)
        act = Callable(tuple(camel(field) for field, _, _ in parts), optional, bool(is_async), bool(throws), swift_type(gives or ""))
        if not owner:
            self.functions[camel(name)] = act
        elif sort == "constructor":
            kind = self._kind(owner, "object")
            kind.inits.append(act) if name == "new" else kind.statics.__setitem__(camel(name), act)
        else:
            self._kind(owner, "port" if sort == "port" else "object").methods[camel(name)] = act


def split(text):
    """The parts of a list, at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        if sign in "{(<":
            depth += 1
        elif sign in "})" or (sign == ">" and text[place - 1] != "-"):
            depth -= 1
        elif sign == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def split_field(part):
    """`name: Type = default` as (name, type, has a default)."""
    name, _, rest = part.partition(":")
    gives, _, default = rest.partition("=")
    return name.strip(), gives.strip(), bool(default.strip())


def swift_type(gives):
    """The one word of a type that a member can be looked up in; empty when there is none."""
    return gives.removesuffix("?") if re.fullmatch(r"\w+\??", gives) else ""
