import Files
import NNGraph
import NumPyFiles

/// ONNX Runtime, as a Python that has it runs it.
struct OnnxRuntime {
  /// The Python program.
  let python: String
  let version: String

  /// Looks whether Python is there, and has ONNX Runtime.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` saying how to get what is missing.
  init(python: String) throws(NNError) {
    self.python = python
    let folder = try TemporaryFolder()
    let advice = "install it with \(python) -m pip install onnxruntime, or name another Python with --python"
    let outcome: ChildProcess.Outcome
    do throws(NNError) {
      outcome = try ChildProcess.run(
        [python, "-c", "import onnxruntime; print(onnxruntime.__version__)"], in: folder.path)
    } catch {
      throw NNError(
        error.code, Message(text: "--check needs ONNX Runtime in a Python: \(error.message); \(advice)"))
    }
    guard outcome.status == 0 else {
      throw NNError(
        .fileAccess,
        Message(
          text:
            "--check needs ONNX Runtime, which \(python) cannot import (\(outcome.errors.lastLine)); \(advice)"
        ))
    }
    version = String(outcome.output.prefix { !$0.isWhitespace })
  }

  /// What a model gives for some sets of inputs.
  ///
  /// - Parameter model: the ONNX file.
  /// - Throws: ``ErrorCode/selfTestFailed`` with the engine's words if it refuses the model or the inputs; ``ErrorCode/fileAccess``.
  func outputs(of model: String, for inputs: [[Tensor]]) throws(NNError) -> [[Tensor]] {
    let folder = try TemporaryFolder()
    for (number, tensors) in inputs.enumerated() {
      let arrays = tensors.enumerated().map { (name: "\($0.offset)", tensor: $0.element) }
      try NPZFile.write(arrays, to: folder.path + "/inputs\(number).npz")
    }
    let outcome = try ChildProcess.run(
      [python, "-c", OnnxRuntime.script, model, folder.path, "\(inputs.count)"], in: folder.path)
    guard outcome.status == 0 else {
      throw NNError(
        .selfTestFailed,
        Message(text: "ONNX Runtime \(version) does not run the model: \(outcome.errors.lastLine)"))
    }
    var results: [[Tensor]] = []
    for number in inputs.indices {
      let arrays = try NPZFile.read(path: folder.path + "/outputs\(number).npz")
      var tensors: [Tensor] = []
      for index in arrays.indices {
        guard let array = arrays.first(where: { $0.name == "\(index)" }) else { break }
        tensors.append(array.tensor)
      }
      results.append(tensors)
    }
    return results
  }

  private static let script = """
    import sys
    import numpy
    import onnxruntime

    path, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    for number in range(count):
        with numpy.load(f"{folder}/inputs{number}.npz") as arrays:
            feeds = {name: arrays[str(index)] for index, name in enumerate(names)}
        outputs = session.run(None, feeds)
        numpy.savez(f"{folder}/outputs{number}.npz", **{str(i): numpy.asarray(value) for i, value in enumerate(outputs)})
    """
}

extension String {
  /// The last line that has something in it.
  fileprivate var lastLine: String {
    split(separator: "\n").last { $0.contains { !$0.isWhitespace } }.map { String($0) } ?? "it says nothing"
  }
}
