#!/usr/bin/env python3
"""Fails if modules of a crate need each other in a circle.

    scripts/module_cycles.py [CRATE]...

A module is a file or folder directly under a crate's `src`. It needs another one if it names it in
a path (`crate::other::Thing`, `super::other`, `use crate::{a, b}`), outside of tests. What `lib.rs`
or `main.rs` passes on with `use` counts as the module that it comes from; what else they hold is
the module `lib` or `main`. Declaring a module, and passing on what is in it, needs nothing.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

from rust_source import File, crates, files

# What one module needs of others: their names, and the places where it names them.
Needs = dict[str, list[str]]

USE = re.compile(r"(?P<visible>\bpub(?:\s*\([^)]*\))?\s+)?\buse\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:])(?:\w+\s*::\s*)+\w+|(?<![\w:])(?:crate|super)\s*::\s*(?=[{*])")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("crates", nargs="*", metavar="CRATE", help="all of them if none is given")
    chosen = parser.parse_args()

    known = {crate.name: roots for crate, roots in crates().items()}
    for name in chosen.crates:
        if name not in known:
            sys.exit(f"there is no crate {name!r}; there are {', '.join(known)}")

    knots = [
        (name, knot)
        for name in chosen.crates or known
        for root in known[name]
        for knot in circles(graph(root))
    ]
    for name, knot in knots:
        print(describe(name, knot))
    sys.exit(bool(knots))


def graph(root: Path) -> dict[str, Needs]:
    """What each of a target's modules needs of the others."""
    all_files = files(root)
    modules = {file.module[0] for file in all_files if file.module}
    passed_on = names_passed_on(all_files[0], modules)
    needs = defaultdict(lambda: defaultdict(list))
    for file in all_files:
        here = file.module[0] if file.module else root.stem
        for names, place in paths(file, modules):
            first = names[0]
            # What is in no module is an item of the root file itself.
            there = first if first in modules else passed_on.get(first, root.stem)
            if there != here:
                needs[here][there].append(f"{place}: crate::{'::'.join(names)}")
    return needs


def names_passed_on(root: File, modules: set[str]) -> dict[str, str]:
    """Which module each name comes from that a root file takes out of its modules."""
    names = {}
    for use in USE.finditer(root.code):
        for path in branches(use["tree"]):
            path, _, alias = path.partition(" as ")
            parts = [part for part in names_of(path) if part not in ("crate", "self")]
            if parts and parts[0] in modules:
                names[alias.strip() or parts[-1]] = parts[0]
    return names


def paths(file: File, modules: set[str]):
    """All paths that lead through the crate's root, from there on, with where they stand."""
    rest = file.code
    for use in USE.finditer(file.code):
        rest = rest[: use.start()] + " " * len(use[0]) + rest[use.end() :]
        if use["visible"] and not file.module:
            continue
        for path in branches(use["tree"]):
            yield from through_root(file, path.partition(" as ")[0], use.start("tree"), modules)
    for path in PATH.finditer(rest):
        yield from through_root(file, path[0], path.start(), modules)


def through_root(file: File, path: str, offset: int, modules: set[str]):
    """The path from the crate's root on, if it leads there, with where it stands."""
    names, place = names_of(path), f"{file}:{file.line(offset)}"
    if names[0] == "crate":
        del names[0]
    elif names[0] in ("super", "self"):
        above = file.module
        while names and names[0] in ("super", "self"):
            above = above[:-1] if names.pop(0) == "super" else above
        names = [*above, *names]
    elif file.module or names[0] not in modules:
        # Begins with another crate, or with what this module has named before.
        return
    if names[:1] == ["*"]:
        sys.exit(f"{place}: name what is taken from the crate's root")
    if names:
        yield names, place


def names_of(path: str) -> list[str]:
    """`a::b` as `a` and `b`."""
    return [name for name in re.split(r"\s*::\s*", path.strip()) if name]


def branches(tree: str, before: str = ""):
    """`a::{b, c::{self, d}}` as `a::b`, `a::c`, `a::c::d`."""
    for branch in split_at_commas(tree):
        if "{" not in branch:
            name = before + branch
            yield name.removesuffix("::self") if branch == "self" else name
            continue
        stem, _, rest = branch.partition("{")
        yield from branches(rest[: rest.rindex("}")], before + stem.strip())


def split_at_commas(tree: str) -> list[str]:
    """The parts of a list, in which braces hold together what is in them."""
    parts, depth = [""], 0
    for character in tree:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def circles(needs: dict[str, Needs]) -> list[dict[str, Needs]]:
    """The knots: modules of which each one reaches all others, and what they need of each other."""
    reach = {module: reached_from(module, needs) for module in needs}
    knots = []
    for module in sorted(needs):
        knot = {other for other in reach[module] if module in reach.get(other, ())}
        if module == min(knot, default=None):
            knots.append(
                {
                    inner: {name: at for name, at in needs[inner].items() if name in knot}
                    for inner in sorted(knot)
                }
            )
    return knots


def reached_from(start: str, needs: dict[str, Needs]) -> set[str]:
    """All modules that one needs, directly or not; itself only by a circle."""
    reached, waiting = set(), list(needs[start])
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += needs.get(module, ())
    return reached


def describe(crate: str, knot: dict[str, Needs]) -> str:
    """One line for each module that another one needs, the few reasons before the many."""
    edges = [(here, there, at) for here, needs in knot.items() for there, at in needs.items()]
    lines = [f"{crate}: {', '.join(knot)} need each other in a circle ({len(edges)} edges)"]
    for here, there, at in sorted(edges, key=lambda edge: len(edge[2])):
        lines.append(f"  {here} -> {there} ({len(at)})")
        lines += [f"      {place}" for place in at]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
