import CPlatform

/// See ``MatmulArguments``.
@inlinable
func matmul<I: InstructionSet>(_ arguments: MatmulArguments, _ units: Range<Int>, _: I.Type) {
  if arguments.skipsZeros, arguments.hasManyZeros() { return matmulSkippingZeros(arguments, units, I.self) }
  let rowBlocks = (arguments.m &+ MatmulArguments.rowsPerUnit &- 1) / MatmulArguments.rowsPerUnit
  let panelCount = Panels.count(columns: arguments.n)
  let groups = (panelCount &+ MatmulArguments.panelsPerUnit &- 1) / MatmulArguments.panelsPerUnit
  let columnsPerUnit = MatmulArguments.panelsPerUnit &* 16
  let splits = MatmulArguments.splitsSums(n: arguments.n, k: arguments.k)
  var unit = units.lowerBound
  while unit < units.upperBound {
    // Row blocks vary fastest: the group of panels stays in the second-level cache meanwhile.
    let rowBlock = unit % rowBlocks
    let group = unit / rowBlocks % groups
    let item = unit / (rowBlocks &* groups)
    let row = rowBlock &* MatmulArguments.rowsPerUnit
    let column = group &* columnsPerUnit
    var bias = arguments.bias
    if let all = arguments.bias { bias = all + column }
    let block = ProductBlock(
      a: arguments.a + (item &* arguments.aBatchStride &+ row &* arguments.aRowStride),
      aStride: arguments.aRowStride, aStep: arguments.aColumnStride,
      panels: arguments.panels
        + (item &* arguments.panelsBatchStride &+ group &* MatmulArguments.panelsPerUnit
          &* arguments.panelStride),
      panelStride: arguments.panelStride, panelStep: arguments.panelRowStride,
      c: arguments.c + (item &* arguments.cBatchStride &+ row &* arguments.cRowStride &+ column),
      cStride: arguments.cRowStride, columnBias: bias, rowBias: nil,
      rows: min(MatmulArguments.rowsPerUnit, arguments.m &- row),
      columns: min(columnsPerUnit, arguments.n &- column), k: arguments.k, accumulates: arguments.accumulates,
      readsPanelsAhead: arguments.panelRowStride == 16, epilogue: arguments.epilogue)
    if splits {
      I.multiplySplit(block)
    } else if I.widensWeights, let narrow = arguments.narrowPanels {
      I.multiplyRow(block, narrow.advanced(group &* MatmulArguments.panelsPerUnit))
    } else {
      I.multiply(block)
    }
    if arguments.epilogue.isSeparate { block.finish(arguments.epilogue, I.self) }
    unit &+= 1
  }
}

extension Epilogue {
  /// The activation of `count` results in memory.
  @inlinable @inline(never)
  func apply<I: InstructionSet>(to values: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type) {
    unaryKernel(function, I.self)(UnsafePointer(values), values, count, alpha, beta)
  }
}
