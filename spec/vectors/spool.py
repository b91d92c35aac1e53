"""A spool segment as `spec/frame.md` describes it: `generate.py` writes it to `spool.json`."""
import hashlib, struct

HEADER_BYTES = 4096


def crc32c_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def chacha20_block(key, counter, nonce):
    """RFC 8439 section 2.3."""
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key)
                 + (counter,) + struct.unpack("<3I", nonce))
    state = start[:]

    def quarter(a, b, c, d):
        for x, y, z, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = ((mixed << shift) | (mixed >> (32 - shift))) & 0xFFFFFFFF

    for _ in range(10):
        for column in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                       (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*column)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, start)))


def chacha20(key, nonce, data):
    """Encrypts, and decrypts; the block counter begins at 0."""
    out = bytearray()
    for n in range(0, len(data), 64):
        block = chacha20_block(key, n // 64, nonce)
        out += bytes(a ^ b for a, b in zip(data[n:n + 64], block))
    return bytes(out)


def header_copy(segment):
    fields = b"mtspool\n" + struct.pack(">H6x", 1) + segment["tag"] + segment["producer"]
    fields += struct.pack(">QQ", segment["segment_no"], segment["first_seq"]) + segment["origin"] + segment["key"]
    fields += struct.pack(">QQ", segment["created_us"], segment["size_bytes"])
    fields = fields.ljust(508, b"\0")
    return fields + struct.pack(">I", crc32c(fields))


def slot(segment, offset, n_unsynced, seq, time_us, frame):
    head = b"mt" + struct.pack(">HIQQ", n_unsynced, len(frame), seq, time_us)
    head += struct.pack(">I", crc32c(segment["tag"] + head))
    sealed = chacha20(segment["key"], struct.pack(">4xQ", offset), frame)
    head += struct.pack(">I", crc32c(segment["tag"] + head + sealed))
    return head + sealed + bytes(-len(sealed) % 32)


def ack(producer, next_seq):
    fields = b"mtack\0\0\n" + producer + struct.pack(">Q", next_seq)
    return fields + struct.pack(">I", crc32c(fields))


def vectors():
    digest = lambda text: hashlib.sha256(text.encode()).digest()
    segment = {"tag": digest("tag")[:16], "producer": digest("producer")[:16], "segment_no": 3, "first_seq": 40,
               "origin": digest("origin"), "key": digest("key"), "created_us": 1_700_000_000_000_000, "size_bytes": 16384}
    frames = [b"", b"a frame of another length than 32", bytes(range(256))]
    offset, slots = HEADER_BYTES, []
    for n, frame in enumerate(frames):
        data = slot(segment, offset, n, 40 + n, 1_700_000_000_000_001 + n, frame)
        slots.append({"offset": offset, "n_unsynced": n, "seq": 40 + n, "time_us": 1_700_000_000_000_001 + n,
                      "frame": frame.hex(), "slot": data.hex()})
        offset += len(data)
    texts = {k: v.hex() if isinstance(v, bytes) else v for k, v in segment.items()}
    return {"header": texts, "header_copy": header_copy(segment).hex(), "slots": slots,
            "ack": {"producer": texts["producer"], "next_seq": 43, "file": ack(segment["producer"], 43).hex()}}
