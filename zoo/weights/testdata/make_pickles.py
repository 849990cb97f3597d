"""Writes protocol2.pth … protocol5.pth: one state dict as CPython's pickle writes it in each protocol.

PyTorch is not needed: classes with its names stand in for its storages and functions. Run it in this folder.
"""
import argparse
import collections
import pickle
import struct
import sys
import types
import zipfile


def module(name):
    sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]


torch, utils, parameter = module("torch"), module("torch._utils"), module("torch.nn.parameter")
torch._utils, torch.nn = utils, module("torch.nn")
torch.nn.parameter = parameter


def _rebuild_tensor_v2(*args): ...


def _rebuild_parameter(*args): ...


_rebuild_tensor_v2.__module__ = _rebuild_parameter.__module__ = "torch._utils"
utils._rebuild_tensor_v2, utils._rebuild_parameter = _rebuild_tensor_v2, _rebuild_parameter
FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
LongStorage = type("LongStorage", (), {"__module__": "torch"})
torch.FloatStorage, torch.LongStorage = FloatStorage, LongStorage


class Storage:
    def __init__(self, kind, key, count):
        self.id = ("storage", kind, key, "cpu", count)


class Tensor:
    def __init__(self, *args):
        self.args = args

    def __reduce__(self):
        return _rebuild_tensor_v2, self.args + (False, collections.OrderedDict())


class Parameter:
    def __init__(self, data):
        self.data = data

    def __reduce__(self):
        return _rebuild_parameter, (self.data, True, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


weights, count = Storage(FloatStorage, "0", 12), Storage(LongStorage, "1", 1)
state = collections.OrderedDict()
state["module.conv.weight"] = Parameter(Tensor(weights, 0, (2, 3), (3, 1)))
state["module.conv.transposed"] = Tensor(weights, 6, (2, 3), (1, 2))
state["module.bn.num_batches_tracked"] = Tensor(count, 0, (), ())
state._metadata = collections.OrderedDict({"": {"version": 1}})
args = argparse.Namespace(lr=0.1, betas=[0.9, 0.999], name="größe", big=1 << 80, none=None, tags={"a"}, raw=b"\0\xff")
root = {"epoch": -3, "lr": 1e-3, "args": args, "frozen": frozenset([1]), "state_dict": state, "again": [state, args]}

for protocol in range(2, 6):
    with zipfile.ZipFile(f"protocol{protocol}.pth", "w") as z:
        def add(name, data):
            z.writestr(zipfile.ZipInfo("archive/" + name), data)

        class Sink(bytearray):
            write = bytearray.extend

        sink = Sink()
        Pickler(sink, protocol).dump(root)
        add("data.pkl", bytes(sink))
        add("data/0", struct.pack("<12f", *range(12)))
        add("data/1", struct.pack("<q", 7))
        add("version", b"3\n")
