import CPlatform

// What is added to results on their way to memory, as the shortcut of a residual block is to those of its last convolution. The sums are
// those of adding it afterwards.

extension ConvolutionArguments {
  /// Whether ``residual`` may be set, on the instruction sets of ``KernelTable/fusesConvolutions``.
  @inlinable public var canAddResidual: Bool {
    algorithm == .panels && !joinsImages && outputRowsPerUnit == 0 && !epilogue.isSeparate
  }

  /// Whether y may lie where ``residual`` does: where whole tiles read it, and write each result once.
  @inlinable public var canOverwriteResidual: Bool {
    !packsWeights && pixelsPerImage & 15 == 0 && reductionLength <= ProductBlock.longestPart
  }
}

extension ProductBlock {
  /// Adds `residual`, which lies as `results` do, to `rows` rows of `columns`, and keeps the sums between the bounds.
  @inlinable @inline(never)
  func add<I: InstructionSet>(
    _ residual: UnsafePointer<Float>, to results: UnsafeMutablePointer<Float>, rows: Int, columns: Int,
    _: I.Type
  ) {
    let (low, high) = (nnp_splat(bounds?.low ?? -.infinity), nnp_splat(bounds?.high ?? .infinity))
    // Rows without gaps are one.
    let isOne = columns == cStride
    let (height, width) = isOne ? (1, rows &* columns) : (rows, columns)
    var row = 0
    while row < height {
      var x = row &* cStride
      let end = x &+ width
      while x < end {
        let lanes = end &- x
        let sums = loadColumns(results + x, lanes, 0) + loadColumns(residual + x, lanes, 0)
        storeColumns(results + x, lanes, clipped(sums, low, high))
        x &+= 16
      }
      row &+= 1
    }
  }
}
