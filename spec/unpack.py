"""Decompresses parts for `verify_ledger.py`: with Python 3.14's `compression.zstd`, the module
`zstandard`, or the command `zstd`, whichever is there.
"""
import subprocess

# No part is larger than a record: what damaged compressed bytes may claim is bounded.
PART_BYTES_MAX = 256 << 20


def frame_size(packed):
    """Content size that a zstd frame states (RFC 8878 section 3.1.1.1), or None."""
    if len(packed) < 6 or packed[:4] != b"\x28\xb5\x2f\xfd":
        return None
    descriptor = packed[4]
    single, flag = descriptor >> 5 & 1, descriptor >> 6
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    width = (1 if single else 0, 2, 4, 8)[flag]
    if width == 0:
        return None
    size = int.from_bytes(packed[at:at + width], "little") + (256 if width == 2 else 0)
    return size if size <= PART_BYTES_MAX else None


def find_decompressor():
    """A function from compressed frames, one behind the other, to their bytes; None if there is none."""
    try:
        from compression import zstd
        return zstd.decompress
    except ImportError:
        pass
    try:
        import zstandard
        read = lambda data: zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
        return read
    except ImportError:
        pass
    command = ["zstd", "--decompress", "--stdout", "--quiet"]
    run = lambda data: subprocess.run(command, input=data, capture_output=True, check=True).stdout
    try:
        subprocess.run(["zstd", "--version"], capture_output=True, check=True)
        return run
    except (OSError, subprocess.CalledProcessError):
        return None


class Unpacker:
    """Decompresses many parts with few calls."""

    def __init__(self):
        self.decompress, self.n_unread = find_decompressor(), 0

    def one(self, packed):
        """The bytes of one part, or None when these are no such bytes."""
        size = frame_size(packed)
        try:
            data = None if size is None else self.decompress(packed)
        except Exception:  # each way of decompressing has its own error for damaged bytes
            return None
        return data if data is not None and len(data) == size else None

    def all(self, packed):
        """As `one`, for a list: all at once, and one by one where that fails."""
        sizes = [frame_size(data) for data in packed]
        if len(packed) > 1 and None not in sizes:
            try:
                data, out = self.decompress(b"".join(packed)), []
                if len(data) == sum(sizes):
                    for size in sizes:
                        out.append(data[:size])
                        data = data[size:]
                    return out
            except Exception:  # one of them is damaged; find out which
                pass
        return [self.one(data) for data in packed]
