"""Writes the samples of this folder with h5py 3.7 and HDF5 1.10.8 (Debian's python3-h5py), and what h5py reads of them
as want.json: python3 make_samples.py. Each sample has what the reader must read or refuse by name."""
import ctypes
import json
import os

import h5py
import numpy as np

lib = ctypes.CDLL("libhdf5_serial.so.103")


def count(*shape, dtype="<f4"):
    n = int(np.prod(shape))
    return (np.arange(n) % 120).astype(dtype).reshape(shape)


def low(group, name, data, set_up, space=None):
    """Creates a dataset by the library's own properties, which h5py does not offer."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    set_up(plist)
    space = space or h5py.h5s.create_simple(data.shape)
    d = h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(data.dtype), space, dcpl=plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))


def create(name, sizes=None, sym_k=None, istore_k=None, **kw):
    plist = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if sizes:
        plist.set_sizes(*sizes)
    if sym_k:
        assert lib.H5Pset_sym_k(ctypes.c_int64(plist.id), *sym_k) >= 0
    if istore_k:
        assert lib.H5Pset_istore_k(ctypes.c_int64(plist.id), istore_k) >= 0
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(*kw.get("bounds", (h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)))
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    return h5py.File(h5py.h5f.create(name.encode(), h5py.h5f.ACC_TRUNC, fcpl=plist, fapl=access))


LATEST = (h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
V18 = (h5py.h5f.LIBVER_V18, h5py.h5f.LIBVER_V18)


def types(g):
    for t in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"] + [o + k + n for k in "iu" for n in "1248" for o in "<>"]:
        g[t.replace("<", "little_").replace(">", "big_")] = count(3, 2, dtype=t)
    g["scalar"] = np.float32(7)
    g["none"] = np.zeros((3, 0, 2), "<f4")
    g["opaque"] = np.frombuffer(b"\x80\x3f\x00\x40", dtype="V2")
    low(g, "compact", count(2, 3), lambda p: p.set_layout(h5py.h5d.COMPACT))


def attributes(g):
    g.attrs["fixed"] = np.array([b"conv1", b"conv1_bn", b""], dtype="S8")
    g.attrs["vlen"] = np.array(["kernel", "größe", ""], dtype=object)
    g.attrs["text"] = "{\"a\": 1}"
    g.attrs["bytes"] = np.bytes_(b"tensorflow")
    g.attrs["empty"] = np.zeros((0,))
    g.attrs["null"] = h5py.Empty("S3")
    g.attrs["number"] = 5
    tid = h5py.h5t.C_S1.copy()
    tid.set_size(6)
    tid.set_strpad(h5py.h5t.STR_SPACEPAD)
    a = h5py.h5a.create(g.id, b"spaces", tid, h5py.h5s.create(h5py.h5s.SCALAR))
    a.write(np.array(b"ab    ", dtype="S6"), mtype=tid)


def chunks(g):
    g.create_dataset("plain", data=count(5, 7), chunks=(2, 3))
    g.create_dataset("packed", data=count(5, 7, 2), chunks=(2, 3, 2), compression="gzip", shuffle=True, fletcher32=True)
    g.create_dataset("summed", data=count(3, 3, dtype="<u1"), chunks=(3, 1), fletcher32=True)
    g.create_dataset("summed_long", data=count(801, dtype="<u1"), chunks=(801,), fletcher32=True)
    g.create_dataset("one", data=count(4, 3), chunks=(4, 3))
    g.create_dataset("one_packed", data=count(9, 9), chunks=(9, 9), compression="gzip", shuffle=True)
    g.create_dataset("larger", data=count(3), chunks=(5,), maxshape=(None,))
    g.create_dataset("many", data=count(150, dtype="<i1"), chunks=(1,))
    g.create_dataset("none", shape=(0, 4), chunks=(2, 4), maxshape=(None, 4))


def modern(g, grow=True):
    """Indexes of layout version 4. The library does not open what can grow if lengths have 4 bytes."""
    def early(p):
        p.set_chunk((2, 2))
        p.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    low(g, "implicit", count(3, 5), early)
    low(g, "implicit_part", count(3, 5), early, h5py.h5s.create_simple((3, 5), (5, 9)))
    g.create_dataset("fixed_part", data=count(3, 5), chunks=(1, 2), maxshape=(4, 8))
    g.create_dataset("fixed", data=count(30, dtype="<i2"), chunks=(2,))
    g.create_dataset("fixed_packed", data=count(30, dtype="<i2"), chunks=(4,), compression="gzip")
    g.create_dataset("paged", data=count(1030, dtype="<i1"), chunks=(1,))
    if not grow:
        return
    g.create_dataset("growing", data=count(300, dtype="<i1"), chunks=(1,), maxshape=(None,))
    g.create_dataset("growing_packed", data=count(7, 10), chunks=(3, 4), maxshape=(12, None), compression="gzip")
    g.create_dataset("tree", data=count(10, 12, dtype="<i1"), chunks=(1, 1), maxshape=(None, None))
    g.create_dataset("tree_packed", data=count(6, 5), chunks=(4, 3), maxshape=(None, None), compression="gzip", shuffle=True)


def groups(f, n):
    x = f.create_dataset("x", data=count(2))
    g = f.create_group("names")
    for i in range(n):
        g["name%04d" % (i * 7919 % n)] = x
    deep = f.create_group("a/b/c")
    deep["d"] = count(3)


with create("first.h5") as f:
    types(f.create_group("types"))
    attributes(f.create_group("attributes"))
    chunks(f.create_group("chunks"))
with create("symbols.h5", sym_k=(1, 1)) as f:  # two names a node: a tree of several levels
    groups(f, 20)
with create("narrow.h5", sizes=(4, 4)) as f:  # addresses of 4 bytes
    groups(f, 3)
    attributes(f)
    f.create_dataset("packed", data=count(5, 7), chunks=(2, 3), compression="gzip")
with create("stored.h5", istore_k=1) as f:  # superblock 1: two chunks a node
    f.create_dataset("many", data=count(20, 3, dtype="<i1"), chunks=(1, 3))
with create("second.h5", bounds=V18) as f:  # superblock 2
    types(f.create_group("types"))
    attributes(f.create_group("attributes"))
    chunks(f.create_group("chunks"))
    groups(f, 5)
with create("third.h5", bounds=LATEST) as f:  # superblock 3
    types(f.create_group("types"))
    attributes(f.create_group("attributes"))
    chunks(f.create_group("chunks"))
    modern(f.create_group("modern"))
    groups(f, 5)
with create("narrow3.h5", sizes=(4, 4), bounds=LATEST) as f:
    groups(f, 12)
    attributes(f)
    modern(f.create_group("modern"), grow=False)
with create("growing.h5", bounds=LATEST) as f:
    f.create_dataset("many", data=count(270, dtype="<i1"), chunks=(1,), maxshape=(None,))
    f.create_dataset("packed", data=count(5, 4), chunks=(2, 2), maxshape=(None, 4), compression="gzip", fletcher32=True)
    f.create_dataset("tree", data=count(4, 3), chunks=(3, 2), maxshape=(None, None), shuffle=True, compression="gzip")
    for i in range(9):
        f.attrs["name%d" % i] = "text %d" % i
    f.attrs["huge"] = np.array(["%04d" % i for i in range(1025)], dtype="S4")
with create("dense.h5", bounds=LATEST) as f:
    groups(f, 1400)
    g = f.create_group("attributes", track_order=True)
    for i in range(30):
        g.attrs["name%d" % i] = np.array(["part%d" % i], dtype="S9")
    g.attrs["huge"] = np.array(["name%05d" % i for i in range(600)], dtype="S9")
    ordered = f.create_group("ordered", track_order=True)
    for i in range(20):
        ordered["%d" % i] = f["x"]

# What is sound and refused.
with create("refused.h5") as f:
    f["x"] = count(2)
    f["soft"] = h5py.SoftLink("/x")
    f["external"] = h5py.ExternalLink("other.h5", "/x")
    f.create_dataset("lzf", data=count(8), chunks=(8,), compression="lzf")
    f.create_dataset("scaled", data=count(8, dtype="<i4"), chunks=(8,), scaleoffset=0)
    f.create_dataset("elsewhere", data=count(8), external=[("other.raw", 0, 32)])
    f.create_dataset("unwritten", shape=(3,), dtype="<f4")
    f.create_dataset("sparse", shape=(8,), dtype="<f4", chunks=(2,))[:4] = 1
    f["types"] = np.dtype("<f4")
    f.create_dataset("committed", data=count(2), dtype=f["types"])
    f["bool"] = np.array([True, False])
    f["compound"] = np.zeros(2, dtype=[("a", "<f4"), ("b", "<i2")])
    f["time"] = np.array([1 + 2j])
    f.attrs["floats"] = np.zeros(3)
    low(f, "odd", count(2), lambda p: None)
    tid = h5py.h5t.STD_I32LE.copy()
    tid.set_precision(20)
    h5py.h5d.create(f.id, b"bits", tid, h5py.h5s.create_simple((2,)))
with create("refused3.h5", bounds=LATEST) as f:
    f["x"] = count(2)
    layout = h5py.VirtualLayout(shape=(2,), dtype="<f4")
    layout[:] = h5py.VirtualSource(f["x"])
    f.create_virtual_dataset("virtual", layout)
    f["soft"] = h5py.SoftLink("/x")
    f["external"] = h5py.ExternalLink("other.h5", "/x")
    f.create_dataset("sparse", shape=(8,), dtype="<f4", chunks=(2,))[:4] = 1
    f.create_dataset("lzf", data=count(8), chunks=(8,), compression="lzf")
os.path.exists("other.raw") and os.remove("other.raw")


def strings(v):
    if isinstance(v, h5py.Empty):
        return []
    flat = np.array(v).reshape(-1)
    if flat.dtype.kind == "S":
        return [s.decode() for s in flat]
    return [s.decode() if isinstance(s, bytes) else s for s in flat]


def want(name):
    out = {}
    with h5py.File(name, "r") as f:
        def visit(path, o):
            row = {}
            attrs = {k: strings(v) for k, v in o.attrs.items() if k != "number"}
            if attrs:
                row["attributes"] = attrs
            if isinstance(o, h5py.Dataset):
                row["type"], row["shape"] = o.dtype.str, list(o.shape)
                row["values"] = [] if o.dtype.kind == "V" else [int(x) for x in o[()].reshape(-1)]
            else:
                row["names"] = sorted(o)
            out["/" + path] = row
            if isinstance(o, h5py.Group):
                for k in o:
                    if len(o) < 100 or k.endswith("00"):
                        visit((path + "/" + k).strip("/"), o[k])
        visit("", f)
    return out


good = ["first", "symbols", "narrow", "stored", "second", "third", "narrow3", "growing", "dense"]
with open("want.json", "w") as out:
    rows = {n: want(n + ".h5") for n in good}
    out.write("{\n" + ",\n".join("%s: {\n%s}" % (json.dumps(n), ",\n".join(
        json.dumps(p) + ": " + json.dumps(r, ensure_ascii=False) for p, r in rows[n].items())) for n in rows) + "\n}\n")
