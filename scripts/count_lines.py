#!/usr/bin/env python3
"""Counts lines of code for each crate: no tests, no comments, no blank lines.

    scripts/count_lines.py

Tests are what stands in `tests/` or is compiled under `#[cfg(test)]` only. Code that only measures
or simulates is counted apart from the code that runs on a node.
"""

from pathlib import Path

from rust_source import ROOT, crates, files


def main() -> None:
    sizes = {crate: lines_of(roots) for crate, roots in crates().items()}
    for crate, lines in sorted(sizes.items(), key=lambda entry: -entry[1]):
        print(f"{lines:7,}  {crate.relative_to(ROOT)}")
    total = sum(sizes.values())
    on_a_node = sum(lines for crate, lines in sizes.items() if runs_on_a_node(crate))
    print(f"{total:7,}  in total, {on_a_node:,} of them on a node")


def runs_on_a_node(crate: Path) -> bool:
    """Whether it is part of the server, and neither measures nor simulates it."""
    return "tools" not in crate.relative_to(ROOT).parts and crate.name not in {"simulation", "testkit"}


def lines_of(roots: list[Path]) -> int:
    """How many lines of its code are not blank; a module of two targets counts once."""
    codes = {file.path: file.code for root in roots for file in files(root)}
    return sum(1 for code in codes.values() for line in code.splitlines() if line.strip())


if __name__ == "__main__":
    main()
