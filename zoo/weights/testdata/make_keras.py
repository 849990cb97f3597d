"""Writes keras_*.h5 and keras_*.keras as Keras lays its files out, with h5py alone: python3 make_keras.py. Element i of every
tensor is i."""
import json
import os
import zipfile

import h5py
import numpy as np


def count(*shape, dtype="<f4"):
    return np.arange(int(np.prod(shape))).astype(dtype).reshape(shape)


def texts(list_):
    return np.array([s.encode() for s in list_])


def legacy(g, layers, listed=None, **kw):
    """layers: name to {weight's name: shape}."""
    g.attrs["layer_names"] = texts(listed or list(layers))
    g.attrs["backend"] = b"tensorflow"
    g.attrs["keras_version"] = b"2.1.6"
    for layer, weights in layers.items():
        group = g.require_group(layer)
        group.attrs["weight_names"] = texts(weights)
        for name, shape in weights.items():
            group.create_dataset(name, data=count(*shape), **(kw if shape else {}))


def bn(name, n):
    return {"%s/%s:0" % (name, part): (n,) for part in ("gamma", "beta", "moving_mean", "moving_variance")}


with h5py.File("keras_legacy.h5", "w") as f:
    legacy(f, {
        "input_1": {}, "conv1": {"conv1/kernel:0": (3, 2, 1, 4), "conv1/bias:0": (4,)}, "conv1_bn": bn("conv1_bn", 4),
        "block/conv": {"block/conv/depthwise_kernel:0": (3, 3, 4, 1)}, "dropout": {"dropout/seed_generator_state:0": (2,)},
        "again": {"again_2/kernel:0": (2, 2)}, "inner": {"deep/kernel:0": (2,), "deeper/kernel:0": (3,)},
    })
with h5py.File("keras_first.h5", "w") as f:  # Keras 1
    legacy(f, {
        "block1_conv1": {"block1_conv1_W_1:0": (3, 3, 1, 2), "block1_conv1_b_1:0": (2,)},
        "bn": {"bn_gamma:0": (2,), "bn_beta:0": (2,), "bn_running_mean:0": (2,), "bn_running_std:0": (2,)},
    })
with h5py.File("keras_numbered.h5", "w") as f:  # a second network of one process
    legacy(f, {
        "conv2d_94": {"conv2d_94/kernel:0": (1, 1, 1, 2)}, "batch_normalization_95": bn("batch_normalization_95", 2),
        "conv2d_103": {"conv2d_103/kernel:0": (1, 1, 2, 3)}, "conv2d_95": {"conv2d_95/kernel:0": (1, 1, 2, 2)},
        "conv_dw_1": {"conv_dw_1/depthwise_kernel:0": (1, 1, 2, 1)},
    })
config = {"class_name": "Functional", "config": {"name": "m", "layers": []}}
with h5py.File("keras_whole.h5", "w", libver="latest") as f:
    f.attrs["model_config"] = json.dumps(config)
    f.attrs["keras_version"] = "2.15.0"
    f.attrs["backend"] = "tensorflow"
    g = f.create_group("model_weights")
    names = ["conv%d" % i for i in range(12)]
    legacy(g, {n: {n + "/kernel:0": (3, 3, 1, 2)} for n in names}, chunks=(2, 2, 1, 2), compression="gzip", shuffle=True)
    for k in list(g.attrs):
        del g.attrs[k]
    g.attrs["layer_names0"] = texts(names[:7])
    g.attrs["layer_names1"] = texts(names[7:] + ["unknown"])
    extra = g.create_group("unlisted")
    extra.attrs["weight_names"] = texts(["unlisted/kernel:0"])
    extra["unlisted/kernel:0"] = count(2, dtype=">f4")
    f.create_group("optimizer_weights").attrs["weight_names"] = texts(["m:0"])

modern = [
    ("input_layer", "input", "InputLayer", {}, None),
    ("conv2d", "stem", "Conv2D", {"use_bias": False}, [(3, 3, 1, 4)]),
    ("batch_normalization", "stem_bn", "BatchNormalization", {"center": True, "scale": True}, [(4,)] * 4),
    ("depthwise_conv2d", "dw", "DepthwiseConv2D", {"use_bias": True}, [(3, 3, 4, 1), (4,)]),
    ("batch_normalization_1", "dw_bn", "BatchNormalization", {"center": False, "scale": True}, [(4,)] * 3),
    ("separable_conv2d", "sep", "SeparableConv2D", {}, [(3, 3, 4, 1), (1, 1, 4, 5), (5,)]),
    ("batch_normalization_2", "sep_bn", "BatchNormalization", {"center": True, "scale": False}, [(5,)] * 3),
    ("layer_normalization", "ln", "LayerNormalization", {"center": True, "scale": True}, [(5,)] * 2),
    ("own_layer", "own", "OwnLayer", {"scale": "much"}, [(5,)] * 2),
    ("dropout", "drop", "Dropout", {}, None),
] + [("conv2d_%d" % i, "head%d" % i, "Conv2D", {}, [(1, 1, 1, 1), (1,)]) for i in range(1, 3)] + [
    ("dense", "predictions", "Dense", {}, [(5, 3), (3,)])]


def save(name, named):
    with h5py.File(name, "w") as f:
        for group, layer, _, _, shapes in modern:
            v = f.create_group("layers/%s/vars" % group)
            if named:
                v.attrs["name"] = layer
            for i, shape in enumerate(shapes or []):
                v["%d" % i] = count(*shape)
        f["layers/dropout/seed_generator/vars/0"] = count(2, dtype="<u4")
        f["optimizer/vars/0"] = count(1, dtype="<i8")
        f.create_group("vars")
        b = f["layers/dense"]["vars"].create_dataset("2", data=(count(3).view("<u4") >> 16).astype("<u2").view("V2"))
        b.attrs["dtype"] = "bfloat16"


save("keras_modern.weights.h5", True)
save("model.weights.h5", False)
layers = [{"class_name": c, "config": dict(o, name=n), "name": n} for _, n, c, o, _ in modern]
with zipfile.ZipFile("keras_archive.keras", "w") as z:
    z.writestr("metadata.json", json.dumps({"keras_version": "3.16.0"}))
    z.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"name": "m", "layers": layers}}))
    z.write("model.weights.h5")
with h5py.File("keras_none.h5", "w") as f:
    f["data"] = count(3)
os.remove("model.weights.h5")
