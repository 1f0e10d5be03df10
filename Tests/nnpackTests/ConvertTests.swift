import Foundation
import NNFormat
import NNGraph
import NNRuntime
import Testing

@testable import nnpack

/// One of the ONNX models that Models/make.py makes.
func onnxModel(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Models/\(name)/model.onnx"
}

/// Converts one of them, and gives what was printed.
private func convert(_ name: String, to path: String, _ arguments: String...) throws -> Outcome {
  try nnpack(["convert", onnxModel(name), path] + arguments)
}

@Test func convertStoresSelfTestsThatPass() throws {
  try withTemporaryFolder { folder in
    for name in ["pictures", "words"] {
      let path = folder + "/\(name).nnrt"
      let outcome = try convert(name, to: path)
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(outcome.output.contains("2 self-test vectors"), "\(outcome.output)")
      let verified = try nnpack("verify", path)
      #expect(verified.status == 0 && verified.output.contains("2 self-test vectors ok on baseline"))
      let sizes = try [path, onnxModel(name)].map { try Data(contentsOf: URL(fileURLWithPath: $0)).count }
      #expect(sizes[0] <= sizes[1])
    }
  }
}

@Test func levelZeroLeavesWeightsAsTheyAre() throws {
  try withTemporaryFolder { folder in
    let (plain, packed) = (folder + "/plain.nnrt", folder + "/packed.nnrt")
    #expect(try convert("pictures", to: packed).status == 0)
    #expect(try convert("pictures", to: plain, "--level", "0").status == 0)
    #expect(try !nnpack("inspect", plain).output.contains("zstd"))
    #expect(try nnpack("inspect", packed).output.contains("zstd"))
    let graphs = [try Model.open(path: plain).graph, try Model.open(path: packed).graph]
    let weights = graphs.map { $0.values.compactMap { $0.constant?.floats } }
    #expect(weights[0] == weights[1])
  }
}

@Test func selfTestsOfTokensUseTheWholeTable() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/words.nnrt"
    #expect(try convert("words", to: path, "--test-shape", "N=3,T=40").status == 0)
    let model = try Model.open(path: path)
    let words = try model.selfTests()[0].inputs[0]
    #expect(words.extents == [3, 40])
    let numbers = Set(try words.integers())
    #expect(numbers.count > 30 && numbers.allSatisfy { (0..<50).contains($0) })
  }
}

@Test func selfTestsAreAsManyAsAreAskedFor() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    for count in [0, 1, 3] {
      #expect(try convert("pictures", to: path, "--self-tests", "\(count)").status == 0)
      #expect(try Model.open(path: path).selfTests().count == count)
    }
    let wrong = try convert("pictures", to: path, "--self-tests", "1001")
    #expect(wrong.status == 64 && wrong.errors.contains("--self-tests"))
    let unknown = try convert("pictures", to: folder + "/none.nnrt", "--test-shape", "T=3")
    #expect(unknown.status == 1 && unknown.errors.contains("no free dimension \"T\"; there are N, H, W"))
    #expect(!FileManager.default.fileExists(atPath: folder + "/none.nnrt"))
  }
}

@Test func aModelThatRandomInputsDoNotFitGetsNoSelfTests() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/seven.nnrt"
    let outcome = try convert("seven", to: path)
    #expect(outcome.status == 0 && outcome.output.contains("no self-test vectors"), "\(outcome.output)")
    #expect(outcome.output.contains("does not run on random inputs: node \"rows\""))
    let fitting = try convert("seven", to: path, "--test-shape", "N=7")
    #expect(fitting.output.contains("self-test vector") && !fitting.output.contains("does not run"))
    #expect(try Model.open(path: path).selfTests().count > 0)
  }
}

@Test func selfTestsThatAreAskedForAreKeptWhateverTheirSize() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    let outcome = try convert("words", to: path, "--self-tests", "500")
    #expect(outcome.status == 0 && outcome.output.contains("  500 self-test vectors\n"), "\(outcome.output)")
    #expect(try Model.open(path: path).selfTests().count == 500)
  }
}

@Test func whatConvertMakesFollowsFromTheInputAndTheNameOfTheOutput() throws {
  try withTemporaryFolder { folder in
    let (packed, back, plain) = (folder + "/packed", folder + "/back.ONNX", folder + "/plain.bin")
    #expect(try convert("words", to: packed).status == 0)
    #expect(try nnpack("convert", packed, back).output.contains("nodes of operator set"))
    #expect(try nnpack("convert", back, plain).status == 0)
    #expect(try Model.open(path: plain).graph.inputs.count == 1)
    for (input, output, words) in [
      (onnxModel("words"), "/b.onnx", "only .nnrt files become ONNX models"),
      (back, "/b.Onnx", "only .nnrt files become ONNX models"),
      (packed, "/w.safetensors", "writes .nnrt files and ONNX models, not .safetensors"),
    ] {
      let outcome = try nnpack("convert", input, folder + output)
      #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + output))
    }
  }
}

@Test func optionsThatDoNotApplyAreRefused() throws {
  try withTemporaryFolder { folder in
    let model = folder + "/small.nnrt"
    try writeModel(model)
    for options in [
      ["--weights-from", model], ["--weights", "f16"], ["--check"], ["--input-shape", "N=1"],
      ["--level", "3"],
      ["--self-tests", "1"], ["--test-shape", "N=1"], ["--without", "fold-normalization"], ["--check-passes"],
    ] {
      let outcome = try nnpack(["convert", model, folder + "/m.onnx"] + options)
      #expect(outcome.status == 64 && outcome.errors.contains("\(options[0]) is for "), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/m.onnx"))
    }
    for input in [model, onnxModel("words")] {
      let outcome = try nnpack("convert", input, folder + "/m.nnrt", "--external-data")
      #expect(outcome.status == 64 && outcome.errors.contains("--external-data is for"), "\(outcome.errors)")
    }
    let tolerance = try convert("words", to: folder + "/m.nnrt", "--tolerance", "1")
    #expect(tolerance.status == 64 && tolerance.errors.contains("--tolerance goes with --check"))
  }
}

@Test func fixingADimensionThatTheModelHasNotIsRefused() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    let outcome = try convert("pictures", to: path, "--input-shape", "N=1,batch=1")
    #expect(
      outcome.status == 1
        && outcome.errors.contains("no free dimension \"batch\" in the inputs; there are N, H, W"),
      "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(try convert("pictures", to: path, "--input-shape", "N=1").status == 0)
  }
}

@Test func aListIsCheckedBeforeItsFirstLineIsDone() throws {
  try withTemporaryFolder { folder in
    let (list, a, b) = (folder + "/list.txt", folder + "/a.nnrt", folder + "/b.nnrt")
    func batch(_ lines: String...) throws -> Outcome {
      try Data(lines.joined(separator: "\r\n").utf8).write(to: URL(fileURLWithPath: list))
      return try nnpack("convert", "--batch", list)
    }
    let words = onnxModel("words")
    for (lines, reason) in [
      (["\(words)\t\(a)", "nothing"], "line 2: not two paths with a tab between them"),
      (
        ["\(words)\t\(a)", "\(words)\t\(folder)/./a.nnrt"],
        "the output of line 2 would be written over the output of line 1"
      ),
      (
        ["\(words)\t\(a)", "\(a)\t\(words)"], "the output of line 2 would be written over the model of line 1"
      ),
      (["\(words)\t\(list)"], "would be written over the list"),
    ] {
      let outcome = try batch(lines[0], lines.count > 1 ? lines[1] : "")
      #expect(outcome.status == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: a))
    }
    let outcome = try batch("\(words)\t\(a)", "", "\(folder)/none.onnx\t\(b)")
    #expect(outcome.status == 1)
    #expect(outcome.errors == "nnpack: \(folder)/none.onnx: No such file or directory\n", "\(outcome.errors)")
    #expect(try Model.open(path: a).graph.inputs.count == 1)
  }
}

@Test func convertSaysWhatEachPassDid() throws {
  try withTemporaryFolder { folder in
    let outcome = try convert("pictures", to: folder + "/model.nnrt")
    for (pass, count) in [
      ("fold-normalization", 1), ("recognize-activations", 1), ("fuse-activations", 2),
      ("merge-transposes", 1),
      ("store-weights-in-panels", 2),
    ] {
      let line = try #require(outcome.output.split(separator: "\n").first { $0.contains(pass) }, "\(pass)")
      #expect(line.split(separator: " ")[1] == "\(count)", "\(line)")
    }
    let without = try convert("pictures", to: folder + "/model.nnrt", "--without", "fold-normalization")
    #expect(!without.output.contains("fold-normalization"))
    let operators = try #require(outcome.output.split(separator: "\n").first { $0.contains("operators ") })
    #expect(operators.split(separator: " ").map { String($0) } == ["operators", "12", "6"])
  }
}

@Test func convertWarnsOfLostPrecisionAndIsQuietWhenAsked() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    let outcome = try convert("places", to: path)
    #expect(outcome.errors == "nnpack: warning: node \"sample\" (GridSample): double is computed in float\n")
    let quiet = try convert("places", to: path, "--quiet")
    #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
  }
}

@Test func theProgressLineFitsTheTerminal() {
  for width in 0...120 {
    for share in [nil, 0, 0.5, 1] {
      let line = ProgressLine.text("compressing", share: share, width: width)
      #expect(line.count <= max(width - 1, 0), "\(line)")
    }
  }
  #expect(ProgressLine.text("compressing", share: 0.5, width: 30) == "compressing ██████░░░░░░ 50 %")
  #expect(ProgressLine.text("reading x.onnx", share: nil, width: 80) == "reading x.onnx")
}
