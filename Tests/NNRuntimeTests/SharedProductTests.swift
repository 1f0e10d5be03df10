import NNFormat
import NNGraph
import NNKernels
import NNPasses
import NNRuntime
import Testing

/// Products whose rows or columns threads share out.
@Suite struct SharedProductTests {
  /// Rows that threads share evenly and unevenly, in parts of one block and of several; few rows, of which they share the columns; weights
  /// in panels and as they are.
  @Test(arguments: [1, 31, 64, 97, 130, 391])
  func sharedProductsHaveTheSameBits(_ rows: Int) throws {
    for columns in [17, 256] {
      var random = SplitMix64(seed: UInt64(rows * 1000 + columns))
      var graph = Graph(name: "product")
      let x = graph.addInput("x", .f32, [rows, 40])
      let weight = try graph.constant("weight", random.reals([40, columns]))
      let bias = try graph.constant("bias", random.reals([columns]))
      let y = try graph.append(.matmul(Matmul(activation: Activation(.relu))), [x, weight, bias])
      graph.addOutput(try graph.append(.binary(.add), [y, bias]), name: "y")
      let input = random.reals([rows, 40])
      for graph in [graph, try graph.packed()] {
        let alone = bits(try run(graph, [input]))
        for threads in [2, 3, 5] {
          #expect(
            bits(try run(graph, [input], Session.Options(threads: threads))) == alone,
            "\(columns) columns, \(threads) threads")
        }
      }
    }
  }

  /// Nobody takes a row before those of his part, and there is a unit for each.
  @Test func unitsOfPartsFollowEachOther() {
    let empty = UnsafeMutablePointer<Float>.allocate(capacity: 1)
    defer { empty.deallocate() }
    let cases = [(128, 2, 4), (130, 2, 4), (400, 2, 12), (63, 2, 2), (20, 3, 3), (300, 1, 8)]
    for (rows, threads, units) in cases {
      var product = MatmulArguments(a: empty, panels: empty, c: empty, m: rows, n: 384, k: 1)
      product.share(among: threads)
      #expect(product.workUnits == units, "\(rows) rows, \(threads) threads")
    }
  }
}
