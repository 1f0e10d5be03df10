import NNGraph
import NNRuntime
import Testing

@testable import NNOnnx

/// What one node of a domain makes of (2, 2) f32 inputs.
private func result(
  _ type: String, domain: String, _ attributes: [OnnxAttributeProto] = [], outputs: [String] = ["y"],
  _ inputs: [Float]...
) throws -> Tensor {
  let names = Array(["x", "z"].prefix(inputs.count))
  let made = try model(
    [node(type, names, outputs, domain: domain, name: "one", attributes: attributes)],
    inputs: Dictionary(uniqueKeysWithValues: names.map { ($0, [2, 2]) }), domains: [domain])
  return try run(made, try inputs.map { try Tensor($0, extents: [2, 2]) })
}

/// Expected values were computed by hand.
@Suite struct DomainTests {
  private let learning = "ai.onnx.ml"

  @Test func aLinearRegressorHasARowOfCoefficientsForEachTarget() throws {
    let attributes = [
      attribute("coefficients", floats: [1, 2, -1, 3]), attribute("intercepts", floats: [10, 20]),
      attribute("targets", 2),
    ]
    let y = try result("LinearRegressor", domain: learning, attributes, [1, 2, 3, 4])
    #expect(y.extents == [2, 2] && y.floats == [15, 25, 21, 29])
  }

  @Test func aLinearClassifierNamesTheLabelOfTheLargestScore() throws {
    let attributes = [
      attribute("coefficients", floats: [1, 0, 0, 1, 2, -2]), attribute("intercepts", floats: [0, 0, 0.5]),
      attribute("classlabels_ints", [7, -3, 40]), attribute("post_transform", "LOGISTIC"),
    ]
    let x: [Float] = [3, 1, 0, 2]
    let classes = try model(
      [
        node("LinearClassifier", ["x"], ["label", "s"], domain: learning, attributes: attributes),
        node("Cast", ["label"], ["y"], attributes: [attribute("to", 1)]),
      ], inputs: ["x": [2, 2]], domains: [learning])
    #expect(try run(classes, [try Tensor(x, extents: [2, 2])]).floats == [40, -3])
    let scores = try result("LinearClassifier", domain: learning, attributes, outputs: ["", "y"], x)
    // σ of 3, 1, 4.5; 0, 2, −3.5
    let expected: [Float] = [0.95257413, 0.7310586, 0.98901306, 0.5, 0.880797, 0.029312231]
    for (a, b) in zip(try #require(scores.floats), expected) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func labelsThatAreStringsAreRefused() throws {
    var labels = OnnxAttributeProto()
    labels.name = "classlabels_strings"
    labels.type = 8
    labels.strings = [.init("a".utf8), .init("b".utf8)]
    let attributes = [attribute("coefficients", floats: [1, 0, 0, 1]), labels]
    let message = refusal(
      try model(
        [node("LinearClassifier", ["x"], ["l", "y"], domain: learning, name: "one", attributes: attributes)],
        inputs: ["x": [2, 2]], domains: [learning]))
    #expect(
      message.contains("node \"one\" (LinearClassifier)") && message.contains("labels that are strings"))
  }

  @Test func rowsAreNormalizedUnlessTheirNormIsZero() throws {
    for (norm, expected) in [
      ("L1", [0.25, -0.75, 0, 0] as [Float]), ("L2", [0.31622776, -0.9486833, 0, 0]), ("MAX", [1, -3, 0, 0]),
    ] {
      let y = try result("Normalizer", domain: learning, [attribute("norm", norm)], [1, -3, 0, 0])
      for (a, b) in zip(try #require(y.floats), expected) { #expect(abs(a - b) < 1e-6, "\(norm)") }
    }
  }

  @Test func whatIsMissingIsImputedByColumn() throws {
    let attributes = [
      attribute("imputed_value_floats", floats: [5, 6]), attribute("replaced_value_float", float: .nan),
    ]
    #expect(try result("Imputer", domain: learning, attributes, [.nan, 1, 2, .nan]).floats == [5, 1, 2, 6])
  }

  @Test func productsThatOnnxRuntimeFusedAreScaledAndTransposed() throws {
    let attributes = [attribute("transB", 1), attribute("alpha", float: 0.5)]
    let y = try result("FusedMatMul", domain: "com.microsoft", attributes, [1, 2, 3, 4], [1, 0, 2, 4])
    #expect(y.floats == [0.5, 5, 1.5, 11])
  }

  @Test func activationsThatOnnxRuntimeFusedAddTheirBias() throws {
    let x: [Float] = [1, -2, 0, 3]
    let bias: [Float] = [-1, 2, 1, 0]
    let y = try result("BiasGelu", domain: "com.microsoft", [], x, bias)
    let expected: [Float] = [0, 0, 0.8413447, 2.9959502]
    for (a, b) in zip(try #require(y.floats), expected) { #expect(abs(a - b) < 1e-6) }
    let quick = try result(
      "QuickGelu", domain: "com.microsoft", [attribute("alpha", float: 1)], [0, 1, -1, 2])
    let silu: [Float] = [0, 0.7310586, -0.26894143, 1.761594]
    for (a, b) in zip(try #require(quick.floats), silu) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func aNormalizationThatOnnxRuntimeFusedAddsItsInputsBefore() throws {
    let fused = node(
      "SkipLayerNormalization", ["x", "z", "gamma"], ["y"], domain: "com.microsoft")
    let gamma = node("Constant", [], ["gamma"], attributes: [attribute("value_floats", floats: [1, 3])])
    let made = try model(
      [gamma, fused], inputs: ["x": [2, 2], "z": [2, 2]], domains: ["com.microsoft"])
    let (x, z): ([Float], [Float]) = ([1, 2, 3, 4], [1, 6, 9, -4])
    #expect(
      try run(made, [Tensor(x, extents: [2, 2]), Tensor(z, extents: [2, 2])]).floats == [-1, 3, 1, -3])
  }
}
