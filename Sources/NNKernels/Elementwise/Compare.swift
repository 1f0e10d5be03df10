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

/// See ``BinaryArguments``, for f32.
func compare(_ arguments: BinaryArguments, _ range: Range<Int>, _ block: CompareBlockKernel) {
  let a = arguments.a.assumingMemoryBound(to: Float.self)
  let b = arguments.b.assumingMemoryBound(to: Float.self)
  let out = arguments.out.assumingMemoryBound(to: UInt8.self)
  let last = arguments.rank &- 1
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.aStrides, arguments.bStrides, arguments.bStrides, range)
  while walk.next() {
    block(
      a + walk.offset0, arguments.aStrides[last], b + walk.offset1, arguments.bStrides[last],
      out + walk.position,
      walk.count)
  }
}

/// See ``SelectArguments``.
func select<T: BitwiseCopyable>(_ arguments: SelectArguments, _ range: Range<Int>, _: T.Type) {
  let a = arguments.a.assumingMemoryBound(to: T.self)
  let b = arguments.b.assumingMemoryBound(to: T.self)
  let out = arguments.out.assumingMemoryBound(to: T.self)
  let last = arguments.rank &- 1
  let conditionStep = arguments.conditionStrides[last]
  let aStep = arguments.aStrides[last]
  let bStep = arguments.bStrides[last]
  var walk = StridedWalk(
    arguments.rank, arguments.dims, arguments.conditionStrides, arguments.aStrides, arguments.bStrides, range)
  while walk.next() {
    let condition = arguments.condition + walk.offset0
    let x = a + walk.offset1
    let y = b + walk.offset2
    let target = out + walk.position
    var i = 0
    while i < walk.count {
      // Both are read: a choice of values instead of a branch.
      let left = x[i &* aStep]
      let right = y[i &* bStep]
      target[i] = condition[i &* conditionStep] != 0 ? left : right
      i &+= 1
    }
  }
}

func selectKernel(_ elementSize: Int) -> RangeKernel<SelectArguments>? {
  switch elementSize {
  case 1: { select($0, $1, UInt8.self) }
  case 2: { select($0, $1, UInt16.self) }
  case 4: { select($0, $1, UInt32.self) }
  case 8: { select($0, $1, UInt64.self) }
  default: nil
  }
}
