import NNFormat
import NNGraph
import NNRuntime
import Reference
import Testing

/// Attention of queries (batch, M, d) over keys and values (batch, T, d and T, e), with what scales and masks the scores in between.
private func attentionGraph(
  batch: [Int], m: Int, t: Int, d: Int, e: Int, transposesKeys: Bool, isMasked: Bool,
  sharesKeys: Bool = false,
  isObserved: Bool
) throws -> Graph {
  var graph = Graph(name: "attention")
  let keyBatch = sharesKeys ? Array(batch.dropLast()) + [1] : batch
  let q = graph.addInput("q", .f32, Shape(batch + [m, d]))
  let k = graph.addInput("k", .f32, Shape(keyBatch + (transposesKeys ? [t, d] : [d, t])))
  let v = graph.addInput("v", .f32, Shape(keyBatch + [t, e]))
  var scores = try graph.append(.matmul(Matmul(transposesB: transposesKeys)), [q, k])
  var seen = [scores]
  let root = graph.addConstant("root", try Tensor([Float(d).squareRoot()], extents: []))
  scores = try graph.append(.binary(.divide), [scores, root])
  seen.append(scores)
  if isMasked {
    let mask = graph.addInput("mask", .f32, Shape([1, t]))
    scores = try graph.append(.binary(.add), [scores, mask])
    seen.append(scores)
  }
  let weights = try graph.append(.softmax(Softmax(.softmax, axis: batch.count + 1)), [scores])
  seen.append(weights)
  graph.addOutput(try graph.append(.matmul(Matmul()), [weights, v]), name: "y")
  // What is an output is computed node by node.
  if isObserved {
    for (index, value) in seen.enumerated() { graph.addOutput(value, name: Name("seen\(index)")) }
  }
  return graph
}

@Test func attentionHasTheBitsOfItsNodes() throws {
  var random = SplitMix64(seed: 17)
  for (batch, m, t, d, e) in [
    ([], 1, 1, 1, 1), ([2], 3, 5, 4, 7), ([2, 3], 17, 33, 8, 16), ([1, 12], 40, 40, 32, 32),
    ([1], 300, 70, 16, 20),
    ([5], 1, 90, 24, 48),
  ] as [([Int], Int, Int, Int, Int)] {
    for (transposesKeys, isMasked) in [(false, false), (true, true)] {
      for sharesKeys in [false, true] where !sharesKeys || batch.count == 2 {
        func graph(isObserved: Bool) throws -> Graph {
          try attentionGraph(
            batch: batch, m: m, t: t, d: d, e: e, transposesKeys: transposesKeys, isMasked: isMasked,
            sharesKeys: sharesKeys, isObserved: isObserved)
        }
        let (plain, observed) = (try graph(isObserved: false), try graph(isObserved: true))
        let inputs = plain.inputs.map { random.reals(plain[$0].type.shape.extents!) }
        let expected = bits(try run(observed, inputs))[0]
        for level in instructionSets {
          for threads in [1, 2] {
            let result = bits(
              try run(plain, inputs, Session.Options(threads: threads, instructionSet: level)))
            #expect(result == [expected], "\(batch) \(m) \(t) \(d) \(e)")
          }
        }
      }
    }
  }
}

@Test func theScoresOfAttentionAreNeverWrittenAsAWhole() throws {
  let graph = try attentionGraph(
    batch: [1, 4], m: 512, t: 512, d: 32, e: 32, transposesKeys: true, isMasked: true, isObserved: false)
  let plan = try Plan(graph, inputExtents: graph.inputs.map { graph[$0].type.shape.extents! })
  #expect(plan.arenaSize < 4 * 512 * 512 * 4)
}

/// Attention over heads that lie side by side, (B, T, H, D), as projections make them: each of q, v and y is transposed to or from
/// (B, H, T, D). With `isObserved`, what the transposes make is an output too, and so they run by themselves.
private func sideBySideGraph(
  _ b: Int, _ heads: Int, m: Int, t: Int, d: Int, e: Int, isObserved: Bool
) throws -> Graph {
  var graph = Graph(name: "heads")
  let q = graph.addInput("q", .f32, Shape([b, m, heads * d]))
  let k = graph.addInput("k", .f32, Shape([b, t, heads, d]))
  let v = graph.addInput("v", .f32, Shape([b, t, heads, e]))
  var seen: [ValueID] = []
  func swapped(_ x: ValueID) throws -> ValueID {
    let result = try graph.append(.transpose([0, 2, 1, 3]), [x])
    seen.append(result)
    return result
  }
  let split = try graph.append(.reshape(Shape([b, m, heads, d])), [q])
  let queries = try swapped(split)
  let keys = try graph.append(.transpose([0, 2, 3, 1]), [k])
  let scores = try graph.append(.matmul(Matmul()), [queries, keys])
  let weights = try graph.append(.softmax(Softmax(.softmax, axis: 3)), [scores])
  let values = try graph.append(.matmul(Matmul()), [weights, try swapped(v)])
  seen.append(values)
  graph.addOutput(try graph.append(.transpose([0, 2, 1, 3]), [values]), name: "y")
  if isObserved {
    for (index, value) in seen.enumerated() { graph.addOutput(value, name: Name("seen\(index)")) }
  }
  return graph
}

@Test func headsSideBySideAreReadAndWrittenWhereTheyAre() throws {
  var random = SplitMix64(seed: 18)
  for (b, heads, m, t, d, e) in [
    (1, 12, 40, 40, 32, 32), (3, 2, 17, 33, 8, 16), (2, 5, 20, 9, 16, 48), (2, 3, 7, 6, 5, 7),
    (1, 1, 30, 30, 16, 16),
    (2, 4, 1, 20, 16, 32), (2, 4, 20, 1, 16, 16), (4, 1, 1, 1, 1, 1), (1, 2, 300, 200, 32, 32),
  ] {
    func graph(isObserved: Bool) throws -> Graph {
      try sideBySideGraph(b, heads, m: m, t: t, d: d, e: e, isObserved: isObserved)
    }
    let (plain, observed) = (try graph(isObserved: false), try graph(isObserved: true))
    let inputs = plain.inputs.map { random.reals(plain[$0].type.shape.extents!) }
    let expected = bits(try run(observed, inputs))[0]
    for level in instructionSets {
      for threads in [1, 2] {
        let result = bits(try run(plain, inputs, Session.Options(threads: threads, instructionSet: level)))
        #expect(result == [expected], "\(b) \(heads) \(m) \(t) \(d) \(e)")
      }
    }
  }
}

@Test func headsSideBySideTakeNoMemoryForTransposes() throws {
  let (heads, t, d) = (8, 128, 32)
  func arena(isObserved: Bool) throws -> Int {
    let graph = try sideBySideGraph(1, heads, m: t, t: t, d: d, e: d, isObserved: isObserved)
    return try Plan(graph, inputExtents: graph.inputs.map { graph[$0].type.shape.extents! }).arenaSize
  }
  // Queries and values; transposed results take the place of the keys.
  let (with, without) = (try arena(isObserved: true), try arena(isObserved: false))
  #expect(with - without >= 2 * heads * t * d * 4, "\(with) \(without)")
}
