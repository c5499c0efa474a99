"""Writes the examples of the corpus that no run of sparring makes. Needs Python and nothing else."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent / "corpus"


def put(path, data):
    file = HERE / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data if isinstance(data, bytes) else data.encode())


def pixels(count):
    return bytes(i * 37 % 256 for i in range(count))


# IDX: http://yann.lecun.com/exdb/mnist/
images = struct.pack(">IIII", 0x803, 4, 8, 8) + pixels(256)
labels = struct.pack(">II", 0x801, 4) + bytes([0, 1, 2, 1])
put("idx/images", images)
put("idx/labels", labels)
put("idx/images.gz", gzip.compress(images, mtime=0))
put("idx/one", struct.pack(">IIII", 0x803, 1, 1, 1) + b"\x07")


# NumPy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
def npy(descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


grey = npy("|u1", "(4, 8, 8)", pixels(256))
put("npy/images.npy", grey)
put("npy/colour.npy", npy("|u1", "(2, 8, 8, 3)", pixels(384)))
put("npy/floats.npy", npy("<f4", "(2, 8, 8)", struct.pack("<128f", *[i / 128 for i in range(128)])))
put("npy/labels.npy", npy("<i8", "(4,)", struct.pack("<4q", 0, 1, 2, 1)))


def npz(method, **arrays):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data, method)
    return file.getvalue()


few = npy("|u1", "(4,)", bytes([0, 1, 2, 1]))
put("npz/stored.npz", npz(zipfile.ZIP_STORED, train_images=grey, train_labels=few))
put("npz/deflated.npz", npz(zipfile.ZIP_DEFLATED, train_images=grey, test_images=grey))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, color, data):
    size = len(data) // height
    rows = b"".join(b"\0" + data[row * size : (row + 1) * size] for row in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def bmp(width, height):
    row = (width * 3 + 3) // 4 * 4
    body = pixels(row * height)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + info + body


put("pictures/grey.png", png(8, 8, 0, pixels(64)))
put("pictures/colour.png", png(8, 8, 2, pixels(192)))
put("pictures/clear.png", png(8, 8, 6, pixels(256)))
put("pictures/colour.bmp", bmp(8, 8))
# One pixel: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
put("pictures/dot.gif", b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;")
for name in ["cmyk.jpg", "sideways.jpg"]:
    put(f"pictures/{name}", (Path(__file__).parent.parent / "tests/fixtures" / name).read_bytes())

put("labels/two", "file,label\na.png,cat\nb.png,dog\n")
put("labels/quoted", 'filename,class\r\n"a.png","a, ""cat"""\r\nb.png,3\r\n')


def frame(message, attachment=b""):
    header = json.dumps(message, separators=(",", ":")).encode()
    return struct.pack(">II", len(header), len(attachment)) + header + attachment


def hello(message):
    header = json.dumps(message, separators=(",", ":")).encode()
    return struct.pack(">I", len(header)) + header


put("frames/hello", hello({"message": "hello", "protocol": 3, "watch": True, "read_only": False}))
for name, command in {
    "pause": {"command": "pause"},
    "step": {"command": "step", "count": 18446744073709551615},
    "note": {"command": "note", "text": "a note\nwith \x1b[2J"},
    "sample": {"command": "sample", "count": 4, "seed": 1},
}.items():
    put(f"frames/{name}", frame({"message": "request", "id": 1, **command}))
pictures = {
    "purpose": "fixed", "seed": 1, "step": 30, "count": 2, "channels": 1, "height": 2, "width": 2, "labels": [],
}
events = (HERE / "events/run.jsonl").read_text().splitlines()
for name, event in {"started": events[1], "stats": next(e for e in events if '"stats"' in e)}.items():
    put(f"frames/{name}", frame({"message": "event", "sequence": 3, "record": json.loads(event)}))
put("frames/task", frame({"task": "sample", "checkpoint": "/tmp/x", "count": 9, "first": 0, "seed": 1, "class": None, "device": "cpu"}))
put("frames/reply", frame({"reply": "counted", "doing": "drawing", "done": 3, "total": 9}))
put("frames/pictures", frame({"message": "pictures", **pictures}, pixels(8)))
put("frames/two", frame({"message": "request", "id": 1, "command": "pause"}) + frame({"message": "request", "id": 2, "command": "resume"}))

put("presence/worker.json", json.dumps({
    "host": "box", "boot": "0d6c5b1e", "pid": 4242, "since": 1.7e9, "socket": "/tmp/sparring-1000/0123456789abcdef", "build": "0123456789abcdef",
}))
put("presence/failure.json", json.dumps({"pid": 1, "message": "no such data"}))

put("keymap/keys.toml", '[keymap]\npause = "p"\nsample = ["s", "ctrl-s"]\nnote = "f1"\n')
put("keymap/names.toml", '[keymap]\npause = "space"\ndetach = ["q", "ctrl-q", "alt-shift-x"]\n')
put("config/user.toml", 'preset = "dcgan"\nseed = 7\n[generator]\nlearning_rate = 1e-4\nhidden = [256, 512]\n[keymap]\npause = "p"\n')

for name, text in {
    "keys": "q\x1b[A\x1b[1;5C\x1bOP\x1b[15~\x1b[97;5u\x03é🦦",
    "mouse": "\x1b[M   \x1b[<0;12;7M\x1b[<0;0;0M\x1b[32;1;1M",
    "replies": "\x1b[?62;4c\x1b[?2026;2$y\x1b[12;40R\x1b]11;rgb:0000/0000/0000\x1b\\\x1bP>|kitty\x1b\\\x1b_Gi=1;OK\x1b\\",
    "paste": "\x1b[200~rm -rf /\nq\x1b[201~q",
    "focus": "\x1b[I\x1b[O\x1b[0;0R\x1b[1;0R",
}.items():
    put(f"terminal/{name}", text)

put("lines/text", "plain\nred \x1b[31mtext\x1b[0m\r\n\x9b2J\u202eevil\u2028\x00\x7f\ttab")
put("lines/json", json.dumps({"message": "a \x1b[2J b", "path": "/tmp/\u202e", "n": 1.5}, ensure_ascii=False))
