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
  @inlinable @inline(__always)
  static func apply<I: InstructionSet>(_ a: Vector, _ b: Vector, _: I.Type) -> Vector { power(a, b, I.self) }
}

/// Sixteen operands from `p` on, `step` apart; `step` is 0, 1 or anything else.
@inlinable @inline(__always)
func loadStepped(_ p: UnsafePointer<Float>, _ step: Int) -> Vector {
  if step == 1 { return nnp_load(p) }
  if step == 0 { return nnp_splat(p.pointee) }
  return nnp_load_strided(p, step)
}

/// The first `count` of sixteen, the others 0.
@inlinable @inline(__always)
func loadSteppedPartial(_ p: UnsafePointer<Float>, _ step: Int, _ count: Int) -> Vector {
  if step == 1 { return nnp_load_partial(p, count, nnp_splat(0)) }
  if step == 0 { return nnp_splat(p.pointee) }
  return nnp_load_strided_partial(p, step, count)
}

/// One run. Operands that lie side by side, or are one number, have loops of their own.
@inlinable @inline(__always)
func combine<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  var i = 0
  if aStep == 1 && bStep == 1 {
    while i &+ 16 <= count {
      nnp_store(out + i, F.apply(nnp_load(a + i), nnp_load(b + i), I.self))
      i &+= 16
    }
  } else if aStep == 1 && bStep == 0 {
    let y = nnp_splat(b.pointee)
    while i &+ 16 <= count {
      nnp_store(out + i, F.apply(nnp_load(a + i), y, I.self))
      i &+= 16
    }
  }
  while i < count {
    let rest = count &- i
    let (p, q) = (a + i &* aStep, b + i &* bStep)
    let x: Vector = rest >= 16 ? loadStepped(p, aStep) : loadSteppedPartial(p, aStep, rest)
    let y: Vector = rest >= 16 ? loadStepped(q, bStep) : loadSteppedPartial(q, bStep, rest)
    let result = F.apply(x, y, I.self)
    if rest >= 16 { nnp_store(out + i, result) } else { nnp_store_partial(out + i, rest, result) }
    i &+= 16
  }
}
