"""Damage as disks, editors and hostile people make it, from a seed."""

import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]
LARGEST = 200_000  # bytes that a mutated input has at most, longer ones are cut

TOKENS = (
    b"", b"0", b"-1", b"nan", b"inf", b"-inf", b"1e308", b"1e-320", b"1.797e308", b"9" * 400, b"null", b"{}",
    b"[]", b'"', b"'", b"#", b"\n", b"\r\n", b"\r", b"\t", b",", b";", b"|", b"=cmd()", b"\x00", b"\xff",
    b"\xed\xa0\x80", b"\\ud800", b"\xef\xbb\xbf", b"../../x", b"/dev/zero", b"%s%s%n", b"[" * 2000,
    b"{" * 2000, b"<script>", b"\x1b[31m", "\u202e".encode(), "\u00a0".encode(), b"true", b"10h", b"5%",
    b"1,000", b"1'340", b"2026-12-01T00:00:00Z",
)  # fmt: skip


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    """Flip one to sixteen bits."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 16)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncate(content: bytes, rng: random.Random) -> bytes:
    """Cut the end off."""
    return content[: rng.randrange(len(content) + 1)]


def remove(content: bytes, rng: random.Random) -> bytes:
    """Take a piece out."""
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start + rng.randint(1, 64) :]


def repeat(content: bytes, rng: random.Random) -> bytes:
    """Repeat a piece up to fifty times."""
    start = rng.randrange(len(content) + 1)
    piece = content[start : start + rng.randint(1, 256)]
    return content[:start] + piece * rng.randint(2, 50) + content[start:]


def insert_token(content: bytes, rng: random.Random) -> bytes:
    """Insert what readers stumble over, or write it over what is there."""
    start = rng.randrange(len(content) + 1)
    token = rng.choice(TOKENS)
    return content[:start] + token + content[start + rng.choice((0, len(token))) :]


def replace_number(content: bytes, rng: random.Random) -> bytes:
    """Write another token in place of a run of digits."""
    starts = [
        i for i in range(1, len(content)) if content[i : i + 1].isdigit() and not content[i - 1 : i].isdigit()
    ]
    if not starts:
        return insert_token(content, rng)
    start = end = rng.choice(starts)
    while end < len(content) and content[end : end + 1].isdigit():
        end += 1
    return content[:start] + rng.choice(TOKENS) + content[end:]


def swap_lines(content: bytes, rng: random.Random) -> bytes:
    """Exchange two lines, or move one."""
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return flip_bits(content, rng)
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def overwrite_head(content: bytes, rng: random.Random) -> bytes:
    """Write random bytes over the first ones, where formats keep their sizes and offsets."""
    n = rng.randint(1, 64)
    return rng.randbytes(min(n, len(content))) + content[n:]


def splice(content: bytes, rng: random.Random) -> bytes:
    """Put the second half first."""
    middle = rng.randrange(len(content) + 1)
    return content[middle:] + content[:middle]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, truncate, remove, repeat, insert_token, insert_token, replace_number, replace_number,
    swap_lines, overwrite_head, splice,
)  # fmt: skip


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return content after one to three mutations."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(MUTATIONS)(content, rng)[:LARGEST]
    return content
