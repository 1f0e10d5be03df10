@testable import NNFormat
import NNGraph
import Testing

/// The graph section, written by hand.
private struct GraphSection {
  var writer = ByteWriter()

  mutating func text(_ text: String) {
    writer.varint(UInt64(text.utf8.count))
    writer.append(Array(text.utf8))
  }

  mutating func numbers(_ numbers: Int...) {
    for number in numbers { writer.varint(UInt64(number)) }
  }

  /// A value that is no constant: f32 (3).
  mutating func value(_ name: String) {
    text(name)
    writer.append([0, DType.f32.rawValue, 1, 1, 3])
  }

  /// A unary identity.
  mutating func node(_ name: String, from input: Int, to output: Int) {
    text(name)
    numbers(Int(OpCode.unary.rawValue), 1, input, 1, output, 9)
    writer.append([UInt8](repeating: 0, count: 9))
  }

  /// A file with this graph and nothing else.
  func file() throws -> [UInt8] {
    var graph = Graph(name: "")
    graph.addOutput(graph.addInput("x", .f32, []))
    var file = try CraftedFile(ModelFile(graph: graph))
    file.replace(.graph, writer.bytes)
    return file.bytes
  }
}

@Test func handWrittenGraphLoads() throws {
  var section = GraphSection()
  section.text("name")
  section.numbers(0, 0, 2)
  section.value("x")
  section.value("y")
  section.numbers(1, 0, 1, 1, 0, 1)
  section.node("identity", from: 0, to: 1)
  let graph = try ModelFile.decode(try section.file()).graph
  #expect(graph.nodes.count == 1)
  #expect(graph.nodes[0].op == .unary(.identity))
}

@Test func cycleIsRefused() throws {
  var section = GraphSection()
  section.text("cycle")
  section.numbers(0, 0, 3)
  section.value("x")
  section.value("a")
  section.value("b")
  section.numbers(1, 0, 1, 2, 0, 2)
  section.node("first", from: 2, to: 1)
  section.node("second", from: 1, to: 2)
  expectError(.invalidGraph, containing: "cycle") { _ = try ModelFile.decode(try section.file()) }
}

@Test func referencesToNothingAreRefused() throws {
  for wrong in [2, 1000, Int.max] {
    var section = GraphSection()
    section.text("")
    section.numbers(0, 0, 2)
    section.value("x")
    section.value("y")
    section.numbers(1, 0, 1, 1, 0, 1)
    section.node("identity", from: wrong, to: 1)
    expectError(.invalidGraph, containing: "no value") { _ = try ModelFile.decode(try section.file()) }
  }
}

@Test func unknownOperatorIsNamed() throws {
  for code in [0, 5, 1000, 1 << 40] {
    var section = GraphSection()
    section.text("")
    section.numbers(0, 0, 1)
    section.value("x")
    section.numbers(1, 0, 1, 0, 0, 1)
    section.text("future")
    section.numbers(code, 1, 0, 1, 0, 0)
    expectError(.unsupportedOperator, containing: "\"future\"") {
      _ = try ModelFile.decode(try section.file())
    }
  }
}

@Test func nodeWithTooManyInputsIsRefused() throws {
  for count in [65536, 65537] {
    var section = GraphSection()
    section.text("")
    section.numbers(0, 0, 2)
    section.value("x")
    section.text("y")
    section.writer.append([0, DType.f32.rawValue, 1, 1])
    section.numbers(3 * count, 1, 0, 1, 1, 0, 1)
    section.text("join")
    section.numbers(Int(OpCode.concat.rawValue), count)
    section.writer.append([UInt8](repeating: 0, count: count))
    section.numbers(1, 1, 1, 0)
    if count == 65536 {
      #expect(try ModelFile.decode(try section.file()).graph.nodes.count == 1)
    } else {
      expectError(.limitExceeded, containing: "\"join\"") { _ = try ModelFile.decode(try section.file()) }
    }
  }
}

@Test func attributesMustFillTheirLength() throws {
  for length in [8, 10] {
    var section = GraphSection()
    section.text("")
    section.numbers(0, 0, 2)
    section.value("x")
    section.value("y")
    section.numbers(1, 0, 1, 1, 0, 1)
    section.text("unary")
    section.numbers(1, 1, 0, 1, 1, length)
    section.writer.append([UInt8](repeating: 0, count: length))
    expectError(.corruptFile, containing: "unary") { _ = try ModelFile.decode(try section.file()) }
  }
}

@Test func bodiesNestedTooDeeplyAreRefused() throws {
  var section = GraphSection()
  section.text("deep")
  section.numbers(0, 1000)
  for body in 0..<1000 { section.numbers(body, 0) }
  expectError(.limitExceeded, containing: "16") { _ = try ModelFile.decode(try section.file()) }
}

@Test func bodiesThatAreNotThereAreRefused() throws {
  var section = GraphSection()
  section.text("shallow")
  section.numbers(0, 16)
  for body in 0..<16 { section.numbers(body, 0) }
  section.numbers(0, 0, 0, 0, 0)
  expectError(.corruptFile, containing: "body 0") { _ = try ModelFile.decode(try section.file()) }
  section = GraphSection()
  section.text("too long")
  section.numbers(0, 1, 0, 1000)
  expectError(.corruptFile, containing: "1000") { _ = try ModelFile.decode(try section.file()) }
  section = GraphSection()
  section.text("body before its parent")
  section.numbers(0, 2, 2, 0, 0, 0)
  expectError(.corruptFile, containing: "parent") { _ = try ModelFile.decode(try section.file()) }
}

@Test(arguments: [Int.max, 1 << 40, 100] as [Int])
func countsBeyondTheSectionAreRefused(count: Int) throws {
  let prefixes: [[Int]] = [
    [], [0], [0, 0], [0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0],
  ]
  for prefix in prefixes {
    var section = GraphSection()
    section.text("")
    for number in prefix { section.numbers(number) }
    section.numbers(count)
    expectError(.corruptFile) { _ = try ModelFile.decode(try section.file()) }
  }
}

@Test func longChainLoadsWithoutDeepStack() throws {
  let length = 100_000
  var section = GraphSection()
  section.text("chain")
  section.numbers(0, 0, length + 1)
  for value in 0...length { section.value("v\(value)") }
  section.numbers(1, 0, 1, length, 0, length)
  for node in 0..<length { section.node("", from: node, to: node + 1) }
  let model = try ModelFile.decode(try section.file())
  #expect(model.graph.nodes.count == length)
  expectSame(model, try ModelFile.decode(try model.encode(WriteOptions(codec: .zstd(level: 1)))))
}

@Test func duplicateInputNamesAreRefused() throws {
  var section = GraphSection()
  section.text("")
  section.numbers(0, 0, 2)
  section.value("x")
  section.value("x")
  section.numbers(2, 0, 1, 1, 0, 0, 0)
  expectError(.invalidGraph, containing: "\"x\"") { _ = try ModelFile.decode(try section.file()) }
}
