import CPlatform

// Convolutions that give the largest of each square of 2 x 2 outputs, without writing the outputs. The bits are those of pooling them.

extension ConvolutionArguments {
  /// Whether ``pools`` may be set, on the instruction sets of ``KernelTable/fusesConvolutions``.
  @inlinable public var canPool: Bool {
    if epilogue.isSeparate { return false }
    switch algorithm {
    case .depthwise: return window.isStrip && window.strideWidth == 1
    case .panels: return false
    case .winograd(let tile): return tile != .wide
    case .channelWinograd(let tile): return channelGrid(tile).keepsSquares
    }
  }

  @inlinable @inline(__always)
  func isPooled<I: InstructionSet>(_: I.Type) -> Bool { I.fusesConvolutions && pools }

  /// Of a plane of y.
  @inlinable @inline(__always)
  func resultHeight<I: InstructionSet>(_: I.Type) -> Int {
    isPooled(I.self) ? outputHeight / 2 : outputHeight
  }

  @inlinable @inline(__always)
  func resultWidth<I: InstructionSet>(_: I.Type) -> Int { isPooled(I.self) ? outputWidth / 2 : outputWidth }
}

/// The first of the largest: what pooling keeps of two taps in a row.
@inlinable @inline(__always)
func firstLargest(_ first: Vector, _ second: Vector) -> Vector {
  nnp_select(nnp_is_better(second, first), second, first)
}

/// The same in a third of the time where neither is NaN.
@inlinable @inline(__always)
func larger(_ first: Vector, _ second: Vector) -> Vector {
  nnp_select(nnp_less(first, second), second, first)
}
