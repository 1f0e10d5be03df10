import CPlatform
import NNGraph

// Elementwise functions of f32 over one run: what the strided kernels and chains of nodes are made of.

/// out[i] = f(a[i·aStep], b[i·bStep]) for i in 0..<count; `out` may be an operand whose step is 1.
public typealias CombineKernel =
  @Sendable (
    _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ out: UnsafeMutablePointer<Float>,
    _ count: Int
  ) -> Void

/// out[i] = a[i·aStep]·s + b[i·bStep]·t, or the difference, each product rounded before it is added; steps are 0 or 1. Multiplying by 1
/// changes nothing, so the bits are those of the separate operations.
public typealias ScaledSumKernel =
  @Sendable (
    _ a: UnsafePointer<Float>, _ aStep: Int, _ s: Float, _ b: UnsafePointer<Float>, _ bStep: Int, _ t: Float,
    _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Void

/// As ``CombineKernel`` with bytes 0 or 1 as results.
public typealias CompareBlockKernel =
  @Sendable (
    _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ out: UnsafeMutablePointer<UInt8>,
    _ count: Int
  ) -> Void

/// out[i] = condition[i·conditionStep] ≠ 0 ? a[i·aStep] : b[i·bStep]; as ``CombineKernel`` otherwise. The condition's step is 0 or 1.
public typealias SelectBlockKernel =
  @Sendable (
    _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<Float>, _ aStep: Int,
    _ b: UnsafePointer<Float>, _ bStep: Int, _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Void

/// The kernel of a function.
@inlinable @inline(__always)
func combineKernel<I: InstructionSet>(_ function: BinaryFunction, _: I.Type) -> CombineKernel {
  switch function {
  case .add: { combine($0, $1, $2, $3, $4, $5, Add.self, I.self) }
  case .subtract: { combine($0, $1, $2, $3, $4, $5, Subtract.self, I.self) }
  case .multiply: { combine($0, $1, $2, $3, $4, $5, Multiply.self, I.self) }
  case .divide: { combine($0, $1, $2, $3, $4, $5, Divide.self, I.self) }
  case .minimum: { combine($0, $1, $2, $3, $4, $5, Minimum.self, I.self) }
  case .maximum: { combine($0, $1, $2, $3, $4, $5, Maximum.self, I.self) }
  case .power: { combine($0, $1, $2, $3, $4, $5, Power.self, I.self) }
  }
}

@inlinable @inline(__always)
func scaledSum<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ s: Float, _ b: UnsafePointer<Float>, _ bStep: Int, _ t: Float,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  let (s, t) = (nnp_splat(s), nnp_splat(t))
  var i = 0
  if aStep == 1 && bStep == 1 {
    while i &+ 16 <= count {
      nnp_store(out + i, F.apply(nnp_load(a + i) * s, nnp_load(b + i) * t, I.self))
      i &+= 16
    }
  } else if aStep == 1 && bStep == 0 {
    let y = nnp_splat(b.pointee) * t
    while i &+ 16 <= count {
      nnp_store(out + i, F.apply(nnp_load(a + i) * s, y, I.self))
      i &+= 16
    }
  }
  while i < count {
    let rest = min(16, count &- i)
    let x = rest == 16 ? loadStepped(a + i &* aStep, aStep) : loadSteppedPartial(a + i &* aStep, aStep, rest)
    let y = rest == 16 ? loadStepped(b + i &* bStep, bStep) : loadSteppedPartial(b + i &* bStep, bStep, rest)
    storeColumns(out + i, rest, F.apply(x * s, y * t, I.self))
    i &+= 16
  }
}

@inlinable @inline(__always)
func scaledSumKernel<I: InstructionSet>(_ isDifference: Bool, _: I.Type) -> ScaledSumKernel {
  if isDifference { return { scaledSum($0, $1, $2, $3, $4, $5, $6, $7, Subtract.self, I.self) } }
  return { scaledSum($0, $1, $2, $3, $4, $5, $6, $7, Add.self, I.self) }
}

/// See ``BinaryArguments``, for f32: the walk around a function's runs.
func binary(_ arguments: BinaryArguments, _ range: Range<Int>, _ combine: CombineKernel) {
  let a = arguments.a.assumingMemoryBound(to: Float.self)
  let b = arguments.b.assumingMemoryBound(to: Float.self)
  let out = arguments.out.assumingMemoryBound(to: Float.self)
  let last = arguments.rank &- 1
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.aStrides, arguments.bStrides, arguments.bStrides, range)
  while walk.next() {
    combine(
      a + walk.offset0, arguments.aStrides[last], b + walk.offset1, arguments.bStrides[last],
      out + walk.position,
      walk.count)
  }
}

/// Which outcomes of a comparison count, as masks, so that one loop serves all six functions. A NaN has none of the outcomes.
///
/// Public for the instruction sets' modules alone, which must call its initialiser and not hold a copy of it, see ``StridedWalk``.
public struct Outcomes: Sendable {
  @usableFromInline var less: IntVector
  @usableFromInline var equal: IntVector
  @usableFromInline var greater: IntVector
  @usableFromInline var inverted: IntVector

  @inline(never) @export(interface)
  public init(_ function: CompareFunction) {
    func mask(_ isSet: Bool) -> IntVector { IntVector(repeating: isSet ? -1 : 0) }
    less = mask(function == .less || function == .lessOrEqual)
    equal = mask(function != .less && function != .greater)
    greater = mask(function == .greater || function == .greaterOrEqual)
    inverted = mask(function == .notEqual)
  }
}

@inlinable @inline(never)
func compareBlock<I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<UInt8>,
  _ count: Int, _ outcomes: Outcomes, _: I.Type
) {
  var i = 0
  while i < count {
    let rest = min(16, count &- i)
    let x = rest == 16 ? loadStepped(a + i &* aStep, aStep) : loadSteppedPartial(a + i &* aStep, aStep, rest)
    let y = rest == 16 ? loadStepped(b + i &* bStep, bStep) : loadSteppedPartial(b + i &* bStep, bStep, rest)
    let hits =
      (nnp_less(x, y) & outcomes.less) | (nnp_equal(x, y) & outcomes.equal)
      | (nnp_less(y, x) & outcomes.greater)
    nnp_store_mask(out + i, rest, hits ^ outcomes.inverted)
    i &+= 16
  }
}

@inlinable @inline(never)
func selectBlock<I: InstructionSet>(
  _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<Float>, _ aStep: Int,
  _ b: UnsafePointer<Float>, _ bStep: Int, _ out: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type
) {
  var i = 0
  while i < count {
    let rest = min(16, count &- i)
    let x = rest == 16 ? loadStepped(a + i &* aStep, aStep) : loadSteppedPartial(a + i &* aStep, aStep, rest)
    let y = rest == 16 ? loadStepped(b + i &* bStep, bStep) : loadSteppedPartial(b + i &* bStep, bStep, rest)
    let mask =
      conditionStep == 0
      ? IntVector(repeating: condition.pointee != 0 ? -1 : 0) : nnp_load_mask(condition + i, rest)
    storeColumns(out + i, rest, nnp_select(mask, x, y))
    i &+= 16
  }
}
