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

@Test func selfTestsNeverMakeTheFileLargerThanTheModel() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    let outcome = try convert("words", to: path, "--self-tests", "500")
    #expect(outcome.status == 0 && outcome.output.contains("more would make the file larger"))
    let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
    #expect(size <= (try Data(contentsOf: URL(fileURLWithPath: onnxModel("words"))).count))
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
