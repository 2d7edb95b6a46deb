#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# make_corpus.py - the first inputs of the fuzz targets
#
# Out: tests/fuzz/corpus/TARGET/*, always the same bytes.  Written after
# FORMAT.md and not after the C code, so that it is a second encoder: the unit
# tests' golden bytes are of its making too.  Run it by hand when the format
# changes, and commit what it wrote.

import hashlib
import os
import struct

WINDOW = 0x300000000000
KEPT = 1 << 31


def statement(flights=2, version=0, domain=b"psu_thread statement",
              migration=b"\x11" * 16, generation=1, source=b"\x44" * 32,
              destination=b"\x55" * 32, head_len=234, stack_len=96,
              heap_len=0, sequence=7, stream=3, reserved=bytes(12), kind=1,
              links=0, previous=bytes(32), slot_len=128 << 20,
              stack_room=8 << 20, attested=2):
    return b"".join([
        domain.ljust(32, b"\0"),
        struct.pack(">HBBB", version, kind, flights, links),
        migration, b"\x22" * 16,
        struct.pack(">QQ", generation, 1700000000123), previous,
        b"\x33" * 16, source, destination, b"\x66" * 32,
        struct.pack(">QQIIIQQH", WINDOW, slot_len, stack_room, head_len,
                    stack_len, heap_len, sequence, stream),
        b"\x77" * 32, b"\x88" * 32, bytes([attested]), reserved])


def section(number, payload):
    return struct.pack(">II", number, len(payload)) + payload


def frame(offset, length, number=0, reserved=0):
    return struct.pack(">QIHH", offset, length, number, reserved)


FRAMES = (frame(0x401234, 40), frame(0x405678, 24, 1), frame(0x409abc, 32))


def registers(length=88):
    values = struct.pack(">7QI", *(WINDOW + n for n in range(1, 8)), 0x1f80)
    return (values + bytes(range(0xa0, 0xbc)))[:length]


def thread(disabled=0, asynchronous=0, name=b"worker"):
    return struct.pack(">QQQiBB", WINDOW + 0x1000, 0, 1 << 9, 11, disabled,
                       asynchronous) + name.ljust(16, b"\0")


def chain(frames=FRAMES, count=None):
    count = len(frames) if count is None else count
    return struct.pack(">I", count) + b"".join(frames)


def place(name=b"a", address=b"a:7310"):
    return (b"\x41".ljust(32, b"\0") + b"\x42".ljust(16, b"\0") +
            name.ljust(65, b"\0") + address.ljust(256, b"\0"))


def home(joinable=1, **changes):
    return struct.pack(">B", joinable) + place(**changes)


def head(sections, tail=b""):
    return b"".join(section(n, payload) for n, payload in sections) + tail


def heap(runs=((0, 1), (3, 2)), accessible=(2, 5)):
    return struct.pack(">II", *accessible) + b"".join(
        struct.pack(">II", *run) for run in runs)


def image(encoded, stack_len=96, heap_pages=3):
    return struct.pack(">HH", stack_len, heap_pages) + encoded


def ends():
    # without a stack: the end of a thread
    exits = struct.pack(">QQ", 0x40def0, WINDOW + 8)
    whole = [(7, struct.pack(">Q", 42)), (4, b"data!"), (5, exits)]
    yield "end", image(head(whole), 0, 0)
    yield "end-bare", image(head(whole[:1] + [(4, b""), (5, b"")]), 0, 0)
    yield "end-short", image(head([(7, bytes(7))] + whole[1:]), 0, 0)
    yield "end-missing", image(head(whole[1:]), 0, 0)
    yield "end-home", image(head(whole + [(6, home())]), 0, 0)
    yield "end-thread", image(head(
        [(1, registers()), (2, thread()), (3, chain(())), (4, b""),
         (5, b""), (6, home())]), 0, 0)


def images():
    whole = [(1, registers()), (2, thread()), (3, chain()), (4, b"data!"),
             (5, struct.pack(">QQ", 0x40def0, WINDOW + 8)), (6, home()),
             (8, heap())]
    yield "whole", image(head(whole))
    yield "no-locals", image(head(
        whole[:3] + [(4, b""), (5, b"")] + whole[5:]))
    yield "home-flag", image(head(whole[:5] + [(6, home(2))] + whole[6:]))
    yield "home-nameless", image(head(whole[:5] + [(6, home(name=b""))] + whole[6:]))
    yield "home-endless", image(head(
        whole[:5] + [(6, home(address=b"a" * 256))] + whole[6:]))
    yield "home-blank", image(head(whole[:5] + [(6, home(name=b"a b"))] + whole[6:]))
    yield "home-short", image(head(whole[:5] + [(6, home()[:-1])] + whole[6:]))
    yield "one-frame", image(head(
        whole[:2] + [(3, chain(FRAMES[:1]))] + whole[3:]), 40)
    yield "other-stack", image(head(whole), 97)
    yield "no-frame", image(head(
        whole[:2] + [(3, chain(()))] + whole[3:]), 0)
    yield "count-high", image(head(
        whole[:2] + [(3, chain(count=4))] + whole[3:]))
    yield "frame-empty", image(head(
        whole[:2] + [(3, chain((frame(1, 0), frame(2, 96))))] + whole[3:]))
    yield "frame-object", image(head(
        whole[:2] + [(3, chain((frame(1, 96, 64),)))] + whole[3:]))
    yield "frame-reserved", image(head(
        whole[:2] + [(3, chain((frame(1, 96, 0, 1),)))] + whole[3:]))
    yield "cancel", image(head(
        whole[:1] + [(2, thread(1, 1))] + whole[2:]))
    yield "cancel-two", image(head(
        whole[:1] + [(2, thread(2))] + whole[2:]))
    yield "name-endless", image(head(
        whole[:1] + [(2, thread(name=b"n" * 16))] + whole[2:]))
    yield "name-tail", image(head(
        whole[:1] + [(2, thread(name=b"a\0b"))] + whole[2:]))
    yield "registers-short", image(head([(1, registers(87))] + whole[1:]))
    yield "swapped", image(head([whole[1], whole[0]] + whole[2:]))
    yield "missing", image(head(whole[:6]))
    yield "twice", image(head(whole + whole[6:]))
    yield "tail", image(head(whole, b"\0"))
    yield "cut", image(head(whole)[:-1])
    yield "heap-kept", image(head(whole[:6] + [
        (8, heap(((0, 1), (0, KEPT + 2), (0, 4))))]), 96, 5)
    yield "heap-kept-twice", image(head(whole[:6] + [
        (8, heap(((0, KEPT + 1), (0, KEPT + 2))))]), 96, 0)
    yield "heap-none", image(head(whole[:6] + [(8, heap((), (0, 0)))]), 96, 0)
    yield "heap-beginless", image(head(whole[:6] + [(8, heap((), (0, 1)))]),
                                  96, 0)
    yield "heap-other", image(head(whole), 96, 4)
    yield "heap-empty-run", image(head(
        whole[:6] + [(8, heap(((0, 3), (3, 0))))]))
    yield "heap-cut-run", image(head(
        whole[:6] + [(8, heap(((0, 1), (0, 2))))]))
    yield "heap-short", image(head(whole[:6] + [(8, heap()[:-1])]))
    yield "heap-huge", image(head(
        whole[:6] + [(8, heap(((2**32 - 1, 2**32 - 1),)))]))
    yield from ends()


def statements():
    yield "two-flights", statement()
    yield "one-flight", statement(flights=1)
    yield "three-flights", statement(flights=3)
    yield "links", statement(links=16)
    yield "links-over", statement(links=17)
    yield "version", statement(version=1)
    yield "domain", statement(domain=b"psu_thread something")
    yield "no-migration", statement(migration=bytes(16))
    yield "itself", statement(destination=b"\x44" * 32)
    yield "head-over", statement(head_len=(10 << 20) + 1)
    yield "stack-empty", statement(stack_len=0)
    yield "stack-over", statement(stack_len=(8 << 20) + 1)
    yield "slot-long", statement(slot_len=32 << 30)
    yield "slot-over", statement(slot_len=(32 << 30) + (128 << 20))
    yield "slot-odd", statement(slot_len=(128 << 20) + 4096)
    yield "slot-none", statement(slot_len=0)
    yield "room-under", statement(stack_room=60 << 10)
    yield "room-over", statement(stack_room=(64 << 20) + 4096)
    yield "room-odd", statement(stack_room=(8 << 20) + 8)
    yield "end", statement(kind=2, flights=1, stack_len=0)
    yield "end-links", statement(kind=2, flights=1, stack_len=0, links=1)
    yield "end-stack", statement(kind=2, flights=1)
    yield "end-flights", statement(kind=2, stack_len=0)
    yield "kind", statement(kind=3)
    yield "heap", statement(heap_len=4096)
    yield "heap-odd", statement(heap_len=1)
    yield "heap-over", statement(heap_len=(128 << 20) + 4096)
    yield "end-heap", statement(kind=2, flights=1, stack_len=0, heap_len=4096)
    yield "sequence", statement(sequence=8)
    yield "reserved", statement(reserved=bytes(11) + b"\1")
    yield "attested", statement(attested=1)
    yield "attested-neither", statement(attested=0)
    yield "end-attested", statement(kind=2, flights=1, stack_len=0, attested=1)
    yield "cut", statement()[:-1]
    yield "unsigned", statement() + bytes(64)


def journey(moves, **changed):
    # the next statement, and the moves before it between the two hosts; what
    # is changed is so in the newest link
    hosts = (b"\x44" * 32, b"\x55" * 32)
    links = []
    for generation in range(1, moves + 2):
        fields = dict(
            generation=generation, links=min(len(links), 16),
            source=hosts[(generation + 1) % 2],
            destination=hosts[generation % 2],
            previous=hashlib.sha256(links[0]).digest() if links else bytes(32))
        if generation == moves:
            fields.update(changed)
        links.insert(0, statement(**fields) + bytes(64))
    return links[0][:352] + b"".join(links[1:17])


def itineraries():
    yield "none", journey(0)
    yield "one", journey(1)
    yield "two", journey(2)
    yield "full", journey(16)
    yield "over", journey(20)
    yield "missing", journey(2)[:352 + 416]
    yield "cut", journey(2)[:-1]
    yield "end", journey(2, kind=2)
    yield "generation", journey(2, generation=3)
    yield "destination", journey(2, destination=b"\x66" * 32)
    yield "link-version", journey(2, version=1)
    yield "link-reserved", journey(2, reserved=bytes(11) + b"\1")


def page_entry(kind, run=0, size=0, dirty=0, links=(0, 0)):
    return struct.pack("<BBBBIII", kind, size, dirty, 0, run, *links)


INNER, FREE, FREE_LAST, SLAB, SLAB_INNER, LARGE = range(6)


def heap_head(entries, mark, accessible=70, dirty=0, slabs={}, free={},
              first=6, high=WINDOW + (4 << 20)):
    # the processor's byte order: a heap is memory
    used = sum(1 << n for n in free)
    return struct.pack(
        "<Q5I32I4xQQ96I", high, first, 1024, mark, accessible, dirty,
        *(slabs.get(n, 0) for n in range(32)), used & 2**64 - 1, used >> 64,
        *(free.get(n, 0) for n in range(96))) + \
        bytes(16 * first) + b"".join(entries)


def slab_head(size_count, taken, hint=None):
    bits = (1 << size_count) - 1 - ((1 << taken) - 1)
    words = (size_count + 63) // 64
    hint = taken // 64 if hint is None else hint
    return struct.pack("<II", size_count - taken, hint) + \
        bits.to_bytes(words * 8, "little")


# take two, resize one and what came, give back both and what came
STEPS = ((0, 100), (0x80, 50000), (0x81, 0, 20000), (1, 0xa000, 30000),
         (0x82, 1), (2, 0x6020), (0xc0, 300), (0, 0x0c000000 + 4096))


def heap_steps(steps):
    return b"".join(struct.pack(">BI", *step[:2]) +
                    b"".join(struct.pack(">I", len) for len in step[2:])
                    for step in steps)


def sample_head(slab=(4, 6), free_last=13, **changes):
    # a slab of 146 blocks of 112 bytes, a large block, a free run, a large one
    entries = [
        page_entry(SLAB, *slab), *[page_entry(SLAB_INNER, 6)] * 3,
        page_entry(LARGE, 3), *[page_entry(INNER)] * 2,
        page_entry(FREE, 5, 0, 1), *[page_entry(INNER)] * 3,
        page_entry(FREE_LAST, free_last),
        page_entry(LARGE, 5), *[page_entry(INNER)] * 4]
    fields = dict(mark=23, dirty=5, slabs={6: 6}, free={4: 13})
    return heap_head(entries, **{**fields, **changes})


def heap_input(pages, runs=((0, 1), (5, 1), (3, 1)), accessible=(1, 64),
               kept=(0, 0), same=0x35, steps=STEPS):
    return b"".join([
        bytes(kept), bytes([len(runs), same]), heap(runs, accessible),
        *(struct.pack(">H", len(page)) + page for page in pages),
        heap_steps(steps)])


def heaps():
    head, slab = sample_head(), slab_head(146, 3)
    sample = [head, slab, b"large"]
    yield "empty", heap_input([heap_head([], 6, 6)], ((0, 1),), (1, 0))
    yield "whole", heap_input(sample)
    yield "all-same", heap_input(sample, same=255)
    yield "kept", heap_input(
        sample, ((0, 1), (5, KEPT + 1), (3, 1)), kept=(1, 64))
    yield "kept-all", heap_input(
        sample, ((0, KEPT + 1), (5, KEPT + 1), (3, KEPT + 1)), kept=(5, 100))
    yield "kept-less", heap_input(
        sample, ((0, 1), (5, KEPT + 1), (3, KEPT + 1)), kept=(1, 3))
    yield "slab-full", heap_input(
        [sample_head(slabs={}), slab_head(146, 146), b"large"])
    yield "slab-miscounted", heap_input([head, slab_head(147, 3)])
    yield "two-free", heap_input([heap_head([
        page_entry(FREE, 1, 0, 0, (8, 0)), page_entry(LARGE, 1),
        page_entry(FREE, 1, 0, 1, (0, 6)), page_entry(LARGE, 1)],
        10, dirty=1, free={0: 6})], ((0, 1),))
    yield "free-last", heap_input([heap_head([
        page_entry(LARGE, 1), page_entry(FREE, 2), page_entry(FREE_LAST, 7)],
        9, free={1: 7})], ((0, 1),))
    yield "large-map", heap_input([heap_head([
        page_entry(LARGE, 1000)], 1006, 1024)], ((0, 1),), (5, 1018))
    yield "behind-mark", heap_input(sample, ((0, 1), (5, 1), (20, 1)))
    yield "in-guard", heap_input(sample, ((0, 1), (4, 1), (3, 1)))
    yield "over-end", heap_input(sample, ((0, 1), (5, 2**31 - 1)))
    yield "accessible", heap_input(sample, accessible=(1, 1019))
    yield "mark-high", heap_input([sample_head(mark=71)] + sample[1:])
    yield "cut", heap_input([head[:-20]])
    yield "free-last-other", heap_input(
        [sample_head(free_last=10)] + sample[1:], steps=((2, 0x12000),))
    yield "silent", heap_input(
        [head + page_entry(INNER) + page_entry(FREE, 9)] + sample[1:],
        steps=((1, 0x12000, 24576), (2, 0x12000)))
    yield "class-high", heap_input(
        [sample_head(slab=(4, 200))] + sample[1:], steps=((2, 0x6020),))
    yield "slab-short", heap_input(
        [heap_head([page_entry(SLAB, 1, 6)], 7, slabs={6: 6}),
         slab_head(146, 40)], ((0, 1), (5, 1)), steps=((0, 100),))
    yield "hint-late", heap_input(
        [head, slab_head(146, 3, 2), b"large"], steps=((0, 100),) * 40)
    yield "bin", heap_input(
        [sample_head(free={20: 13})] + sample[1:], steps=((0, 0x20000),))


def hello(magic=b"psu_thread hello", version=0, attest=0, tail=bytes(89)):
    return b"".join([
        magic, struct.pack(">HIQQIIII", version, 4096, WINDOW, 1 << 27, 256,
                           5, 1, 3),
        b"\x33" * 16, b"\x66" * 32, b"\x99" * 32, b"\xaa" * 32,
        bytes([attest]), tail])


def control(token=0, code=0, ttl_ms=0):
    return (b"\x11" * 16 + b"\x33" * 16 +
            struct.pack(">QiI", token, code, ttl_ms))


def location(links=1, **changes):
    return place(**changes) + links * (statement() + bytes(64))


def header(length, number, reserved=0, stream=0):
    return struct.pack(">IBBH", length, number, reserved, stream)


def frames():
    # the target reads a header, and then the payload of that type
    yield "hello", header(256, 1) + hello()
    yield "hello-version", header(256, 1) + hello(version=1)
    yield "hello-magic", header(256, 1) + hello(magic=b"psu-thread hello")
    yield "hello-reserved", header(256, 1) + hello(tail=bytes(89) + b"\1")
    yield "refused", header(4, 2) + struct.pack(">i", -46)
    yield "manifest", header(4 + 160, 3)
    yield "offer", header(416, 16, 0, 3)
    yield "body", header(1 << 20, 17, 0, 65535)
    yield "body-over", header((1 << 20) + 1, 17)
    yield "body-empty", header(0, 17)
    yield "commit", header(48, 18) + control(token=0x0102030405060708)
    yield "status", header(48, 19) + control()
    yield "cancel-token", header(48, 20) + control(token=1)
    yield "forget", header(48, 21) + control()
    yield "prepared", header(48, 32) + control(token=9, ttl_ms=10000)
    yield "running-ttl", header(48, 33) + control(ttl_ms=1)
    yield "aborted", header(48, 34) + control(code=-80)
    yield "aborted-zero", header(48, 34) + control()
    yield "unknown", header(48, 35) + control()
    yield "dead", header(48, 36) + control()
    yield "location", header(785, 22) + location()
    yield "location-links", header(7025, 22) + location(links=16)
    yield "location-over", header(7441, 22) + location(links=17)
    yield "location-cut", header(1200, 22) + location(links=2)[:-1]
    yield "location-nameless", header(785, 22) + location(name=b"")
    yield "location-tail", header(785, 22) + location(name=b"a\0b")
    yield "noted", header(24, 37) + b"\x22" * 16 + struct.pack(">Q", 3)
    for stride in 1, 0:
        yield f"compare-{stride}", header(52, 23) + b"\x22" * 16 + \
            b"\x99" * 32 + struct.pack(">I", stride)
    yield "tags", header(24, 38) + struct.pack(">II", 1, 0) + b"\xaa" * 16
    yield "reserved", header(48, 19, 1)
    yield "stream", header(48, 19, 0, 1)
    yield "type", header(0, 0)
    yield "cut", header(48, 19)[:-1]


def object_entry(name, address):
    return b"".join([
        name.ljust(64, b"\0"), b"\xb1" * 20,
        struct.pack(">I5Q", 0x5eed, 0, address, address + 0x200000, 0x40,
                    0x80), b"\xc2" * 32])


def manifests():
    app = object_entry(b"app3", 0x400000)
    libc = object_entry(b"libc.so.6", 0x7ffff7c00000)
    yield "static", struct.pack(">I", 1) + app
    yield "dynamic", struct.pack(">I", 2) + app + libc
    yield "full", struct.pack(">I", 64) + app * 64
    yield "over", struct.pack(">I", 65) + app * 65
    yield "empty", struct.pack(">I", 0)
    yield "count-high", struct.pack(">I", 2) + app
    yield "name-endless", struct.pack(">I", 1) + object_entry(b"n" * 64, 1)
    yield "name-tail", struct.pack(">I", 1) + object_entry(b"a\0b", 1)
    yield "cut", (struct.pack(">I", 1) + app)[:-1]


def peers():
    domain = "spiffe://psu-thread.internal/psu-thread/"
    # RFC 8032, section 7.1, test 1: the public key
    key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    own = f"self id={domain}n1 zone=0\n"
    other = f"peer id={domain}n2 zone=1 sign={key} direction=both\n"
    third = f"peer id={domain}n3 zone=2 sign={key} direction=send\n"
    yield "two", f"# hosts\n{own}\n{other}"
    yield "three", own + other + third
    yield "alone", own
    yield "retired", own[:-1] + f" verify-only={key}\n" + other[:-1] + (
        f" verify-only={key}" * 2) + "\n"
    yield "retired-short", own + other[:-1] + f" verify-only={key[4:]}\n"
    yield "pin", own + other[:-1] + " pin=" + "5a" * 32 + "\n"
    yield "pin-short", own + other[:-1] + " pin=" + "5a" * 31 + "\n"
    yield "key-no-point", own + other.replace(key, "A" * 42 + "I=")
    yield "no-self", other
    yield "self-twice", own + own
    yield "zone-twice", own + other + other.replace("n2", "n3")
    yield "peer-twice", own + other + other.replace("zone=1", "zone=2")
    yield "zone-high", own.replace("zone=0", "zone=256")
    yield "zone-sign", own.replace("zone=0", "zone=-1")
    yield "key-short", own + other.replace(key, key[4:])
    yield "key-long", own + other.replace(key, "AAAA" + key)
    yield "direction", own + other.replace("both", "any")
    yield "receive", own + other.replace("both", "receive")
    yield "word", own + other.replace("zone=", "area=")
    yield "no-newline", (own + other)[:-1]
    yield "tabs", (own + other).replace(" ", "\t")
    yield "returns", (own + other).replace("\n", "\r\n")
    yield "nul", own + other + "\0"
    yield "empty", ""


def write(target, files):
    directory = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                             "corpus", target)
    os.makedirs(directory, exist_ok=True)
    for name, contents in files:
        if isinstance(contents, str):
            contents = contents.encode()
        with open(os.path.join(directory, name), "wb") as out:
            out.write(contents)


if __name__ == "__main__":
    write("seal", statements())
    write("image", images())
    write("frame", frames())
    write("manifest", manifests())
    write("peers", peers())
    write("itinerary", itineraries())
    write("heap", heaps())
