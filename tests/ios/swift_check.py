"""Reads Swift with tree-sitter and holds every use of the generated surface against `api.txt`.

It is no compiler: it knows names, labels, `try` and `await`, members of what it can name the type of, and the cases of a `switch`. That is what
changes when the border changes.
"""

import collections
import functools

import tree_sitter
import tree_sitter_swift

LANGUAGE = tree_sitter.Language(tree_sitter_swift.language())
CALLABLE_BODIES = ("lambda_literal", "function_declaration", "init_declaration", "computed_property", "deinit_declaration")


@functools.cache
def parse(source):
    """The tree of a text."""
    return tree_sitter.Parser(LANGUAGE).parse(source.encode()).root_node


def walk(node):
    """The node and all below it."""
    yield node
    for child in node.named_children:
        yield from walk(child)


def text(node):
    return node.text.decode() if node is not None else ""


def errors(node):
    """Where the text is not Swift."""
    if node.type == "ERROR" or node.is_missing:
        return [f"{node.start_point[0] + 1}: {text(node)[:60]!r}"]
    return [found for child in node.children if child.has_error or child.is_missing for found in errors(child)]


def argument_labels(call):
    """The labels of a call's arguments in its brackets (`_` for none); the number of closures after them."""
    labels, closures = [], 0
    suffix = next((child for child in call.named_children if child.type == "call_suffix"), None)
    for child in suffix.named_children if suffix else []:
        if child.type == "value_arguments":
            for argument in child.named_children:
                if argument.type == "value_argument":
                    label = next((part for part in argument.named_children if part.type == "value_argument_label"), None)
                    labels.append(text(label).strip("`") if label else "_")
        elif child.type == "lambda_literal":
            closures += 1
    return tuple(labels), closures


def declared_labels(declaration):
    """The labels of a declared function or initialiser, and those with a default."""
    labels, optional, last = [], set(), None
    for child in declaration.children:
        if child.type == "parameter":
            names = [text(part).strip("`") for part in child.children_by_field_name("external_name")] or [
                text(part).strip("`") for part in child.children_by_field_name("name")[:1]
            ]
            last = names[0] if names else "_"
            labels.append(last)
        elif child.type == "=" and last is not None:
            optional.add(last)
    return tuple(labels), frozenset(optional)


def takes(labels, optional, given, closures):
    """Whether a declaration takes a call; closures after the brackets may stand for its last parameters."""
    left = list(given)
    rest = []
    for label in labels:
        if left and left[0] == label:
            left.pop(0)
        elif label not in optional:
            rest.append(label)
    return not left and len(rest) <= closures


def written(node):
    """The type that stands in a declaration; a list or a closure is none of the surface's."""
    if any(child.type in ("array_type", "dictionary_type", "function_type", "tuple_type") for child in walk(node)):
        return "?"
    return next((text(child) for child in walk(node) if child.type == "user_type"), "?")


class Own:
    """What our own sources declare: functions, initialisers, types, cases, and what variables are."""

    def __init__(self, trees):
        self.functions = collections.defaultdict(list)
        self.gives = collections.defaultdict(list)
        self.properties = collections.defaultdict(set)
        self.types, self.cases, self.inits = set(), collections.defaultdict(set), collections.defaultdict(list)
        for tree in trees:
            for node in walk(tree):
                self._declaration(node)

    def _declaration(self, node):
        if node.type in ("function_declaration", "protocol_function_declaration"):
            name = text(node.child_by_field_name("name")).strip("`")
            labels, optional = declared_labels(node)
            self.functions[name].append((labels, optional))
            # The grammar calls both a function's name and what it gives `name`.
            gives = node.children_by_field_name("name")[1:]
            self.gives[name].append((labels, optional, text(gives[0]).removesuffix("?") if gives else ""))
        elif node.type == "property_declaration" and node.parent.type in ("class_body", "enum_class_body", "protocol_body"):
            for pattern in node.children_by_field_name("name"):
                annotation = next((child for child in node.named_children if child.type == "type_annotation"), None)
                self.properties[text(pattern)].add(written(annotation) if annotation else "?")
        elif node.type in ("class_declaration", "protocol_declaration"):
            self.types.add(text(node.child_by_field_name("name")))
        elif node.type == "typealias_declaration":
            self.types.add(text(node.child_by_field_name("name")))
        elif node.type == "enum_entry":
            for child in node.children_by_field_name("name"):
                self.cases[text(child)].add(node.id)


class Check:
    """One file against the surface."""

    def __init__(self, name, source, surface, own):
        self.name, self.surface, self.own, self.found = name, surface, own, []
        self.root = parse(source)
        self.seen = 0
        self.here = Own([self.root])
        self.variables = self._variables()

    def run(self):
        """What is wrong, one line each."""
        for node in walk(self.root):
            if node.type == "call_expression":
                self._call(node)
            elif node.type == "navigation_expression":
                self._member(node)
            elif node.type == "switch_statement":
                self._switch(node)
            elif node.type == "class_declaration":
                self._conforms(node)
        return self.found

    def _say(self, node, what):
        self.found.append(f"{self.name}:{node.start_point[0] + 1}: {what}")

    # --- what variables are

    def _variables(self):
        """Names of this file and the one type of the surface each has, where all its declarations agree."""
        kinds = collections.defaultdict(set)
        for node in walk(self.root):
            if node.type == "parameter":
                for name in node.children_by_field_name("name")[:1]:
                    kinds[text(name)].add(written(node))
            elif node.type == "property_declaration":
                for pattern in node.children_by_field_name("name"):
                    annotation = next((child for child in node.named_children if child.type == "type_annotation"), None)
                    value = next(iter(node.children_by_field_name("value")), None)
                    kinds[text(pattern)].add(written(annotation) if annotation else self._made(value))
            elif node.type == "lambda_parameter":
                kinds[text(node.named_children[0]) if node.named_children else text(node)].add(self._handed(node))
            elif node.type in ("if_statement", "guard_statement"):
                children = node.named_children
                for place, child in enumerate(children):
                    if child.type == "value_binding_pattern" and place + 2 < len(children) and children[place + 1].type == "simple_identifier":
                        kinds[text(children[place + 1])].add(self._made(children[place + 2]))
        return {name: next(iter(found)) for name, found in kinds.items() if len(found) == 1 and next(iter(found)) in self.surface.kinds}

    def _handed(self, parameter):
        """The type of a closure's parameter, when the function it is given to is declared in this file."""
        around = parameter.parent
        place = [child.id for child in around.named_children].index(parameter.id)
        closure = around.parent.parent
        call = closure.parent.parent
        if call is None or call.type != "call_expression":
            return "?"
        for node in walk(self.root):
            if node.type == "function_declaration" and text(node.child_by_field_name("name")) == text(call.named_children[0]):
                for kind in walk(node):
                    if kind.type == "function_type":
                        items = [item for item in walk(kind.named_children[0]) if item.type == "tuple_type_item"]
                        return written(items[place]) if place < len(items) else "?"
        return "?"

    def _made(self, node):
        """The type that an expression has, as far as it can be told."""
        while node is not None and node.type in ("try_expression", "await_expression"):
            node = node.named_children[-1]
        if node is None or node.type != "call_expression":
            return "?"
        callee = node.named_children[0]
        if callee.type == "simple_identifier":
            name = text(callee)
            if name in self.surface.kinds:
                return name
            return self.surface.functions[name].gives if name in self.surface.functions else self._own_gives(name, node)
        if callee.type == "navigation_expression":
            owner, name = callee.named_children[0], text(callee.named_children[-1]).lstrip(".")
            if text(owner) in self.surface.kinds and name in self.surface.kinds[text(owner)].statics:
                return text(owner)
            methods = [kind.methods[name].gives for kind in self.surface.kinds.values() if name in kind.methods]
            if methods and name not in self.own.functions:
                return methods[0] if len(set(methods)) == 1 else "?"
            return self._own_gives(name, node) if not methods else "?"
        return "?"

    def _own_gives(self, name, call):
        given, closures = argument_labels(call)
        found = {gives for labels, optional, gives in self.own.gives.get(name, []) if takes(labels, optional, given, closures)}
        return next(iter(found)) if len(found) == 1 else "?"

    # --- calls

    def _call(self, node):
        callee = node.named_children[0]
        if text(node)[len(text(callee)) :].lstrip().startswith("["):
            return  # a subscript
        given, closures = argument_labels(node)
        if callee.type == "simple_identifier":
            self._plain_call(node, text(callee), given, closures)
        elif callee.type == "navigation_expression":
            self._method_call(node, callee, given, closures)
        elif callee.type == "prefix_expression":
            self._case_call(node, text(callee).lstrip("."), given)

    def _plain_call(self, node, name, given, closures):
        mine = any(takes(labels, optional, given, closures) for labels, optional in self.here.functions.get(name, []))
        if name in self.surface.functions and not mine:
            act = self.surface.functions[name]
            self.seen += 1
            if not act.takes(given):
                self._say(node, f"{name}({', '.join(given)}) is not {name}({', '.join(act.labels)})")
            self._called_rightly(node, name, act)
        elif name in self.surface.kinds and name not in self.own.types:
            kind = self.surface.kinds[name]
            self.seen += 1
            if kind.inits and not any(act.takes(given) for act in kind.inits):
                self._say(node, f"{name}({', '.join(given)}) is no initialiser; it is {name}({', '.join(kind.inits[0].labels)})")
            elif not kind.inits:
                self._say(node, f"{name} has no initialiser")

    def _method_call(self, node, callee, given, closures):
        owner, name = callee.named_children[0], text(callee.named_children[-1]).lstrip(".").strip("`")
        kind = self.surface.kinds.get(text(owner).removeprefix("CitizenWalletCore."))
        if kind is not None and text(owner) not in self.variables:
            self.seen += 1
            if name in kind.statics:
                self._fits(node, f"{kind.name}.{name}", kind.statics[name], given)
            elif name in kind.cases:
                if kind.cases[name] != given:
                    self._say(node, f"{kind.name}.{name}({', '.join(given)}) is not {name}({', '.join(kind.cases[name])})")
            elif name != "init":
                self._say(node, f"{kind.name} has no {name}")
            return
        held = self._type_of(owner)
        if held in self.surface.kinds:
            methods = self.surface.kinds[held].methods
            self.seen += 1
            if name in ("map", "flatMap"):
                return  # of an optional
            if name not in methods:
                self._say(node, f"{held} has no method {name}")
            else:
                self._fits(node, f"{held}.{name}", methods[name], given)
            return
        candidates = [(kind.name, kind.methods[name]) for kind in self.surface.kinds.values() if name in kind.methods]
        if not candidates:
            return
        own = any(takes(labels, optional, given, closures) for labels, optional in self.own.functions.get(name, []))
        fitting = [act for _, act in candidates if act.takes(given)]
        if own or (name in APPLE and given not in {tuple(act.labels) for _, act in candidates if act.labels}):
            return
        self.seen += 1
        if not fitting:
            known = ", ".join(f"{kind}.{name}({', '.join(act.labels)})" for kind, act in candidates)
            self._say(node, f".{name}({', '.join(given)}) fits none of {known}")
        elif all(act.is_async for act in fitting) or all(act.throws for act in fitting):
            self._called_rightly(node, name, fitting[0])

    def _case_call(self, node, name, given):
        kinds = [kind for kind in self.surface.kinds.values() if name in kind.cases]
        if not kinds or name in self.own.cases or name in self.own.functions:
            return
        self.seen += 1
        if all(kind.cases[name] != given for kind in kinds):
            self._say(node, f".{name}({', '.join(given)}) is not .{name}({', '.join(kinds[0].cases[name])})")

    def _fits(self, node, name, act, given):
        if not act.takes(given):
            self._say(node, f"{name}({', '.join(given)}) is not {name}({', '.join(act.labels)})")
        self._called_rightly(node, name, act)

    def _called_rightly(self, node, name, act):
        around = set()
        above = node.parent
        while above is not None and above.type not in CALLABLE_BODIES:
            around.add(above.type)
            above = above.parent
        # `try await store.wallet().unlock(...)`: the words stand at the left end and cover all of it.
        left = node
        while left.named_children and left.type in ("call_expression", "navigation_expression", "try_expression", "await_expression"):
            around.add(left.type)
            left = left.named_children[1 if left.type == "try_expression" else 0]
        if act.throws and "try_expression" not in around:
            self._say(node, f"{name} throws: `try` is missing")
        if act.is_async and "await_expression" not in around and "async_let" not in around:
            self._say(node, f"{name} is async: `await` is missing")

    def _type_of(self, node):
        """The surface's type of an expression, as far as it can be told."""
        while node.type in ("try_expression", "await_expression", "tuple_expression", "optional_chain_marker") and node.named_children:
            node = node.named_children[-1]
        if node.type == "simple_identifier":
            return self.variables.get(text(node), "?")
        if node.type == "call_expression":
            return self._made(node)
        if node.type == "navigation_expression":
            owner, name = node.named_children[0], text(node.named_children[-1]).lstrip(".")
            if text(owner) == "self":
                return self.variables.get(name, "?")
            held = self._type_of(owner)
            if held in self.surface.kinds:
                return self.surface.kinds[held].fields.get(name, "?")
            own = self.own.properties.get(name, set())
            return next(iter(own)) if len(own) == 1 else "?"
        return "?"

    # --- members, switches, ports

    def _member(self, node):
        if node.parent.type == "call_expression" and node.parent.named_children[0].id == node.id:
            return
        owner, name = node.named_children[0], text(node.named_children[-1]).lstrip(".")
        kind = self.surface.kinds.get(text(owner))
        if kind is not None and text(owner) not in self.variables:
            self.seen += 1
            if name not in kind.cases and name not in ("self", "Type"):
                self._say(node, f"{kind.name} has no {name}")
            return
        held = self.surface.kinds.get(self._type_of(owner))
        if held is not None and held.sort == "record":
            self.seen += 1
            if name not in held.fields:
                self._say(node, f"{held.name} has no field {name}")

    def _switch(self, node):
        """A switch without `default` over an enum of the surface names every case."""
        named, complete = set(), False
        for entry in node.named_children:
            if entry.type != "switch_entry":
                continue
            complete |= any(child.type == "default_keyword" for child in entry.children)
            for pattern in entry.named_children:
                if pattern.type == "switch_pattern":
                    cases = [text(part) for part in walk(pattern) if part.type == "simple_identifier"]
                    named.update(cases[:1])
        if not named or any(name in self.own.cases for name in named):
            return
        kinds = [kind for kind in self.surface.kinds.values() if named & set(kind.cases)]
        if not kinds:
            return
        self.seen += 1
        whole = [kind for kind in kinds if named <= set(kind.cases)]
        if not whole:
            best = max(kinds, key=lambda kind: len(named & set(kind.cases)))
            if complete and len(named & set(best.cases)) < 2:
                return  # an enum of somebody else that shares a word
            self._say(node, f"switch over {best.name} names {', '.join(sorted(named - set(best.cases)))}, which it has not")
        elif not complete and all(set(kind.cases) != named for kind in whole):
            self._say(node, f"switch over {whole[0].name} leaves out {', '.join(sorted(set(whole[0].cases) - named))}")

    def _conforms(self, node):
        """A class that says it is a port has every method of it, with its labels."""
        ports = [
            text(part)
            for child in node.named_children
            if child.type == "inheritance_specifier"
            for part in walk(child)
            if part.type == "user_type" and self.surface.kinds.get(text(part), None) and self.surface.kinds[text(part)].sort == "port"
        ]
        declared = collections.defaultdict(list)
        for part in walk(node):
            if part.type == "function_declaration":
                declared[text(part.child_by_field_name("name")).strip("`")].append(declared_labels(part)[0])
        for port in ports:
            for name, act in self.surface.kinds[port].methods.items():
                self.seen += 1
                if act.labels not in declared[name]:
                    self._say(node, f"{port}.{name}({', '.join(act.labels)}) is not implemented")


# Methods of Apple's and Swift's own libraries with names that the surface has, too; told apart by their labels.
APPLE = {"lock", "cancel", "close", "list", "end", "delete", "progress"}
