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

/// One run. How operands are loaded is asked for each sixteen: well predicted, and a fraction of a loop for each pair of
/// steps in size.
@inlinable @inline(__always)
func combine<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  var i = 0
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

/// See ``BinaryArguments``, for f32.
@inlinable @inline(__always)
func binary<F: BinaryVectorFunction, I: InstructionSet>(
  _ arguments: BinaryArguments, _ range: Range<Int>, _: F.Type, _: I.Type
) {
  let a = arguments.a.assumingMemoryBound(to: Float.self)
  let b = arguments.b.assumingMemoryBound(to: Float.self)
  let out = arguments.out.assumingMemoryBound(to: Float.self)
  let last = arguments.rank &- 1
  let aStep = arguments.aStrides[last]
  let bStep = arguments.bStrides[last]
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.aStrides, arguments.bStrides, arguments.bStrides, range)
  while walk.next() {
    let x = a + walk.offset0
    let y = b + walk.offset1
    let target = out + walk.position
    combine(x, aStep, y, bStep, target, walk.count, F.self, I.self)
  }
}

/// The kernel of a function for a type, nil where it has none.
@inlinable @inline(__always)
func binaryKernel<I: InstructionSet>(_ function: BinaryFunction, _ type: DType, _: I.Type)
  -> RangeKernel<BinaryArguments>?
{
  if type != .f32 { return integerBinaryKernel(function, type) }
  switch function {
  case .add: return { binary($0, $1, Add.self, I.self) }
  case .subtract: return { binary($0, $1, Subtract.self, I.self) }
  case .multiply: return { binary($0, $1, Multiply.self, I.self) }
  case .divide: return { binary($0, $1, Divide.self, I.self) }
  case .minimum: return { binary($0, $1, Minimum.self, I.self) }
  case .maximum: return { binary($0, $1, Maximum.self, I.self) }
  case .power: return { binary($0, $1, Power.self, I.self) }
  }
}
