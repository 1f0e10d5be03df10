import CPlatform

/// See ``MatmulArguments``.
@inlinable
func matmul<I: InstructionSet>(_ arguments: MatmulArguments, _ units: Range<Int>, _: I.Type) {
  if arguments.skipsZeros, arguments.hasManyZeros() { return matmulSkippingZeros(arguments, units, I.self) }
  let (rowBlocks, groups) = (arguments.rowBlocks, arguments.panelGroups)
  let panelsPerUnit = arguments.panelsPerUnit
  let columnsPerUnit = panelsPerUnit &* 16
  let splits = MatmulArguments.splitsSums(n: arguments.n, k: arguments.k)
  var unit = units.lowerBound
  while unit < units.upperBound {
    // Row blocks vary fastest: the group of panels stays in the second-level cache meanwhile.
    let rowBlock = unit % rowBlocks
    let group = unit / rowBlocks % groups
    var item = unit / (rowBlocks &* groups)
    var row = rowBlock &* MatmulArguments.rowsPerUnit
    var end = arguments.m
    if arguments.rowsPerPart < arguments.m {
      row &+= item &* arguments.rowsPerPart
      end = min(end, (item &+ 1) &* arguments.rowsPerPart)
      item = 0
    }
    unit &+= 1
    if row >= end { continue }
    let column = group &* columnsPerUnit
    var bias = arguments.bias
    if let all = arguments.bias { bias = all + column }
    let block = ProductBlock(
      a: arguments.a + (item &* arguments.aBatchStride &+ row &* arguments.aRowStride),
      aStride: arguments.aRowStride, aStep: arguments.aColumnStride,
      panels: arguments.panels
        + (item &* arguments.panelsBatchStride &+ group &* panelsPerUnit &* arguments.panelStride),
      panelStride: arguments.panelStride, panelStep: arguments.panelRowStride,
      c: arguments.c + (item &* arguments.cBatchStride &+ row &* arguments.cRowStride &+ column),
      cStride: arguments.cRowStride, columnBias: bias, rowBias: nil,
      rows: min(MatmulArguments.rowsPerUnit, end &- row),
      columns: min(columnsPerUnit, arguments.n &- column), k: arguments.k, accumulates: arguments.accumulates,
      readsPanelsAhead: arguments.panelRowStride == 16, epilogue: arguments.epilogue)
    if splits {
      I.multiplySplit(block)
    } else if I.widensWeights, let narrow = arguments.narrowPanels {
      I.multiplyRow(block, narrow.advanced(group &* panelsPerUnit))
    } else {
      I.multiply(block)
    }
    if arguments.epilogue.isSeparate { block.finish(arguments.epilogue, I.self) }
  }
}

extension Epilogue {
  /// The activation of `count` results in memory.
  @inlinable @inline(never)
  func apply<I: InstructionSet>(to values: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type) {
    unaryKernel(function, I.self)(UnsafePointer(values), values, count, alpha, beta)
  }
}
