"""Read the wire format of protocol buffers: the fields of a message, without its schema.

Source: protobuf.dev/programming-guides/encoding. Wire types: 0 a varint, 1 eight bytes, 2 a length and that
many bytes, 5 four bytes; 3 and 4 are groups, which no tracker uses.
"""

from collections.abc import Iterator

MAX_VARINT_BITS = 64

Value = int | bytes


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the variable-length number at a position, and the position after it.

    Args:
        data: A message.
        at: Where the number starts.

    Returns:
        The number and where the next field starts.

    Raises:
        ValueError: The message ends within the number, or the number is longer than 64 bits.
    """
    number = shift = 0
    while True:
        if at >= len(data) or shift >= MAX_VARINT_BITS:
            raise ValueError("a number is cut off")
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and content of each field of a message.

    Args:
        data: The message.

    Yields:
        The field's number; its content as an integer (varint) or as bytes (everything else).

    Raises:
        ValueError: The bytes are no message.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            number, at = varint(data, at)
            yield key >> 3, number
            continue
        if kind == 2:
            length, at = varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} is not known")
        if at + length > len(data):
            raise ValueError("a field is cut off")
        yield key >> 3, data[at : at + length]
        at += length


def messages(data: bytes, number: int) -> Iterator[bytes]:
    """Yield the contents of every field that has a number and holds bytes.

    Args:
        data: The message.
        number: The number of the field.

    Yields:
        The bytes of the fields.
    """
    return (content for n, content in fields(data) if n == number and isinstance(content, bytes))


def message(data: bytes, number: int) -> bytes:
    """Return the content of the last field that has a number, b"" where there is none.

    Args:
        data: The message.
        number: The number of the field.

    Returns:
        The bytes of the field.

    Raises:
        ValueError: The bytes are not a message.
    """
    content = b""
    for content in messages(data, number):  # noqa: B007 - the last one counts
        pass
    return content


def text(data: bytes, number: int) -> str:
    """Return the text of a field, "" where there is none.

    Args:
        data: The message.
        number: The number of the field.

    Returns:
        The text, decoded as UTF-8; bytes that are not are replaced.

    Raises:
        ValueError: The bytes are not a message.
    """
    return message(data, number).decode("utf-8", "replace")


def integer(data: bytes, number: int) -> int:
    """Return the signed integer of a field, 0 where there is none.

    Args:
        data: The message.
        number: The number of the field.

    Returns:
        The last value of the field, read as 64 bits in two's complement.

    Raises:
        ValueError: The bytes are not a message.
    """
    value = 0
    for n, content in fields(data):
        if n == number and isinstance(content, int):
            value = content
    return value - (1 << 64) if value >= 1 << 63 else value
