import CPlatform

// Products of one row that zeros fill in part, as those are that ReLU gives: the rows of B that they would be multiplied with are not read.

extension MatmulArguments {
  /// Whether B and `bias` allow for ``skipsZeros``: finite numbers, and no −0 in the bias.
  ///
  /// A zero's products are zeros then, which leave a sum as it is, but for the sign of one that is zero itself; adding a bias other than −0
  /// gives both signs the same result.
  @export(interface)
  public static func allowSkipping(
    panels: UnsafePointer<Float>, k: Int, bias: UnsafePointer<Float>, columns: Int
  ) -> Bool {
    // An exponent of all ones.
    let special = IntVector(repeating: 0x7F80_0000)
    var spoiled = IntVector(repeating: 0)
    var row = 0
    while row < Panels.count(columns: columns) &* k {
      spoiled |= nnp_equal_i32(nnp_bits(nnp_load(panels + row &* 16)) & special, special)
      row &+= 1
    }
    var column = 0
    while column < columns {
      if bias[column].bitPattern == 0x8000_0000 { return false }
      column &+= 1
    }
    return nnp_any(spoiled) == 0
  }

  /// Whether so many of the row's k elements are zeros that picking the others pays: a quarter; three of eight with narrow panels,
  /// of which pairs of rows are left out; five of eight where B may not be in the cache, as memory is read best in one go.
  @inline(never) @export(interface)
  public func hasManyZeros() -> Bool {
    let most = n &* k > 1 << 20 ? 3 : narrowPanels != nil ? 5 : 6
    return nnp_count_nonzeros(a, k) <= k &* most / 8
  }
}

/// The units of ``matmul(_:_:_:)`` from the rows of B that another number than 0 meets: part by part of k, all columns of the units at once.
@inlinable @inline(never)
func matmulSkippingZeros<I: InstructionSet>(_ arguments: MatmulArguments, _ units: Range<Int>, _: I.Type) {
  // Of the elements of a part that are not zero, 256 at most: where their rows of B are, and they themselves, which are half as wide; both with
  // room for sixteen more.
  var picked = InlineArray<408, Int>(repeating: 0)
  let width = arguments.panelsPerUnit &* Panels.width
  let first = units.lowerBound &* width
  var bias = arguments.bias
  if let all = arguments.bias { bias = all + first }
  withUnsafeMutableBytes(of: &picked) { memory in
    let places = memory.baseAddress!.assumingMemoryBound(to: Int.self)
    let values = UnsafeMutableRawPointer(places + 272).assumingMemoryBound(to: Float.self)
    var begin = 0
    repeat {
      let end = min(arguments.k, begin &+ 256)
      let isLast = end == arguments.k
      var block = ProductBlock(
        a: UnsafePointer(values), aStride: 0,
        panels: arguments.panels + (first &* arguments.k &+ begin &* Panels.width),
        panelStride: arguments.panelStride, panelStep: 0, c: arguments.c + first, cStride: 0,
        columnBias: isLast ? bias : nil, rowBias: nil, rows: 1,
        columns: min(units.count &* width, arguments.n &- first), k: 0, accumulates: begin > 0,
        readsPanelsAhead: true, epilogue: isLast ? arguments.epilogue : .none)
      block.rowOffsets = UnsafePointer(places)
      if I.widensWeights, let narrow = arguments.narrowPanels {
        block.k =
          2
          &* nnp_pick_nonzero_pairs(
            arguments.a + begin, end &- begin, NarrowPanels.pairSize, values, places)
        I.multiplyRow(block, narrow.advanced(first / Panels.width, rows: begin))
      } else {
        block.k = nnp_pick_nonzeros(arguments.a + begin, end &- begin, Panels.width, values, places)
        block.run(I.self)
      }
      if isLast, arguments.epilogue.isSeparate { block.finish(arguments.epilogue, I.self) }
      begin = end
    } while begin < arguments.k
  }
}
