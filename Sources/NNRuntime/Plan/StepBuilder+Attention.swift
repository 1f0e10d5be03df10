import NNGraph
import NNKernels

/// How an ``Attention`` goes through its rows.
struct AttentionRows {
  /// How many matrices of scores there are, and the extents of one.
  let matrices: Int
  let rows: Int
  let columns: Int
  /// Rows of one work unit: as many as leave the scores in the second-level cache beside what they are made of, and as give every thread
  /// something to do.
  let rowsPerUnit: Int

  private static let scoresPerUnit = 1 << 14

  init(_ attention: Attention, _ graph: Graph, _ resolved: ResolvedGraph, _ options: Plan.Options) {
    let type = resolved.types[graph.nodes[attention.scores].outputs[0].index]
    let extents = type.shape.extents ?? []
    matrices = extents.dropLast(2).reduce(1, *)
    (rows, columns) = (extents[extents.count - 2], extents[extents.count - 1])
    var most = min(rows, max(1, AttentionRows.scoresPerUnit / columns))
    if options.threads > 1, matrices < 4 * options.threads {
      most = min(most, max(1, rows / (4 * options.threads / matrices)))
    }
    rowsPerUnit = min(rows, (most + 7) / 8 * 8)
  }

  var unitsPerMatrix: Int { (rows + rowsPerUnit - 1) / rowsPerUnit }
  var scratchSize: Int { rowsPerUnit * columns * 4 }
}

extension StepBuilder {
  func resolveAttention(_ attention: Attention) throws(NNError) {
    reported = attention.last
    defer { reported = nil }
    var scores = try attentionProduct(attention.scores)
    var values = try attentionProduct(attention.values)
    if attention.swaps.queries >= 0 {
      let rows = sideBySide(graph.nodes[attention.swaps.queries].inputs[0])
      scores.first.a = UnsafePointer(rows.start)
      scores.first.aRowStride = rows.rowStride
      scores.a = rows.strides
    }
    if attention.swaps.values >= 0 {
      let rows = sideBySide(graph.nodes[attention.swaps.values].inputs[0])
      values.first.panels = UnsafePointer(rows.start)
      values.first.readRowMajor(rowStride: rows.rowStride)
      values.b = rows.strides
    }
    if attention.swaps.results >= 0 {
      let rows = sideBySide(graph.nodes[attention.swaps.results].outputs[0])
      values.first.c = rows.start
      values.first.cRowStride = rows.rowStride
      values.c = rows.strides
    }
    let (scoresProduct, valuesProduct) = (try scores.placed(), try values.placed())
    var between: [ElementwiseChain.Member] = []
    for member in attention.between { between.append(try chainMember(member)) }
    let members = between
    let plan = AttentionRows(attention, graph, resolved, options)
    let (matmul, softmax) = (kernels.matmul, kernels.softmax(.softmax))
    let scratches = layout.scratch
    let piece = ElementwiseChain.blockLength
    let elements = plan.matrices * plan.rows * plan.columns
    index = attention.values
    let cost = Step.cost(
      2, elements, scores.first.k + values.first.n + members.count + StepBuilder.functionCost)
    emit(units: plan.matrices * plan.unitsPerMatrix, cost: cost, isProduct: true) { range, thread in
      let scratch = scratches[thread]
      let block = scratch.assumingMemoryBound(to: Float.self)
      var unit = range.lowerBound
      while unit < range.upperBound {
        let (matrix, row) = (unit / plan.unitsPerMatrix, unit % plan.unitsPerMatrix * plan.rowsPerUnit)
        let rows = min(plan.rowsPerUnit, plan.rows - row)
        var product = scoresProduct.product(matrix)
        product.a += row * product.aRowStride
        product.c = block
        product.m = rows
        matmul(product, 0..<product.workUnits)
        let first = (matrix * plan.rows + row) * plan.columns
        let count = rows * plan.columns
        var done = 0
        while done < count && !members.isEmpty {
          let length = min(piece, count - done)
          var next = 0
          while next < members.count {
            members[next](first + done, length, scratch + done * 4)
            next += 1
          }
          done += length
        }
        softmax(SoftmaxArguments(x: block, y: block, outer: rows, axis: plan.columns, inner: 1), 0..<rows)
        product = valuesProduct.product(matrix)
        product.a = UnsafePointer(block)
        product.c += row * product.cRowStride
        product.m = rows
        matmul(product, 0..<product.workUnits)
        unit += 1
      }
    }
  }

  private func attentionProduct(_ node: Int) throws(NNError) -> BatchedProduct {
    index = node
    guard case .matmul(let matmul) = resolved.ops[node] else { throw unsupported() }
    let route = MatmulRoute(matmul, graph, self.node, resolved.types, options)
    return try BatchedProduct(route, first: productArguments(route, matmul.activation))
  }

  /// The matrices of a value (B, T, H, D), along B and H: T rows of D numbers each.
  private func sideBySide(
    _ value: ValueID
  ) -> (start: UnsafeMutablePointer<Float>, rowStride: Int, strides: [Int]) {
    let extents = resolved.types[value.index].shape.extents ?? []
    let rowStride = extents[2] * extents[3]
    return (
      layout.pointers[value.index].assumingMemoryBound(to: Float.self), rowStride,
      [extents[1] * rowStride, extents[3]]
    )
  }
}
