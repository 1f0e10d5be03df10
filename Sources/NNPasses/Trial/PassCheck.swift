import NNFormat
import NNGraph
import NNRuntime

/// Runs a graph after each pass on the same random inputs, and finds the first pass that changed a result.
public struct PassCheck {
  /// A pass after which some output is not what it was.
  public struct Finding: Sendable {
    public let pass: Pass
    /// The output, the element and both numbers, or that running failed.
    public let description: String
  }

  /// Relative difference, against the largest number of an output, that passes may make which are not exact.
  public static let tolerance: Float = 1e-4

  private let inputs: [Tensor]
  private var results: [Tensor]
  public private(set) var finding: Finding?

  /// - Throws: what running the graph on such inputs throws.
  public init(_ graph: Graph, inputs: TrialInputs = TrialInputs()) throws(NNError) {
    self.inputs = try inputs.tensors(for: graph)
    results = try PassCheck.run(graph, self.inputs)
  }

  /// Compares the graph after a pass with the one before.
  public mutating func observe(_ pass: Pass, _ graph: Graph) {
    if finding != nil { return }
    do throws(NNError) {
      let new = try PassCheck.run(graph, inputs)
      for (index, (before, after)) in zip(results, new).enumerated() {
        guard let difference = PassCheck.difference(before, after, isExact: pass.isExact) else { continue }
        let name = graph[graph.outputs[index]].name.quoted
        finding = Finding(pass: pass, description: "output \(name): \(difference)")
        return
      }
      results = new
    } catch {
      finding = Finding(pass: pass, description: "the graph cannot be run any more: \(error.message)")
    }
  }

  private static func run(_ graph: Graph, _ inputs: [Tensor]) throws(NNError) -> [Tensor] {
    let session = try Session(try Model(ModelFile(graph: graph)))
    return try session(inputs)
  }

  private static func difference(_ a: Tensor, _ b: Tensor, isExact: Bool) -> String? {
    guard a.type == b.type else {
      return "\(a.dtype.name) \(a.shape.description) became \(b.dtype.name) \(b.shape.description)"
    }
    guard let x = a.floats, let y = b.floats else {
      return a.bytes.elementsEqual(b.bytes) ? nil : "its elements are others"
    }
    let scale = x.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    for (index, (p, q)) in zip(x, y).enumerated() {
      if p.bitPattern == q.bitPattern || p.isNaN && q.isNaN { continue }
      if !isExact, abs(p - q) <= tolerance * scale { continue }
      return "element \(index) was \(p) and is \(q)"
    }
    return nil
  }
}
