import Foundation
import NNFormat
import NNGraph
import NNPasses
import NNRuntime
import NumPyFiles
import Testing

@Test func everyCommandHasHelpWithAnExample() throws {
  for command in [[], ["train"], ["convert"], ["inspect"], ["run"], ["verify"], ["bench"], ["profile"]] {
    let outcome = try nnpack(command + ["--help"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.contains("EXAMPLE:\n  nnpack " + command.joined(separator: " ")), "\(command)")
  }
}

@Test func versionGoesToStandardOutput() throws {
  let outcome = try nnpack("--version")
  #expect(outcome.status == 0 && outcome.output.hasPrefix("nnpack ") && outcome.errors.isEmpty)
}

@Test func wrongCommandLinesExitWith64AndSayWhy() throws {
  let wrong: [([String], String)] = [
    (["frobnicate"], "frobnicate"), (["inspect"], "<file>"), (["run", "x.nnrt", "--top", "0"], "--top"),
    (["train"], "--list"), (["train", "--example", "nothing"], "digits-mlp"),
    (["bench", "x.nnrt", "--batch", "0"], "--batch"),
    (["train", "--example", "digits-mlp", "--resume"], "--checkpoint"),
    (["bench", "x.nnrt", "--instruction-set", "avx9"], "instruction-set"),
  ]
  for (arguments, word) in wrong {
    let outcome = try nnpack(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
    #expect(
      outcome.errors.hasPrefix("nnpack: ") && outcome.errors.contains(word), "\(arguments): \(outcome.errors)"
    )
  }
}

@Test func aFileThatIsMissingOrNoModelExitsWith1AndIsNamed() throws {
  try withTemporaryFolder { folder in
    let text = folder + "/text.nnrt"
    try "hello".write(toFile: text, atomically: true, encoding: .utf8)
    for command in ["inspect", "run", "verify", "bench", "profile"] {
      for path in ["/no/such/file.nnrt", text] {
        let outcome = try nnpack(command, path)
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("nnpack: ") && outcome.errors.contains(path), "\(outcome.errors)")
      }
    }
  }
}

/// What `inspect` prints for the small model, from its second line on.
private let inspected = """
    name     small
    licence  CC0-1.0
    labels   cat, dog

            name  type  shape
    input   x     f32   (N, 2)
    output  y     f32   (N, 2)

    node     operator  attributes      result  parameters
    hidden   matmul    relu            (N, 3)           9
    logits   matmul                    (N, 2)           6
    softmax  softmax   softmax over 1  (N, 2)
    total                                              15

  """

@Test func inspectShowsTheModel() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path)
    let outcome = try nnpack("inspect", path)
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.hasPrefix("\(path): .nnrt version 1, "))
    #expect(outcome.output.contains(inspected), "\(outcome.output)")
  }
}

@Test func theBytesThatInspectShowsAddUpToTheFile() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path)
    let outcome = try nnpack("inspect", path, "--json")
    let report = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as! [String: Any]
    let parts = report["parts"] as! [[String: Any]]
    let stored = parts.reduce(0) { $0 + ($1["storedBytes"] as! Int) }
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
    #expect(stored == size && report["bytes"] as? Int == size)
    #expect(
      Set(parts.map { $0["part"] as! String }).isSuperset(of: [
        "header", "graph", "tensor W", "tensor b", "tensor V",
      ]))
    #expect(report["parameters"] as? Int == 15)
    #expect((report["inputs"] as! [[String: Any]])[0]["shape"] as? [String] == ["N", "2"])
  }
}

@Test func runGivesWhatTheRuntimeComputes() throws {
  try withTemporaryFolder { folder in
    let (model, x, y) = (folder + "/small.nnrt", folder + "/x.npy", folder + "/y.npy")
    try writeModel(model)
    let values: [Float] = [1, 2, -3, 0.5, 0, 0]
    try writeArray(values, [3, 2], to: x)
    let outcome = try nnpack("run", model, "--input", x, "--output", y, "--top", "2")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let expected = try Session(try Model.open(path: model))(values, extents: [3, 2])
    let written = try NPYFile.read(path: y)
    #expect(written.extents == [3, 2] && written.floats == expected)
    let best = expected[0] >= expected[1] ? "cat" : "dog"
    #expect(outcome.output.contains("  row 0: \(best) "))
    #expect(outcome.output.contains("(3, 2)"))
    let named = try nnpack("run", model, "-i", "x=" + x, "--output-dir", folder + "/results")
    #expect(named.status == 0)
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder + "/results/y.npy"))
        == Data(contentsOf: URL(fileURLWithPath: y)))
  }
}

@Test func runConvertsWhereNothingIsLostAndRefusesElse() throws {
  try withTemporaryFolder { folder in
    let (model, x, y) = (folder + "/small.nnrt", folder + "/x.npy", folder + "/y.npy")
    try writeModel(model)
    try [UInt8]([1, 2]).withUnsafeBytes { try NPYFile.write(dtype: .u8, extents: [1, 2], bytes: $0, to: x) }
    #expect(try nnpack("run", model, "--input", x, "--output", y).status == 0)
    #expect(
      try NPYFile.read(path: y).floats == Session(try Model.open(path: model))([1, 2], extents: [1, 2]))

    var graph = Graph(name: "integers")
    let a = graph.addInput("a", .i32, [2])
    graph.addOutput(try graph.append(.binary(.add), [a, a]), name: "sum")
    let integers = folder + "/integers.nnrt"
    try ModelFile(graph: graph).write(to: integers)
    try writeArray([1, 2], [2], to: x)
    let refused = try nnpack("run", integers, "--input", x)
    #expect(refused.status == 1 && refused.errors.contains("f32") && refused.errors.contains("i32"))
  }
}

@Test func runSaysWhatIsWrongWithItsInputs() throws {
  try withTemporaryFolder { folder in
    let (model, x) = (folder + "/small.nnrt", folder + "/x.npy")
    try writeModel(model)
    try writeArray([1, 2, 3], [1, 3], to: x)
    let missing = try nnpack("run", model)
    #expect(missing.status == 1 && missing.errors.contains("input \"x\" is missing"))
    let shape = try nnpack("run", model, "--input", x)
    #expect(shape.status == 1 && shape.errors.contains("(1, 3)") && shape.errors.contains("(N, 2)"))
    let many = try nnpack("run", model, "--input", x, "--input", x)
    #expect(many.status == 64 && many.errors.contains("too many inputs"))
    let twice = try nnpack("run", model, "--input", "x=" + x, "--input", "x=" + x)
    #expect(twice.status == 64 && twice.errors.contains("given twice"))
    let absent = try nnpack("run", model, "--input", folder + "/absent.npy")
    #expect(absent.status == 1 && absent.errors.contains("absent.npy: No such file or directory"))
    try writeArray([1, 2], [1, 2], to: x)
    let unwritable = try nnpack("run", model, "--input", x, "--output", "/no/such/folder/y.npy")
    #expect(unwritable.status == 1 && unwritable.errors.contains("/no/such/folder/y.npy"))
  }
}

/// Gives back a (1, 4).
private func writeFixedModel(_ path: String) throws {
  var graph = Graph(name: "fixed")
  let a = graph.addInput("a", .f32, [1, 4])
  graph.addOutput(try graph.append(.unary(.identity), [a]), name: "y")
  try ModelFile(graph: graph).write(to: path)
}

@Test func whatIsNoNumberComesLastAndShowsInTheRange() throws {
  try withTemporaryFolder { folder in
    let (model, x) = (folder + "/same.nnrt", folder + "/x.npy")
    try writeFixedModel(model)
    try writeArray([1, .nan, 3, 2], [1, 4], to: x)
    let outcome = try nnpack("run", model, "-i", x, "--top", "4")
    #expect(
      outcome.output.contains("row 0: 2 3.0000, 3 2.0000, 0 1.0000, 1 nan")
        || outcome.output.contains("row 0: 2 3.0000, 3 2.0000, 0 1.0000, 1 -nan"), "\(outcome.output)")
    let row = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("  output") })
    #expect(row.split(separator: " ").suffix(3).allSatisfy { $0.hasSuffix("nan") }, "\(row)")
  }
}

@Test func aBatchOfAModelWithoutAFreeOneIsRefused() throws {
  try withTemporaryFolder { folder in
    let (fixed, free) = (folder + "/fixed.nnrt", folder + "/free.nnrt")
    try writeFixedModel(fixed)
    try writeModel(free)
    for command in ["bench", "profile"] {
      let none = try nnpack(command, fixed, "--batch", "4")
      #expect(none.status == 64 && none.errors.contains("the model has no free dimension"), "\(none.errors)")
      let twice = try nnpack(command, free, "--batch", "4", "--dimension", "N=3")
      #expect(twice.status == 64 && twice.errors.contains("'N' is given twice, by --batch too"))
    }
    #expect(try nnpack("profile", free, "--runs", "1", "--dimension", "N=3").output.contains("(3, 2)"))
  }
}

@Test func verifyRunsTheVectorsOnEveryInstructionSet() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path)
    let outcome = try nnpack("verify", path)
    #expect(outcome.status == 0)
    for level in [InstructionSetLevel.baseline, .v3, .v4] {
      #expect(outcome.output.contains("1 self-test vector ok on \(level.name)\n") == level.isAvailable)
    }
  }
}

@Test func verifyNamesTheFirstElementThatDiffers() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path, selfTest: [0.125, 0.875])
    let outcome = try nnpack("verify", path)
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    for part in [path, "baseline", "\"y\"", "element 0", "0.125"] {
      #expect(outcome.errors.contains(part), "\(part)")
    }
  }
}

@Test func verifyFindsADamagedByte() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path)
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let outcome = try nnpack("verify", path)
    #expect(outcome.status == 1 && outcome.output.isEmpty && outcome.errors.contains(path))
  }
}

@Test func profileTellsWhatEachOperatorTakes() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/model.nnrt"
    try writeModel(path)
    let model = try Model.open(path: path)
    let text = try nnpack("profile", path, "--runs", "3", "--batch", "4")
    #expect(text.status == 0, "\(text.errors)")
    for node in model.graph.nodes { #expect(text.output.contains("\(node.op.name)")) }
    #expect(text.output.contains("(4, 2)") && text.output.contains("GFLOP/s"))
    let trace = folder + "/trace.json"
    let json = try nnpack("profile", path, "--runs", "1", "--json", "--trace", trace)
    let operators = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as! [[String: Any]]
    // 2·M·N·K of the two products, of one row.
    #expect(operators.reduce(0) { $0 + ($1["operations"] as! Int) } == 24)
    let events = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: trace)))
    #expect((events as! [[String: Any]]).map { $0["ph"] as? String } == operators.map { _ in "X" })
    let shared = try nnpack("profile", path, "--runs", "1", "--threads", "2", "--summary")
    #expect(shared.status == 0 && shared.output.contains("GFLOP/s"), "\(shared.errors)")
    let many = try nnpack("profile", path, "--threads", "257")
    #expect(many.status == 64 && many.errors.contains("--threads is from 1 to 256"))
    let summary = try nnpack("profile", path, "--runs", "1", "--summary", "--dimension", "T=3")
    #expect(summary.status == 64 && summary.errors.contains("no free dimension 'T'"))
  }
}

@Test func profileTellsAnAttentionAsOne() throws {
  var graph = Graph(name: "attention")
  let heads = try ["q", "k", "v"].map { name in
    try graph.append(
      .transpose(name == "k" ? [0, 2, 3, 1] : [0, 2, 1, 3]), [graph.addInput(name, .f32, [1, 6, 2, 16])])
  }
  let scores = try graph.append(.matmul(Matmul()), [heads[0], heads[1]])
  let weights = try graph.append(.softmax(Softmax(.softmax, axis: 3)), [scores])
  let values = try graph.append(.matmul(Matmul()), [weights, heads[2]])
  graph.addOutput(try graph.append(.transpose([0, 2, 1, 3]), [values], name: "joined"), name: "y")
  try withTemporaryFolder { folder in
    try Data(ModelFile(graph: graph).encode()).write(to: URL(fileURLWithPath: folder + "/model.nnrt"))
    let json = try nnpack("profile", folder + "/model.nnrt", "--runs", "1", "--json")
    let operators = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as! [[String: Any]]
    #expect(operators.map { $0["op"] as? String } == ["transpose", "attention"], "\(json)")
    #expect(operators.last?["node"] as? String == "joined")
    #expect(
      operators.last?["shapes"] as? String == "(1, 6, 2, 16) (1, 6, 2, 16) (1, 2, 16, 6) → (1, 6, 2, 16)")
    #expect(operators.last?["operations"] as? Int == 2 * 2 * (6 * 6 * 16 + 6 * 16 * 6))
  }
}

@Test func profileTellsARecurrenceAsOne() throws {
  var graph = Graph(name: "recurrence")
  func zeros(_ name: Name, _ extents: [Int]) throws -> ValueID {
    let values = [Float](repeating: 0, count: extents.reduce(1, *))
    return graph.addConstant(name, try Tensor(values, extents: extents))
  }
  let projected = try graph.append(
    .matmul(Matmul()), [graph.addInput("x", .f32, [1, 12, 20]), zeros("W", [20, 64])])
  let states = try graph.append(
    .recurrent(Recurrent(.lstm)),
    [projected, zeros("R", [16, 64]), zeros("h", [1, 16]), zeros("c", [1, 16])], name: "cells")
  graph.addOutput(try graph.append(.slice([.all, .all, SliceRange(start: 0, end: 16)]), [states]), name: "y")
  try withTemporaryFolder { folder in
    let packed = try graph.packed()
    try Data(ModelFile(graph: packed).encode()).write(to: URL(fileURLWithPath: folder + "/model.nnrt"))
    let json = try nnpack("profile", folder + "/model.nnrt", "--runs", "1", "--json")
    let operators = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as! [[String: Any]]
    let names = operators.map { $0["op"] as? String }
    // What they run as depends on the processor.
    #expect(names == ["recurrent"] || names == ["matmul", "recurrent", "slice"], "\(json)")
    let recurrence = operators.first { $0["op"] as? String == "recurrent" }
    #expect(recurrence?["node"] as? String == "cells")
    let operations = operators.reduce(0) { $0 + ($1["operations"] as! Int) }
    #expect(operations == 2 * 12 * 64 * (20 + 16))
  }
}

@Test func benchReportsTimesAndRates() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/small.nnrt"
    try writeModel(path)
    let text = try nnpack("bench", path, "--seconds", "0.02", "--batch", "4", "--instruction-set", "baseline")
    #expect(text.status == 0)
    for part in ["baseline, 1 thread, inputs (4, 2)", "µs median", "runs/s", "GFLOP/s"] {
      #expect(text.output.contains(part), "\(text.output)")
    }
    let json = try nnpack("bench", path, "--seconds", "0.02", "--batch", "4", "--json")
    let result = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as! [String: Any]
    // 2·M·N·K of the two products: 2·4·3·2 + 2·4·2·3.
    #expect(result["operationsPerRun"] as? Int == 96)
    #expect((result["minimumSeconds"] as! Double) <= (result["medianSeconds"] as! Double))
    let unknown = try nnpack("bench", path, "--dimension", "T=3")
    #expect(unknown.status == 64 && unknown.errors.contains("no free dimension 'T'"))
  }
}
