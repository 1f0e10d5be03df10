import Foundation
import NNFormat
import NNGraph
import NNRuntime
import Testing

private func size(_ path: String) throws -> Int { try Data(contentsOf: URL(fileURLWithPath: path)).count }

@Test func narrowerWeightsMakeTheFileSmallerAndSayWhatTheyCost() throws {
  try withTemporaryFolder { folder in
    let full = folder + "/f32.nnrt"
    #expect(try nnpack("convert", onnxModel("pictures"), full).status == 0)
    for (type, largest, share) in [("f16", 1e-3, 0.65), ("bf16", 1e-2, 0.55)] {
      let path = folder + "/\(type).nnrt"
      let outcome = try nnpack("convert", onnxModel("pictures"), path, "--weights", type)
      #expect(outcome.status == 0 && outcome.output.contains("3 weights, 3,120 numbers, rounded to \(type)"))
      #expect(Double(try size(path)) < share * Double(try size(full)))
      let row = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("  y ") })
      let errors = row.split(separator: " ").dropFirst().compactMap { Double($0) }
      #expect(errors.count == 2 && errors[1] > 0 && errors[1] <= errors[0] && errors[0] < largest, "\(row)")
      #expect(try nnpack("verify", path).status == 0)
      // All is computed in f32, from weights that are f32.
      let graph = try Model.open(path: path).graph
      #expect(graph.nodes.allSatisfy { if case .cast = $0.op { false } else { true } })
    }
  }
}

@Test func aPrecisionThatThereIsNotIsRefused() throws {
  let outcome = try nnpack("convert", onnxModel("pictures"), "/dev/null/x.nnrt", "--weights", "f8")
  #expect(outcome.status == 64 && outcome.errors.contains("weights") && outcome.errors.contains("bf16"))
}
