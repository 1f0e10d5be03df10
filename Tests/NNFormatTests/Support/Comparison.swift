import NNFormat
import NNGraph
import Testing

func expectSame(_ a: Tensor, _ b: Tensor, _ what: String) {
  #expect(a.dtype == b.dtype, "\(what)")
  #expect(a.extents == b.extents, "\(what)")
  #expect(a.layout == b.layout, "\(what)")
  #expect(a.bytes.elementsEqual(b.bytes), "\(what)")
}

/// Everything a file holds, compared part by part.
func expectSame(_ a: ModelFile, _ b: ModelFile) {
  expectSame(a.graph, b.graph)
  #expect(a.metadata.entries.map(\.key) == b.metadata.entries.map(\.key))
  #expect(a.metadata.entries.map(\.value) == b.metadata.entries.map(\.value))
  #expect(a.selfTests.count == b.selfTests.count)
  for (s, t) in zip(a.selfTests, b.selfTests) {
    #expect(s.inputs.count == t.inputs.count)
    #expect(s.outputs.count == t.outputs.count)
    for (x, y) in zip(s.inputs + s.outputs, t.inputs + t.outputs) { expectSame(x, y, "self-test") }
  }
}

private func expectSame(_ g: Graph, _ h: Graph) {
  #expect(g.name == h.name)
  #expect(g.symbols == h.symbols)
  #expect(g.inputs == h.inputs)
  #expect(g.outputs == h.outputs)
  #expect(g.states == h.states)
  #expect(g.values.count == h.values.count)
  for (v, w) in zip(g.values, h.values) {
    #expect(v.name == w.name)
    #expect(v.type == w.type, "\(v.name.string)")
    #expect((v.constant == nil) == (w.constant == nil), "\(v.name.string)")
    if let c = v.constant, let d = w.constant { expectSame(c, d, v.name.string) }
  }
  #expect(g.nodes.count == h.nodes.count)
  for (m, n) in zip(g.nodes, h.nodes) {
    #expect(m.name == n.name)
    #expect(m.op == n.op, "\(m.name.string)")
    #expect(m.inputs == n.inputs, "\(m.name.string)")
    #expect(m.outputs == n.outputs, "\(m.name.string)")
  }
  #expect(g.bodies.count == h.bodies.count)
  for (x, y) in zip(g.bodies, h.bodies) { expectSame(x, y) }
}

/// Expects `body` to throw an ``NNError`` of one of the given codes whose message contains `text`.
func expectError(
  _ codes: ErrorCode..., containing text: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error", sourceLocation: sourceLocation)
  } catch let error as NNError {
    #expect(codes.contains(error.code), "\(error.code): \(error.message)", sourceLocation: sourceLocation)
    let hasText = text.isEmpty || error.message.contains(text)
    #expect(hasText, "\(error.message)", sourceLocation: sourceLocation)
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
}
