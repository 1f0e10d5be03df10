import CPlatform
import NNGraph

// Elementwise functions of f32 over one run: what the strided kernels and chains of nodes are made of.

/// out[i] = f(a[i·aStep], b[i·bStep]) for i in 0..<count; `out` may be an operand whose step is 1. Steps of 0 and 1 are fast.
public typealias CombineKernel =
  @Sendable (
    _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ out: UnsafeMutablePointer<Float>, _ count: Int
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
    _ out: UnsafeMutablePointer<UInt8>, _ count: Int
  ) -> Void

/// out[i] = condition[i·conditionStep] ≠ 0 ? a[i·aStep] : b[i·bStep]; as ``CombineKernel`` otherwise.
public typealias SelectBlockKernel =
  @Sendable (
    _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<Float>, _ aStep: Int,
    _ b: UnsafePointer<Float>, _ bStep: Int, _ out: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Void

/// What a block does with sixteen pairs of operands, and where its results go. A type and not closures, which would be called
/// where a loop has several of them.
@usableFromInline protocol BlockFunction {
  associatedtype Result
  func apply(_ i: Int, _ x: Vector, _ y: Vector) -> Result
  func store(_ i: Int, _ count: Int, _ result: Result)
}

extension BlockFunction {
  /// Over two operands of steps 0 or 1, sixteen at a time.
  ///
  /// The last sixteen are taken before anything is stored and overlap those before them: so a tail needs no masks, and the
  /// output may still be an operand.
  @inlinable @inline(__always)
  func run(_ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int, _ count: Int) {
    if count <= 0 { return }
    // An operand that repeats is read from sixteen copies, as if it lay in memory: one loop serves every mixture.
    var copies = (nnp_splat(a.pointee), nnp_splat(b.pointee))
    withUnsafeBytes(of: &copies) { bytes in
      let repeated = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
      let p = aStep == 0 ? repeated : a
      let q = bStep == 0 ? repeated + 16 : b
      let last = count &- 16
      if last < 0 {
        let (x, y) = (nnp_load_partial(p, count, nnp_splat(0)), nnp_load_partial(q, count, nnp_splat(0)))
        store(0, count, apply(0, x, y))
        return
      }
      let end = apply(last, nnp_load(p + last &* aStep), nnp_load(q + last &* bStep))
      var i = 0
      while i < last {
        store(i, 16, apply(i, nnp_load(p + i &* aStep), nnp_load(q + i &* bStep)))
        i &+= 16
      }
      store(last, 16, end)
    }
  }
}

/// Operands of other steps, copied sixteen at a time for `block`. Seldom needed, so shared by all instruction sets.
@inline(never) @export(interface)
public func gatherSixteens(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int, _ count: Int,
  _ block: (_ i: Int, _ count: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Void
) {
  var copies = (Vector(repeating: 0), Vector(repeating: 0))
  withUnsafeMutableBytes(of: &copies) { bytes in
    let x = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self)
    let y = x + 16
    var i = 0
    while i < count {
      let n = min(16, count &- i)
      var j = 0
      while j < n {
        x[j] = a[(i &+ j) &* aStep]
        y[j] = b[(i &+ j) &* bStep]
        j &+= 1
      }
      block(i, n, x, y)
      i &+= 16
    }
  }
}

@usableFromInline struct ScaledSumBlock<F: BinaryVectorFunction, I: InstructionSet>: BlockFunction {
  @usableFromInline let s: Vector
  @usableFromInline let t: Vector
  @usableFromInline let out: UnsafeMutablePointer<Float>

  @inlinable @inline(__always)
  init(_ s: Float, _ t: Float, out: UnsafeMutablePointer<Float>) {
    self.s = nnp_splat(s)
    self.t = nnp_splat(t)
    self.out = out
  }

  @inlinable @inline(__always)
  func apply(_ i: Int, _ x: Vector, _ y: Vector) -> Vector { F.apply(x * s, y * t, I.self) }

  @inlinable @inline(__always)
  func store(_ i: Int, _ count: Int, _ result: Vector) { storeColumns(out + i, count, result) }
}

/// See ``ScaledSumKernel``.
@inlinable @inline(__always)
func scaledSum<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ s: Float, _ b: UnsafePointer<Float>, _ bStep: Int, _ t: Float,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  ScaledSumBlock<F, I>(s, t, out: out).run(a, aStep, b, bStep, count)
}

@inlinable @inline(__always)
func scaledSumKernel<I: InstructionSet>(_ isDifference: Bool, _: I.Type) -> ScaledSumKernel {
  if isDifference { return { scaledSum($0, $1, $2, $3, $4, $5, $6, $7, Subtract.self, I.self) } }
  return { scaledSum($0, $1, $2, $3, $4, $5, $6, $7, Add.self, I.self) }
}

/// See ``BinaryArguments``, for operands of f32: the walk around a function's runs.
func forEachRun<Result>(
  _ arguments: BinaryArguments, _ range: Range<Int>,
  _ block: (
    _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ out: UnsafeMutablePointer<Result>, _ count: Int
  ) -> Void
) {
  forEachRun(arguments, range, (4, MemoryLayout<Result>.size)) {
    block(
      $0.assumingMemoryBound(to: Float.self), $1, $2.assumingMemoryBound(to: Float.self), $3,
      $4.assumingMemoryBound(to: Result.self), $5)
  }
}

/// The same for operands and results of any size, in bytes. Called, so that what a function adds to the library is its own loop alone.
@inline(never)
func forEachRun(
  _ arguments: BinaryArguments, _ range: Range<Int>, _ sizes: (operand: Int, result: Int),
  _ block: (
    _ a: UnsafeRawPointer, _ aStep: Int, _ b: UnsafeRawPointer, _ bStep: Int, _ out: UnsafeMutableRawPointer,
    _ count: Int
  ) -> Void
) {
  let last = arguments.rank &- 1
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.aStrides, arguments.bStrides, arguments.bStrides, range)
  while walk.next() {
    block(
      arguments.a + walk.offset0 &* sizes.operand, arguments.aStrides[last],
      arguments.b + walk.offset1 &* sizes.operand, arguments.bStrides[last],
      arguments.out + walk.position &* sizes.result, walk.count)
  }
}

/// Whether the steps are those of ``BlockFunction/run(_:_:_:_:_:)``.
@inlinable @inline(__always)
func arePlain(_ aStep: Int, _ bStep: Int) -> Bool { (aStep | bStep) & ~1 == 0 }

@usableFromInline struct CombineBlock<F: BinaryVectorFunction, I: InstructionSet>: BlockFunction {
  @usableFromInline let out: UnsafeMutablePointer<Float>

  @inlinable @inline(__always)
  init(out: UnsafeMutablePointer<Float>) { self.out = out }

  @inlinable @inline(__always)
  func apply(_ i: Int, _ x: Vector, _ y: Vector) -> Vector { F.apply(x, y, I.self) }

  @inlinable @inline(__always)
  func store(_ i: Int, _ count: Int, _ result: Vector) { storeColumns(out + i, count, result) }
}

@inlinable @inline(never)
func combinePlain<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  CombineBlock<F, I>(out: out).run(a, aStep, b, bStep, count)
}

/// See ``CombineKernel``.
@inlinable @inline(__always)
func combine<F: BinaryVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<Float>, _ count: Int, _: F.Type, _: I.Type
) {
  if arePlain(aStep, bStep) { return combinePlain(a, aStep, b, bStep, out, count, F.self, I.self) }
  gatherSixteens(a, aStep, b, bStep, count) { i, n, x, y in
    combinePlain(x, 1, y, 1, out + i, n, F.self, I.self)
  }
}

/// nil for functions that are not of fractions, or seldom used: see ``scalarBinaryKernel(_:_:)``.
@inlinable @inline(__always)
func combineKernel<I: InstructionSet>(_ function: BinaryFunction, _: I.Type) -> CombineKernel? {
  switch function {
  case .add: { combine($0, $1, $2, $3, $4, $5, Add.self, I.self) }
  case .subtract: { combine($0, $1, $2, $3, $4, $5, Subtract.self, I.self) }
  case .multiply: { combine($0, $1, $2, $3, $4, $5, Multiply.self, I.self) }
  case .divide: { combine($0, $1, $2, $3, $4, $5, Divide.self, I.self) }
  case .minimum: { combine($0, $1, $2, $3, $4, $5, Minimum.self, I.self) }
  case .maximum: { combine($0, $1, $2, $3, $4, $5, Maximum.self, I.self) }
  case .power: { combine($0, $1, $2, $3, $4, $5, Power.self, I.self) }
  case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight, .remainder, .modulo: nil
  }
}

extension BinaryFunction {
  /// Whether f32 has a kernel that runs on a block.
  @inlinable public var hasBlockKernel: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .minimum, .maximum, .power: true
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight, .remainder, .modulo: false
    }
  }
}

/// A comparison of two vectors as a type; the other comparisons are these with the operands or the answers turned around.
@usableFromInline protocol CompareVectorFunction {
  static func apply(_ a: Vector, _ b: Vector) -> IntVector
}

@usableFromInline enum EqualMask: CompareVectorFunction {
  @inlinable @inline(__always)
  static func apply(_ a: Vector, _ b: Vector) -> IntVector { nnp_equal(a, b) }
}

@usableFromInline enum LessMask: CompareVectorFunction {
  @inlinable @inline(__always)
  static func apply(_ a: Vector, _ b: Vector) -> IntVector { nnp_less(a, b) }
}

@usableFromInline enum LessOrEqualMask: CompareVectorFunction {
  @inlinable @inline(__always)
  static func apply(_ a: Vector, _ b: Vector) -> IntVector { nnp_less_equal(a, b) }
}

@usableFromInline struct CompareBlock<F: CompareVectorFunction, I: InstructionSet>: BlockFunction {
  @usableFromInline let out: UnsafeMutablePointer<UInt8>
  /// All ones where the answer is turned around.
  @usableFromInline let negation: IntVector

  @inlinable @inline(__always)
  init(out: UnsafeMutablePointer<UInt8>, negation: Int32) {
    self.out = out
    self.negation = IntVector(repeating: negation)
  }

  @inlinable @inline(__always)
  func apply(_ i: Int, _ x: Vector, _ y: Vector) -> IntVector { F.apply(x, y) ^ negation }

  @inlinable @inline(__always)
  func store(_ i: Int, _ count: Int, _ result: IntVector) { nnp_store_mask(out + i, count, result) }
}

/// `negation` is all ones or zeros.
@inlinable @inline(never)
func comparePlain<F: CompareVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<UInt8>, _ count: Int, _ negation: Int32, _: F.Type, _: I.Type
) {
  CompareBlock<F, I>(out: out, negation: negation).run(a, aStep, b, bStep, count)
}

/// See ``CompareBlockKernel``. Not inlined, so that a comparison and the one turned around share their code.
@inlinable @inline(never)
func compareBlock<F: CompareVectorFunction, I: InstructionSet>(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ out: UnsafeMutablePointer<UInt8>, _ count: Int, _ negation: Int32, _: F.Type, _: I.Type
) {
  if arePlain(aStep, bStep) { return comparePlain(a, aStep, b, bStep, out, count, negation, F.self, I.self) }
  gatherSixteens(a, aStep, b, bStep, count) { i, n, x, y in
    comparePlain(x, 1, y, 1, out + i, n, negation, F.self, I.self)
  }
}

/// A NaN is unequal to everything and neither less nor greater.
@inlinable @inline(__always)
func compareBlockKernel<I: InstructionSet>(_ function: CompareFunction, _: I.Type) -> CompareBlockKernel {
  switch function {
  case .equal: { compareBlock($0, $1, $2, $3, $4, $5, 0, EqualMask.self, I.self) }
  case .notEqual: { compareBlock($0, $1, $2, $3, $4, $5, -1, EqualMask.self, I.self) }
  case .less: { compareBlock($0, $1, $2, $3, $4, $5, 0, LessMask.self, I.self) }
  case .lessOrEqual: { compareBlock($0, $1, $2, $3, $4, $5, 0, LessOrEqualMask.self, I.self) }
  case .greater: { compareBlock($2, $3, $0, $1, $4, $5, 0, LessMask.self, I.self) }
  case .greaterOrEqual: { compareBlock($2, $3, $0, $1, $4, $5, 0, LessOrEqualMask.self, I.self) }
  }
}

@usableFromInline struct SelectBlock<I: InstructionSet>: BlockFunction {
  @usableFromInline let flags: UnsafePointer<UInt8>
  @usableFromInline let step: Int
  @usableFromInline let out: UnsafeMutablePointer<Float>

  @inlinable @inline(__always)
  init(flags: UnsafePointer<UInt8>, step: Int, out: UnsafeMutablePointer<Float>) {
    self.flags = flags
    self.step = step
    self.out = out
  }

  @inlinable @inline(__always)
  func apply(_ i: Int, _ x: Vector, _ y: Vector) -> Vector {
    nnp_select(nnp_load_mask(flags + i &* step, 16), x, y)
  }

  @inlinable @inline(__always)
  func store(_ i: Int, _ count: Int, _ result: Vector) { storeColumns(out + i, count, result) }
}

@inlinable @inline(never)
func selectPlain<I: InstructionSet>(
  _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<Float>, _ aStep: Int,
  _ b: UnsafePointer<Float>, _ bStep: Int, _ out: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type
) {
  if count <= 0 { return }
  // Sixteen of a condition that repeats, or all of one that ends before sixteen.
  var copies = SIMD16<UInt8>(repeating: condition.pointee)
  withUnsafeMutableBytes(of: &copies) { bytes in
    let copied = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    let isCopied = conditionStep == 0 || count < 16
    if isCopied { nnp_gather_bytes(copied, condition, conditionStep, min(16, count)) }
    let flags = isCopied ? UnsafePointer(copied) : condition
    SelectBlock<I>(flags: flags, step: conditionStep, out: out).run(a, aStep, b, bStep, count)
  }
}

/// See ``SelectBlockKernel``.
@inlinable @inline(__always)
func selectBlock<I: InstructionSet>(
  _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<Float>, _ aStep: Int,
  _ b: UnsafePointer<Float>, _ bStep: Int, _ out: UnsafeMutablePointer<Float>, _ count: Int, _: I.Type
) {
  if arePlain(aStep | conditionStep, bStep) {
    return selectPlain(condition, conditionStep, a, aStep, b, bStep, out, count, I.self)
  }
  var flags = SIMD16<UInt8>(repeating: 0)
  withUnsafeMutableBytes(of: &flags) { bytes in
    let copied = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
    gatherSixteens(a, aStep, b, bStep, count) { i, n, x, y in
      nnp_gather_bytes(copied, condition + i &* conditionStep, conditionStep, n)
      selectPlain(copied, 1, x, 1, y, 1, out + i, n, I.self)
    }
  }
}
