import Foundation
import NNFormat
import NNGraph
import NNRuntime
import NNTraining
import NumPyFiles
import Testing

private func floats(_ values: [Float], _ extents: [Int]) throws -> Tensor {
  try Tensor(values, extents: extents)
}

/// Other weights for the small model: y = softmax(relu(x·W + b)·V).
private let w: [Float] = [0.5, -1, 2, 1, 0.25, -0.5]
private let b: [Float] = [0.125, 0, 0.5]
private let v: [Float] = [1, -1, 0.5, 2, 0, -0.25]

/// What the small model gives for (1, 2) with those weights.
private func expected() throws -> [Float] {
  var graph = Graph(name: "small")
  let x = graph.addInput("x", .f32, [1, 2])
  let weights = try [(w, [2, 3]), (b, [3]), (v, [3, 2])].map { graph.addConstant("", try floats($0.0, $0.1)) }
  let hidden = try graph.append(.matmul(Matmul(activation: Activation(.relu))), [x, weights[0], weights[1]])
  let logits = try graph.append(.matmul(Matmul()), [hidden, weights[2]])
  graph.addOutput(try graph.append(.softmax(Softmax(.softmax, axis: 1)), [logits]), name: "y")
  return try Session(try Model(ModelFile(graph: graph)))([1, 2], extents: [1, 2])
}

@Test func weightsOfAnArchiveTakeTheirPlacesByName() throws {
  try withTemporaryFolder { folder in
    let (model, weights, output) = (folder + "/small.nnrt", folder + "/weights.npz", folder + "/out.nnrt")
    try writeModel(model)
    // Types are converted, and what the model has not is said.
    try NPZFile.write(
      [
        ("W", try floats(w, [2, 3]).inType(.f64)), ("b", try floats(b, [3]).inType(.f16)),
        ("V", try floats(v, [3, 2])),
        ("step", try Tensor([7] as [Int64], extents: [])),
      ], to: weights)
    let outcome = try nnpack("convert", model, output, "--weights-from", weights)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for line in [
      "3 taken, 1 not used; 0 of the model keep their numbers", "f64 to f32", "f16 to f32", "step",
    ] {
      #expect(outcome.output.contains(line), "\(line): \(outcome.output)")
    }
    let file = try Model.open(path: output)
    #expect(try file.selfTests()[0].outputs[0].floats == expected())
    #expect(file.metadata.labels.map { $0.string } == ["cat", "dog"])
    #expect(try nnpack("verify", output).output.contains("1 self-test vector ok"))
  }
}

@Test func namesAreMappedByRulesAndTables() throws {
  try withTemporaryFolder { folder in
    let (model, weights, output) = (
      folder + "/small.nnrt", folder + "/weights.safetensors", folder + "/out.nnrt"
    )
    try writeModel(model)
    // As PyTorch has them: (outputs, inputs).
    let (wT, vT): ([Float], [Float]) = ([0.5, 1, -1, 0.25, 2, -0.5], [1, 0.5, 0, -1, 2, -0.25])
    try NamedWeights.write(
      [
        NamedWeights(name: "net.hidden.weight", extents: [3, 2], values: wT),
        NamedWeights(name: "net.hidden.bias", extents: [3], values: b),
        NamedWeights(name: "net.out.weight", extents: [2, 3], values: vT),
      ], safetensors: weights)
    let table = folder + "/names.tsv"
    try "# file\tmodel\nnet.out.weight\tV.T\n".write(toFile: table, atomically: true, encoding: .utf8)
    let outcome = try nnpack(
      "convert", model, output, "--weights-from", weights, "--map", #"^net\.(\w+)\.weight$=$1.matrix"#,
      "--map",
      "hidden.matrix=W.T", "--map", "net.hidden.bias=b", "--map", table)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("3 taken, 0 not used") && outcome.output.contains("(2, 3), transposed"))
    #expect(try Model.open(path: output).selfTests()[0].outputs[0].floats == (try expected()))
  }
}

@Test func whatDoesNotFitIsAnErrorThatNamesBoth() throws {
  try withTemporaryFolder { folder in
    let (model, weights, output) = (folder + "/small.nnrt", folder + "/weights.npz", folder + "/out.nnrt")
    try writeModel(model)
    func refusal(_ arrays: [NPZFile.NamedArray], _ options: String...) throws -> String {
      try NPZFile.write(arrays, to: weights)
      let outcome = try nnpack(["convert", model, output, "--weights-from", weights] + options)
      #expect(
        outcome.status == 1 && outcome.output.isEmpty && !FileManager.default.fileExists(atPath: output))
      #expect(outcome.errors.contains(weights), "\(outcome.errors)")
      return outcome.errors
    }
    let turned = try refusal([("W", try floats(w, [3, 2]))])
    #expect(turned.contains("\"W\" for \"W\" of the model: has shape (3, 2) instead of (2, 3)"), "\(turned)")
    #expect(turned.contains(".T"))
    let none = try refusal([("other", try floats(w, [3, 2]))])
    #expect(
      none.contains("none of the 1 tensors") && none.contains("\"other\"")
        && none.contains("\"W\", \"b\", \"V\""))
    let twice = try refusal(
      [("a", try floats(w, [2, 3])), ("c", try floats(w, [2, 3]))], "--map", "[ac]=W")
    #expect(twice.contains("\"a\" and \"c\" are both called \"W\""))
    let pattern = try nnpack("convert", model, output, "--weights-from", weights, "--map", "(=x")
    #expect(pattern.status == 1 && pattern.errors.contains("--map (=x: not a regular expression"))
    let table = folder + "/names.tsv"
    try "a\n".write(toFile: table, atomically: true, encoding: .utf8)
    let lines = try nnpack("convert", model, output, "--weights-from", weights, "--map", table)
    #expect(lines.status == 1 && lines.errors.contains("names.tsv, line 1: not two names"))
  }
}

@Test func optionsThatDoNotGoTogetherAreRefused() throws {
  try withTemporaryFolder { folder in
    let model = folder + "/small.nnrt"
    try writeModel(model)
    for (options, words) in [
      (["--map", "a=b"], "--weights-from"), (["--check", "--weights-from", model], "--check"),
      (["--input-shape", "N=1"], "for ONNX models"), (["--check-passes"], "for ONNX models"),
    ] {
      let outcome = try nnpack(["convert", model, folder + "/out.nnrt"] + options)
      #expect(outcome.status == 64 && outcome.errors.contains(words), "\(options): \(outcome.errors)")
    }
  }
}

@Test func weightsOfAnotherModelFindTheTransposedOnesThatPackingMade() throws {
  try withTemporaryFolder { folder in
    let (packed, other, again) = (folder + "/packed.nnrt", folder + "/other.nnrt", folder + "/again.nnrt")
    let weights = folder + "/weights.npz"
    let hidden = (0..<96 * 16).map { Float($0 % 37) / 37 - 0.5 }
    try NPZFile.write([("hidden.weight", try floats(hidden, [96, 16]))], to: weights)
    #expect(try nnpack("convert", onnxModel("pictures"), packed).status == 0)
    // Onto the ONNX model before packing, and onto the packed one: hidden.weight is transposed there.
    #expect(try nnpack("convert", onnxModel("pictures"), other, "--weights-from", weights).status == 0)
    let outcome = try nnpack("convert", packed, again, "--weights-from", weights)
    #expect(outcome.status == 0 && outcome.output.contains("hidden.weight.T"), "\(outcome.errors)")
    let (one, two) = (try Model.open(path: other), try Model.open(path: again))
    #expect(try one.selfTests()[1].outputs[0].floats == two.selfTests()[1].outputs[0].floats)
    // A normalisation has moved into the weights of the convolution: nothing is called conv.weight any more.
    try NPZFile.write(
      [("conv.weight", try floats([Float](repeating: 0, count: 432), [16, 3, 3, 3]))], to: weights)
    let folded = try nnpack("convert", packed, again, "--weights-from", weights)
    #expect(folded.status == 1 && folded.errors.contains("conv.weight.folded"), "\(folded.errors)")
    // From one .nnrt file to another.
    let whole = try nnpack("convert", packed, again, "--weights-from", other)
    #expect(whole.status == 0 && whole.output.contains("0 not used; 0 of the model keep"), "\(whole.output)")
    #expect(
      try Model.open(path: again).selfTests()[0].outputs[0].floats == one.selfTests()[0].outputs[0].floats)
  }
}

@Test func aPackedModelCanBeGivenNarrowerWeights() throws {
  try withTemporaryFolder { folder in
    let (packed, narrow, direct) = (folder + "/packed.nnrt", folder + "/narrow.nnrt", folder + "/direct.nnrt")
    #expect(try nnpack("convert", onnxModel("words"), packed).status == 0)
    let outcome = try nnpack("convert", packed, narrow, "--weights", "bf16")
    #expect(
      outcome.status == 0 && outcome.output.contains("rounded to bf16")
        && outcome.output.contains("the file before"))
    #expect(try nnpack("verify", narrow).status == 0)
    #expect(try nnpack("convert", onnxModel("words"), direct, "--weights", "bf16").status == 0)
    let files = try [narrow, direct].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
    #expect(files[0] == files[1])
  }
}

extension Tensor {
  /// This f32 tensor in another floating-point type.
  fileprivate func inType(_ dtype: DType) throws -> Tensor {
    var graph = Graph(name: "cast")
    let x = graph.addInput("x", self.dtype, shape)
    graph.addOutput(try graph.append(.cast(dtype), [x]), name: "y")
    return try Session(try Model(ModelFile(graph: graph)))([self])[0]
  }
}
