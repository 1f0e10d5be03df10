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
    reported = attention.values
    defer { reported = nil }
    let scores = try attentionProduct(attention.scores)
    let values = try attentionProduct(attention.values)
    var between: [ElementwiseChain.Member] = []
    for member in attention.between { between.append(try chainMember(member)) }
    let members = between
    let plan = AttentionRows(attention, graph, resolved, options)
    let (matmul, softmax) = (kernels.matmul, kernels.softmax(.softmax))
    let (scratchBase, scratchSize) = (layout.memory.scratch.base, layout.scratchSize)
    let piece = ElementwiseChain.blockLength
    let elements = plan.matrices * plan.rows * plan.columns
    index = attention.values
    let cost = Step.cost(
      2, elements, scores.first.k + values.first.n + members.count + StepBuilder.functionCost)
    emit(units: plan.matrices * plan.unitsPerMatrix, cost: cost) { range, thread in
      let scratch = scratchBase + thread * scratchSize
      let block = scratch.assumingMemoryBound(to: Float.self)
      var unit = range.lowerBound
      while unit < range.upperBound {
        let (matrix, row) = (unit / plan.unitsPerMatrix, unit % plan.unitsPerMatrix * plan.rowsPerUnit)
        let rows = min(plan.rowsPerUnit, plan.rows - row)
        var product = scores.product(matrix)
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
        product = values.product(matrix)
        product.a = UnsafePointer(block)
        product.c += row * product.cRowStride
        product.m = rows
        matmul(product, 0..<product.workUnits)
        unit += 1
      }
    }
  }

  /// A product of a batch, and how far the others' operands are from the first one's.
  private struct BatchedProduct {
    let first: MatmulArguments
    let batches: BroadcastLayout
    let aSize: Int
    let bSize: Int
    let cSize: Int

    /// The product at a position of the batch.
    @inline(__always)
    func product(_ position: Int) -> MatmulArguments {
      let offsets = batches.offsets(at: position)
      var one = first
      one.a += offsets.0 * aSize
      one.panels += offsets.1 * bSize
      one.c += position * cSize
      return one
    }
  }

  private func attentionProduct(_ node: Int) throws(NNError) -> BatchedProduct {
    index = node
    guard case .matmul(let matmul) = resolved.ops[node] else { throw unsupported() }
    let route = MatmulRoute(matmul, graph, self.node, resolved.types, options)
    guard let batches = BroadcastLayout(output: route.batch, route.aBatch, route.bBatch) else {
      throw unsupported()
    }
    return BatchedProduct(
      first: productArguments(route, matmul.activation), batches: batches, aSize: route.m * route.k,
      bSize: route.bSize, cSize: route.m * route.n)
  }
}
