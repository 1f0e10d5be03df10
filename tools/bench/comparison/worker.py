"""One engine with one model, timed when asked.

usage: worker.py ENGINE FOLDER THREADS [calls]

Loads the model and runs it once on input.npy, saves the output as ENGINE.npy, and prints as one JSON line how long loading and the first
run took. Then, for each number of microseconds that it reads, it runs for about that long and prints the median of the runs' times, in
microseconds, and the peak of its memory. Inputs are set once, so that a run is the engine's own work; with `calls`, each run takes an
array and gives a new one, in the way that the engine's users would write it.
"""

from __future__ import annotations

import json
import os
import pathlib
import resource
import statistics
import sys
import time
from typing import Callable

engine, folder, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)

import numpy as np  # noqa: E402

x = np.load(folder / "input.npy")

#: Loads the model and gives a function that runs it, one that gives the output as an array, and one that does both for a new input.
Loaded = tuple[Callable[[], object], Callable[[], np.ndarray], Callable[[], np.ndarray]]


def memory() -> float:
    """The peak of this process's memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def nnrt(file: str = "model.nnrt") -> Callable[[], Loaded]:
    import nnrt

    def load() -> Loaded:
        session = nnrt.load(folder / file, threads=threads).session(threads=threads)
        session.set_input(0, x)
        return session.run, session.output, lambda: session(x)

    return load


def onnxruntime() -> Callable[[], Loaded]:
    import onnxruntime

    def load() -> Loaded:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        binding = session.io_binding()
        binding.bind_cpu_input(session.get_inputs()[0].name, x)
        binding.bind_output(session.get_outputs()[0].name)
        name = session.get_inputs()[0].name
        return (
            lambda: session.run_with_iobinding(binding), lambda: binding.copy_outputs_to_cpu()[0],
            lambda: session.run(None, {name: x})[0],
        )

    return load


def openvino() -> Callable[[], Loaded]:
    import openvino

    def load() -> Loaded:
        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        request = core.compile_model(str(folder / "model.onnx"), "CPU", settings).create_infer_request()
        request.set_input_tensor(openvino.Tensor(x))
        return lambda: request.infer(), lambda: np.array(request.get_output_tensor().data), lambda: request.infer([x])[0]

    return load


def litert() -> Callable[[], Loaded]:
    from ai_edge_litert.interpreter import Interpreter

    def load() -> Loaded:
        interpreter = Interpreter(model_path=str(folder / "model.tflite"), num_threads=threads)
        interpreter.allocate_tensors()
        given = interpreter.get_input_details()[0]
        value = x.astype(given["dtype"])
        interpreter.set_tensor(given["index"], value)
        output = interpreter.get_output_details()[0]["index"]

        def call() -> np.ndarray:
            interpreter.set_tensor(given["index"], value)
            interpreter.invoke()
            return interpreter.get_tensor(output)

        return interpreter.invoke, lambda: interpreter.get_tensor(output), call

    return load


def ncnn() -> Callable[[], Loaded]:
    import ncnn

    def load() -> Loaded:
        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
        if net.load_param(str(folder / "model.ncnn.param")) or net.load_model(str(folder / "model.ncnn.bin")):
            raise RuntimeError("ncnn does not load the model")
        value = x[0].astype(np.int32) if x.dtype == np.int64 else x[0]
        given = ncnn.Mat(value)
        last: list[ncnn.Mat] = []

        def run(given: ncnn.Mat = given) -> None:
            extractor = net.create_extractor()
            extractor.input("in0", given)
            status, result = extractor.extract("out0")
            if status:
                raise RuntimeError(f"ncnn gives {status}")
            last[:] = [result]

        def call() -> np.ndarray:
            run(ncnn.Mat(value))
            return np.array(last[0])

        return run, lambda: np.array(last[0]), call

    return load


def mnn() -> Callable[[], Loaded]:
    import MNN

    def load() -> Loaded:
        interpreter = MNN.Interpreter(str(folder / "model.mnn"))
        session = interpreter.createSession({"numThread": threads, "precision": "high", "backend": "CPU"})
        given = interpreter.getSessionInput(session)
        kind, numbers = (MNN.Halide_Type_Int, x.astype(np.int32)) if x.dtype == np.int64 else (MNN.Halide_Type_Float, x)

        def give() -> None:
            given.copyFrom(MNN.Tensor(x.shape, kind, numbers, MNN.Tensor_DimensionType_Caffe))

        def output() -> np.ndarray:
            result = interpreter.getSessionOutput(session)
            copy = MNN.Tensor(result.getShape(), MNN.Halide_Type_Float, np.zeros(result.getShape(), np.float32), MNN.Tensor_DimensionType_Caffe)
            result.copyToHostTensor(copy)
            return np.array(copy.getNumpyData())

        def call() -> np.ndarray:
            give()
            interpreter.runSession(session)
            return output()

        give()
        return lambda: interpreter.runSession(session), output, call

    return load


def tract() -> Callable[[], Loaded]:
    import tract

    def load() -> Loaded:
        model = tract.onnx().load(str(folder / "model.onnx")).into_model().into_runnable()
        given = tract.Tensor.from_numpy(x)
        last: list = []

        def run() -> None:
            last[:] = model.run([given])

        return run, lambda: last[0].to_numpy(), lambda: model.run([tract.Tensor.from_numpy(x)])[0].to_numpy()

    return load


def torch() -> Callable[[], Loaded]:
    import torch

    import models

    torch.set_num_threads(threads)

    def load() -> Loaded:
        name, batch = folder.name.rsplit("-", 1)
        net, given = models.made(name, int(batch))
        last: list = []

        @torch.inference_mode()
        def run() -> None:
            last[:] = [net(given)]

        @torch.inference_mode()
        def call() -> np.ndarray:
            return net(torch.from_numpy(x)).numpy()

        return run, lambda: last[0].numpy(), call

    return load


ENGINES = {
    "nnrt": nnrt, "nnrt-mapped": lambda: nnrt("model-mapped.nnrt"), "nnrt-bf16": lambda: nnrt("model-bf16.nnrt"),
    "nnrt-f16": lambda: nnrt("model-f16.nnrt"), "onnxruntime": onnxruntime, "openvino": openvino, "litert": litert, "ncnn": ncnn, "mnn": mnn,
    "tract": tract, "pytorch": torch,
}


def main() -> None:
    load = ENGINES[engine]()
    imported = memory()
    start = time.perf_counter()
    run, output, call = load()
    run()
    seconds = time.perf_counter() - start
    np.save(folder / f"{engine}.npy", output())
    if sys.argv[4:] == ["calls"]:
        run = call
        np.save(folder / f"{engine}.npy", call())
    print(json.dumps({"load_ms": seconds * 1e3, "imported_mb": imported}), flush=True)
    clock = time.perf_counter
    for line in sys.stdin:
        budget, times, begin = float(line) * 1e-6, [], clock()
        while clock() - begin < budget or len(times) < 3:
            start = clock()
            run()
            times.append(clock() - start)
        print(json.dumps({"median_us": statistics.median(times) * 1e6, "peak_mb": memory()}), flush=True)


main()
