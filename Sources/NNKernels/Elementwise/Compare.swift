import NNGraph

// A NaN is unequal to everything and neither less nor greater.

enum Equal<T: Equatable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a == b ? 1 : 0 }
}

enum NotEqual<T: Equatable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a != b ? 1 : 0 }
}

enum Less<T: Comparable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a < b ? 1 : 0 }
}

enum LessOrEqual<T: Comparable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a <= b ? 1 : 0 }
}

enum Greater<T: Comparable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a > b ? 1 : 0 }
}

enum GreaterOrEqual<T: Comparable>: ScalarFunction {
  static func apply(_ a: T, _ b: T) -> UInt8 { a >= b ? 1 : 0 }
}

/// The kernel of a function for a type other than f32, nil where it has none: see `Op.computeType(for:)`.
func scalarCompareKernel(_ function: CompareFunction, _ type: DType) -> RangeKernel<BinaryArguments>? {
  guard let run = compareRun(function, type) else { return nil }
  let size = type.size
  return { forEachRun($0, $1, (size, 1), run) }
}

private func compareRun(_ function: CompareFunction, _ type: DType) -> ScalarRun? {
  switch type {
  case .f64: compareRun(function, Double.self)
  case .i32: compareRun(function, Int32.self)
  case .i64: compareRun(function, Int64.self)
  case .u64: compareRun(function, UInt64.self)
  case .i8, .u8, .bool:
    switch function {
    case .equal: { binaryRun($0, $1, $2, $3, $4, $5, Equal<UInt8>.self) }
    case .notEqual: { binaryRun($0, $1, $2, $3, $4, $5, NotEqual<UInt8>.self) }
    case .less, .lessOrEqual, .greater, .greaterOrEqual: nil
    }
  case .f32, .f16, .bf16, .f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1, .i16, .i4, .i2,
    .u16, .u32,
    .u4, .u2:
    nil
  }
}

@inline(__always)
private func compareRun<T: Comparable & SendableMetatype>(_ function: CompareFunction, _: T.Type) -> ScalarRun
{
  switch function {
  case .equal: { binaryRun($0, $1, $2, $3, $4, $5, Equal<T>.self) }
  case .notEqual: { binaryRun($0, $1, $2, $3, $4, $5, NotEqual<T>.self) }
  case .less: { binaryRun($0, $1, $2, $3, $4, $5, Less<T>.self) }
  case .lessOrEqual: { binaryRun($0, $1, $2, $3, $4, $5, LessOrEqual<T>.self) }
  case .greater: { binaryRun($0, $1, $2, $3, $4, $5, Greater<T>.self) }
  case .greaterOrEqual: { binaryRun($0, $1, $2, $3, $4, $5, GreaterOrEqual<T>.self) }
  }
}

/// See ``SelectArguments``.
func select<T: BitwiseCopyable>(
  _ arguments: SelectArguments, _ range: Range<Int>, _: T.Type,
  _ block: (
    UnsafePointer<UInt8>, Int, UnsafePointer<T>, Int, UnsafePointer<T>, Int, UnsafeMutablePointer<T>, Int
  ) -> Void
) {
  let a = arguments.a.assumingMemoryBound(to: T.self)
  let b = arguments.b.assumingMemoryBound(to: T.self)
  let out = arguments.out.assumingMemoryBound(to: T.self)
  let last = arguments.rank &- 1
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.conditionStrides, arguments.aStrides, arguments.bStrides, range)
  while walk.next() {
    block(
      arguments.condition + walk.offset0, arguments.conditionStrides[last], a + walk.offset1,
      arguments.aStrides[last], b + walk.offset2, arguments.bStrides[last], out + walk.position, walk.count)
  }
}

/// One run of a selection, element by element.
@inline(__always)
private func selectRun<T: BitwiseCopyable>(
  _ condition: UnsafePointer<UInt8>, _ conditionStep: Int, _ a: UnsafePointer<T>, _ aStep: Int,
  _ b: UnsafePointer<T>, _ bStep: Int, _ out: UnsafeMutablePointer<T>, _ count: Int
) {
  var i = 0
  while i < count {
    // Both are read: a choice of values instead of a branch.
    let left = a[i &* aStep]
    let right = b[i &* bStep]
    out[i] = condition[i &* conditionStep] != 0 ? left : right
    i &+= 1
  }
}

/// Four bytes are chosen as floats, whatever they mean: nothing is done to them.
func selectKernel(_ elementSize: Int, _ block: @escaping SelectBlockKernel) -> RangeKernel<SelectArguments>? {
  switch elementSize {
  case 1: { select($0, $1, UInt8.self, selectRun) }
  case 2: { select($0, $1, UInt16.self, selectRun) }
  case 4: { select($0, $1, Float.self, block) }
  case 8: { select($0, $1, UInt64.self, selectRun) }
  default: nil
  }
}
