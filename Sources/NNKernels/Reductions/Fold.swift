import CPlatform

/// What a reduction folds with, as a type.
///
/// Every fold has the same order: of the reduced elements, sixteen virtual lanes take every sixteenth each, ascending;
/// then lane i takes in lane i + 8, then i + 4, i + 2 and i + 1.
@usableFromInline protocol FoldFunction {
  /// What a lane starts with; taking it in changes nothing.
  static var start: Float { get }
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector
}

@usableFromInline enum SumFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { 0 }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector { lanes + x }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a + b }
}

@usableFromInline enum SquareFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { 0 }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector {
    I.fma(x, x, lanes)
  }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a + b }
}

@usableFromInline enum ProductFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { 1 }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector { lanes * x }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a * b }
}

@usableFromInline enum MaximumFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { -.infinity }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector {
    Maximum.apply(lanes, x, I.self)
  }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    Maximum.apply(a, b, I.self)
  }
}

/// The maximum of what is not NaN; quicker than ``MaximumFold``. For those who meet NaN again anyway.
@usableFromInline enum NumberMaximumFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { -.infinity }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector {
    nnp_select(nnp_less(lanes, x), x, lanes)
  }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_select(nnp_less(a, b), b, a)
  }
}

@usableFromInline enum MinimumFold: FoldFunction {
  @inlinable @inline(__always) static var start: Float { .infinity }
  @inlinable @inline(__always)
  static func take<I: InstructionSet>(_ lanes: Vector, _ x: Vector, _: I.Type) -> Vector {
    Minimum.apply(lanes, x, I.self)
  }
  @inlinable @inline(__always)
  static func join<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    Minimum.apply(a, b, I.self)
  }
}

extension FoldFunction {
  /// The lanes of one vector folded into its lane 0.
  @inlinable @inline(__always)
  static func foldLanes<I: InstructionSet>(_ lanes: Vector, _: I.Type) -> Float {
    var v = join(lanes, nnp_shift_8(lanes), I.self)
    v = join(v, nnp_shift_4(v), I.self)
    v = join(v, nnp_shift_2(v), I.self)
    v = join(v, nnp_shift_1(v), I.self)
    return v[0]
  }

  /// The same order for sixteen neighbouring results, whose lanes are sixteen vectors.
  @inlinable @inline(__always)
  static func foldLanes<I: InstructionSet>(_ lanes: inout Lanes, _: I.Type) -> Vector {
    var distance = 8
    while distance > 0 {
      var i = 0
      while i < distance {
        nnp_set_lane(&lanes, i, join(nnp_lane(&lanes, i), nnp_lane(&lanes, i &+ distance), I.self))
        i &+= 1
      }
      distance /= 2
    }
    return nnp_lane(&lanes, 0)
  }

  @inlinable @inline(__always)
  static func startLanes(_ lanes: inout Lanes) {
    var i = 0
    while i < 16 {
      nnp_set_lane(&lanes, i, nnp_splat(start))
      i &+= 1
    }
  }

  /// The fold of `count` contiguous elements.
  @inlinable @inline(__always)
  static func fold<I: InstructionSet>(_ x: UnsafePointer<Float>, _ count: Int, _: I.Type) -> Float {
    foldLanes(lanes(x, count, I.self), I.self)
  }

  /// Its lanes.
  @inlinable @inline(__always)
  static func lanes<I: InstructionSet>(_ x: UnsafePointer<Float>, _ count: Int, _: I.Type) -> Vector {
    var lanes = nnp_splat(start)
    var i = 0
    while i &+ 16 <= count {
      lanes = take(lanes, nnp_load(x + i), I.self)
      i &+= 16
    }
    if i < count { lanes = take(lanes, nnp_load_partial(x + i, count &- i, nnp_splat(start)), I.self) }
    return lanes
  }
}

/// Sixteen vectors in memory: the sixteen running folds of sixteen neighbouring results.
@usableFromInline struct Lanes {
  @usableFromInline typealias Four = (Vector, Vector, Vector, Vector)
  @usableFromInline var storage: (Four, Four, Four, Four)

  @inlinable @inline(__always)
  init() {
    let zero = nnp_splat(0)
    let four = (zero, zero, zero, zero)
    storage = (four, four, four, four)
  }
}

/// Up to sixteen neighbouring values; the rest are `rest`.
@inlinable @inline(__always)
func loadColumns(_ x: UnsafePointer<Float>, _ count: Int, _ rest: Float) -> Vector {
  count >= 16 ? nnp_load(x) : nnp_load_partial(x, count, nnp_splat(rest))
}

@inlinable @inline(__always)
func storeColumns(_ y: UnsafeMutablePointer<Float>, _ count: Int, _ v: Vector) {
  if count >= 16 { nnp_store(y, v) } else { nnp_store_partial(y, count, v) }
}
