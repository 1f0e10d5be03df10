import CPlatform

// Every UnaryFunction as a type; those that are more than arithmetic are in Transcendentals.

@usableFromInline enum IdentityMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    x
  }
}

@usableFromInline enum NegateMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_from_bits(nnp_bits(x) ^ IntVector(repeating: Int32.min))
  }
}

@usableFromInline enum AbsoluteMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    magnitude(x)
  }
}

@usableFromInline enum SquareMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    x * x
  }
}

@usableFromInline enum SquareRootMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_sqrt(x)
  }
}

@usableFromInline enum ReciprocalSquareRootMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_splat(1) / nnp_sqrt(x)
  }
}

@usableFromInline enum ReciprocalMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_splat(1) / x
  }
}

@usableFromInline enum ExponentialMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    exponential(x, I.self)
  }
}

@usableFromInline enum LogarithmMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    logarithm(x, I.self)
  }
}

@usableFromInline enum SignMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    let negative = nnp_select(nnp_less(x, nnp_splat(0)), nnp_splat(-1), x)
    return nnp_select(nnp_less(nnp_splat(0), x), nnp_splat(1), negative)
  }
}

@usableFromInline enum FloorMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    roundedDown(x)
  }
}

@usableFromInline enum CeilingMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    roundedUp(x)
  }
}

@usableFromInline enum RoundMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    roundedToEven(x)
  }
}

@usableFromInline enum ErrorFunctionMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    errorFunction(x, I.self)
  }
}

@usableFromInline enum SineMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    sine(x, quadrant: 0, I.self)
  }
}

@usableFromInline enum CosineMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    sine(x, quadrant: 1, I.self)
  }
}

@usableFromInline enum Logarithm1pMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    logarithm1p(x, I.self)
  }
}

@usableFromInline enum ExponentialMinus1Map: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    exponentialMinus1(x, I.self)
  }
}

@usableFromInline enum SigmoidMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    sigmoid(x, I.self)
  }
}

@usableFromInline enum TanhMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    hyperbolicTangent(x, I.self)
  }
}

@usableFromInline enum ReluMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    atLeast(0, x)
  }
}

@usableFromInline enum LeakyReluMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_select(nnp_less(x, nnp_splat(0)), a * x, x)
  }
}

@usableFromInline enum EluMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    elu(x, a, I.self)
  }
}

@usableFromInline enum GeluMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    gelu(x, I.self)
  }
}

@usableFromInline enum GeluTanhMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    geluTanh(x, I.self)
  }
}

@usableFromInline enum SiluMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    silu(x, I.self)
  }
}

@usableFromInline enum SoftplusMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    softplus(x, I.self)
  }
}

@usableFromInline enum ClipMap: UnaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ x: Vector, _ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    clipped(x, a, b)
  }
}

/// min(max(x, low), high); NaN stays NaN, and so does the sign of zeros between them.
@inlinable @inline(__always)
func clipped(_ x: Vector, _ low: Vector, _ high: Vector) -> Vector {
  let raised = nnp_select(nnp_less(x, low), low, x)
  return nnp_select(nnp_less(high, raised), high, raised)
}
