import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NumPyFiles
import Testing

/// A Python with ONNX Runtime, if the checks of whole models have made one.
private let python =
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
  + "/../../build/models-venv/bin/python"

/// A program in the place of Python: it has ONNX Runtime 9.9 and gives the arrays of `folder`.
private func stub(_ folder: String, _ outputs: [[Tensor]]) throws -> String {
  for (number, tensors) in outputs.enumerated() {
    try NPZFile.write(
      tensors.enumerated().map { ("\($0.offset)", $0.element) }, to: folder + "/outputs\(number).npz")
  }
  let path = folder + "/python"
  try "#!/bin/sh\nif [ $# = 2 ]; then echo 9.9; else cp '\(folder)'/outputs*.npz \"$4\"; fi\n".write(
    toFile: path, atomically: true, encoding: .utf8)
  try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  return path
}

@Test func checkComparesWithOnnxRuntimeAndTheDataSets() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    #expect(try nnpack("convert", onnxModel("pictures"), path).status == 0)
    let tests = try Model.open(path: path).selfTests()
    let outcome = try nnpack(
      "convert", onnxModel("pictures"), path, "--check", "--python",
      try stub(folder, tests.map { $0.outputs }))
    #expect(outcome.status == 0, "\(outcome.errors)")
    for line in ["ONNX Runtime 9.9", "test_data_set_0"] { #expect(outcome.output.contains(line)) }
  }
}

@Test func checkNamesTheElementThatIsTooFarAwayAndWritesNothing() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    #expect(try nnpack("convert", onnxModel("words"), path).status == 0)
    var outputs = try Model.open(path: path).selfTests().map { $0.outputs }
    try FileManager.default.removeItem(atPath: path)
    var values = try #require(outputs[1][0].floats)
    let largest = try #require(values.map { abs($0) }.max())
    values[3] += 0.01 * largest
    outputs[1][0] = try Tensor(values, extents: outputs[1][0].extents)
    let python = try stub(folder, outputs)
    let failed = try nnpack("convert", onnxModel("words"), path, "--check", "--python", python)
    #expect(failed.status == 1 && failed.errors.contains("output \"y\": element 3 is "), "\(failed.errors)")
    #expect(failed.errors.contains("0.0001") && !FileManager.default.fileExists(atPath: path))
    let passed = try nnpack(
      "convert", onnxModel("words"), path, "--check", "--python", python, "--tolerance", "0.02")
    #expect(passed.status == 0, "\(passed.errors)")
  }
}

@Test func checkSaysHowToGetOnnxRuntime() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    for python in ["/bin/false", "/no/such/python"] {
      let outcome = try nnpack("convert", onnxModel("words"), path, "--check", "--python", python)
      #expect(outcome.status == 1 && outcome.errors.contains("pip install onnxruntime"), "\(outcome.errors)")
      #expect(outcome.errors.contains(python) && outcome.errors.contains("--python"))
      #expect(!FileManager.default.fileExists(atPath: path))
    }
    let wrong = try nnpack("convert", onnxModel("words"), path, "--tolerance", "-1")
    #expect(wrong.status == 64 && wrong.errors.contains("--tolerance"))
  }
}

@Test(.enabled(if: FileManager.default.isExecutableFile(atPath: python)))
func convertedModelsAgreeWithOnnxRuntime() throws {
  try withTemporaryFolder { folder in
    for name in ["pictures", "words"] {
      let outcome = try nnpack(
        "convert", onnxModel(name), folder + "/model.nnrt", "--check", "--python", python, "--tolerance",
        "1e-6")
      #expect(outcome.status == 0 && outcome.output.contains("ONNX Runtime 1."), "\(outcome.errors)")
    }
    let narrow = try nnpack(
      "convert", onnxModel("pictures"), folder + "/narrow.nnrt", "--check", "--python", python, "--weights",
      "bf16")
    #expect(narrow.status == 1 && narrow.errors.contains("the tolerance is 0.0001"), "\(narrow.errors)")
  }
}
