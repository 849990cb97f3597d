"""Prints the folder of the node tests that python3-onnx ships. A package without them, as Debian's, has the code that makes them:
then nodes.py FOLDER makes them there."""
import os
import sys

import numpy
import onnx

shipped = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "node")
if os.path.isdir(shipped):
    print(shipped)
    sys.exit()

for name, kind in {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}.items():
    if name not in numpy.__dict__:  # the package is older than the NumPy that took these away
        setattr(numpy, name, kind)
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

for case in collect_testcases(None):
    folder = os.path.join(sys.argv[1], case.name)
    os.makedirs(os.path.join(folder, "test_data_set_0"), exist_ok=True)
    onnx.save(case.model, os.path.join(folder, "model.onnx"))
    for kind, values in zip(("input", "output"), case.data_sets[0]):
        for i, value in enumerate(values):
            if isinstance(value, numpy.ndarray) or numpy.isscalar(value):
                tensor = numpy_helper.from_array(numpy.asarray(value), "")
                with open(os.path.join(folder, "test_data_set_0", f"{kind}_{i}.pb"), "wb") as f:
                    f.write(tensor.SerializeToString())
print(sys.argv[1])
