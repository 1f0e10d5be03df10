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

/// The kernel of a function for a type other than f32, nil where it has none.
func compareKernel(_ function: CompareFunction, _ type: DType) -> RangeKernel<BinaryArguments>? {
  switch type {
  case .f32: nil
  case .i32: compareKernel(function, Int32.self)
  case .i64: compareKernel(function, Int64.self)
  case .i8, .u8, .bool:
    switch function {
    case .equal: { binaryScalar($0, $1, Equal<UInt8>.self) }
    case .notEqual: { binaryScalar($0, $1, NotEqual<UInt8>.self) }
    case .less, .lessOrEqual, .greater, .greaterOrEqual: nil
    }
  case .f64, .f16, .bf16, .i16: nil
  }
}

@inline(__always)
private func compareKernel<T: Comparable & SendableMetatype>(_ function: CompareFunction, _: T.Type)
  -> RangeKernel<BinaryArguments>
{
  switch function {
  case .equal: { binaryScalar($0, $1, Equal<T>.self) }
  case .notEqual: { binaryScalar($0, $1, NotEqual<T>.self) }
  case .less: { binaryScalar($0, $1, Less<T>.self) }
  case .lessOrEqual: { binaryScalar($0, $1, LessOrEqual<T>.self) }
  case .greater: { binaryScalar($0, $1, Greater<T>.self) }
  case .greaterOrEqual: { binaryScalar($0, $1, GreaterOrEqual<T>.self) }
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
