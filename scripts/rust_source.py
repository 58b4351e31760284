"""Reads the Rust code of a crate: its files, without comments and without what only tests compile.

It knows as much of the language as counting lines and following paths need. It must not know what
is counted or which paths are allowed.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Whatever may hold a brace or a `//` that means nothing. A lifetime is no character: it has no
# closing quote.
OPAQUE = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\* )
    | (?P<raw> \b b?c?r(?P<hashes>\#*)" .*? "(?P=hashes) )
    | (?P<text> " (?: \\. | [^"\\] )* " )
    | (?P<character> ' (?: \\(?: u\{[^}]*\} | . [^']* ) | [^'\\\n] ) ' )
    """,
    re.VERBOSE | re.DOTALL,
)
ONLY_IN_TESTS = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*")
MODULE = re.compile(r"\bmod\s+(\w+)\s*([;{])")


@dataclass
class File:
    """A file that is compiled into a crate outside of its tests."""

    path: Path
    # Where it is in its crate: ("hub", "shard") for `hub/shard.rs`, nothing for `lib.rs`.
    module: tuple[str, ...]
    # The code, line for line as in the file; blank where comments and tests were, and with quotes
    # instead of what texts say.
    code: str

    def line(self, offset: int) -> int:
        """The number of the line that a place in the code is on."""
        return self.code.count("\n", 0, offset) + 1

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def crates() -> dict[Path, list[Path]]:
    """The folders of all crates in the workspace, with the files that their libraries and programs
    begin with."""
    question = ["cargo", "metadata", "--no-deps", "--offline", "--format-version=1"]
    answer = subprocess.run(question, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return {
        Path(package["manifest_path"]).parent: [
            Path(target["src_path"])
            for target in package["targets"]
            if {"lib", "bin"} & set(target["kind"])
        ]
        for package in json.loads(answer.stdout)["packages"]
    }


def files(root: Path) -> list[File]:
    """A target's first file and all that it declares as modules, in the order of declaration."""
    found, waiting = [], [(root, ())]
    while waiting:
        path, module = waiting.pop(0)
        code = without_tests(without_comments(path.read_text()))
        found.append(File(path, module, code))
        is_folder = path == root or path.name == "mod.rs"
        folder = path.parent if is_folder else path.with_suffix("")
        for name, end in MODULE.findall(code):
            if end == "{":
                raise SystemExit(f"{path}: give `mod {name}` a file of its own")
            candidates = [folder / f"{name}.rs", folder / name / "mod.rs"]
            declared = next((file for file in candidates if file.exists()), None)
            if declared is None:
                raise SystemExit(f"{path}: no file for `mod {name};`, looked for {candidates}")
            waiting.append((declared, (*module, name)))
    return found


def without_comments(text: str) -> str:
    """Blanks comments and what stands in quotes; lines stay lines."""
    kept, at = [], 0
    while match := OPAQUE.search(text, at):
        kept.append(text[at : match.start()])
        at = match.end()
        if match["comment"] == "/*":
            at = end_of_block_comment(text, match.start())
        filling = " " if match["comment"] else '"'
        kept.append(re.sub(r"\S", filling, text[match.start() : at]))
    return "".join(kept) + text[at:]


def end_of_block_comment(text: str, start: int) -> int:
    """Block comments nest."""
    depth = 0
    for edge in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def without_tests(code: str) -> str:
    """Blanks every item that is compiled for tests only."""
    while match := ONLY_IN_TESTS.search(code):
        end = end_of_item(code, match.end())
        code = code[: match.start()] + re.sub(r"\S", " ", code[match.start() : end]) + code[end:]
    return code


def end_of_item(code: str, start: int) -> int:
    """Behind the `;` or `,` that ends an item, or behind the braces that it ends with."""
    depth = 0
    for at in range(start, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
            if depth < 0:
                return at
            if depth == 0 and code[at] == "}":
                # A `use a::{b, c};` has its semicolon still to come.
                return at + 1 if code[at + 1 : at + 2] != ";" else at + 2
        elif depth == 0 and code[at] in ";,":
            return at + 1
    return len(code)
