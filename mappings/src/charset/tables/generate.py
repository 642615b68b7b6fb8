#!/usr/bin/env python3
"""Writes the tables beside it by asking the C library's iconv what each code stands for.

One line for each code of a single byte ("c1 0041") or of two bytes between shift-out and shift-in
("88a1 ac00"): the code and its Unicode character, both in hex. Codes for private characters are
left out, for no other encoding has them.
"""
import ctypes
from pathlib import Path

libc = ctypes.CDLL(None)
libc.iconv_open.restype = ctypes.c_void_p
libc.iconv.restype = ctypes.c_size_t
libc.iconv.argtypes = [ctypes.c_void_p] + [ctypes.c_void_p] * 4


def character(converter, code):
    libc.iconv(converter, None, None, None, None)
    source = ctypes.create_string_buffer(code, len(code))
    target = ctypes.create_string_buffer(16)
    here, there = ctypes.c_char_p(ctypes.addressof(source)), ctypes.c_char_p(ctypes.addressof(target))
    left, room = ctypes.c_size_t(len(code)), ctypes.c_size_t(16)
    refs = [ctypes.byref(each) for each in (here, left, there, room)]
    if libc.iconv(converter, *refs) == ctypes.c_size_t(-1).value or room.value != 14:
        return None
    unicode = int.from_bytes(target.raw[:2], "big")
    return None if 0xE000 <= unicode <= 0xF8FF else unicode


for name in ["ibm037", "ibm500", "ibm933"]:
    converter = libc.iconv_open(b"UTF-16BE", name.upper().encode())
    codes = [bytes([code]) for code in range(256) if code not in (0x0E, 0x0F)]
    lines = []
    for code in codes:
        if (found := character(converter, code)) is not None:
            lines.append(f"{code.hex()} {found:04x}\n")
    if name == "ibm933":
        for lead in range(0x40, 0xFF):
            for trail in range(0x40, 0xFF):
                found = character(converter, bytes([0x0E, lead, trail, 0x0F]))
                if found is not None:
                    lines.append(f"{lead:02x}{trail:02x} {found:04x}\n")
    Path(__file__).with_name(f"{name}.txt").write_text("".join(lines))
