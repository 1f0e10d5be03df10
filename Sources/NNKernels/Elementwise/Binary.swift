import CPlatform
import NNGraph

/// A function of two numbers as a type, so that each gets loops of its own.
@usableFromInline protocol BinaryVectorFunction {
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector
}

@usableFromInline enum Add: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a + b }
}

@usableFromInline enum Subtract: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a - b }
}

@usableFromInline enum Multiply: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a * b }
}

@usableFromInline enum Divide: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { a / b }
}

@usableFromInline enum Minimum: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_select(nnp_less(a, b) | nnp_is_nan(a), a, b)
  }
}

@usableFromInline enum Maximum: BinaryVectorFunction {
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector {
    nnp_select(nnp_less(b, a) | nnp_is_nan(a), a, b)
  }
}

@usableFromInline enum Power: BinaryVectorFunction {
  /// Called and not inlined: it is long, and a loop has it several times.
  @inlinable @inline(never)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { power(a, b, I.self) }
}
