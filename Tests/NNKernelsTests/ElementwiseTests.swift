import Foundation
import NNGraph
import NNKernels
import Testing

/// Shapes that broadcast to an output, chosen to meet every route: contiguous, scalar, bias, outer, general.
private let broadcasts: [(output: [Int], a: [Int], b: [Int])] = [
  ([], [], []), ([5], [5], [5]), ([37], [37], []), ([37], [], [37]), ([3, 17], [3, 17], [17]),
  ([3, 17], [17], [3, 17]), ([4, 5], [4, 1], [4, 5]), ([4, 5], [4, 5], [4, 1]),
  ([2, 3, 4, 5], [3, 1, 5], [2, 1, 4, 1]),
  ([2, 33], [2, 1], [1, 33]), ([0, 4], [0, 4], [4]), ([3, 0], [3, 0], [1]),
  ([2, 1, 2, 1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1, 2, 1, 2], [2, 1, 1, 1, 2, 1, 1, 1, 2]),
]

private func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }

/// The element of a broadcast operand at a position of the output.
private func element<T>(_ values: [T], _ shape: [Int], _ output: [Int], _ position: Int) -> T {
  var rest = position
  var offset = 0
  var stride = 1
  for axis in stride_(output.count) {
    let index = rest % output[axis]
    rest /= output[axis]
    let own = axis - (output.count - shape.count)
    if own >= 0 {
      if shape[own] != 1 { offset += index * stride }
      stride *= shape[own]
    }
  }
  return values[offset]
}

private func stride_(_ rank: Int) -> [Int] { (0..<rank).reversed() }

private func float(_ function: BinaryFunction, _ a: Float, _ b: Float) -> Float {
  switch function {
  case .add: a + b
  case .subtract: a - b
  case .multiply: a * b
  case .divide: a / b
  case .minimum: a.isNaN || a < b ? a : b
  case .maximum: a.isNaN || a > b ? a : b
  case .power: pow(a, b)
  case .remainder: fmod(a, b)
  case .modulo: fmod(a, b) == 0 || (fmod(a, b) < 0) == (b < 0) ? fmod(a, b) : fmod(a, b) + b
  case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight: .nan
  }
}

private let functionsOfFloats = BinaryFunction.allCases.filter { Op.binary($0).computeType(for: .f32) != nil }

@Test(arguments: functionsOfFloats) private func binaryFunctionBroadcasts(_ function: BinaryFunction) {
  var generator = Generator(1)
  for shapes in broadcasts {
    let a = generator.wildFloats(count(shapes.a))
    let b = generator.wildFloats(count(shapes.b))
    let layout = BroadcastLayout(output: shapes.output, shapes.a, shapes.b)!
    #expect(layout.count == count(shapes.output))
    let blank = [Float](repeating: 0, count: layout.count)
    let out = identicalOutput(units: layout.count, initial: blank) { table, out, range in
      (a + [0]).withUnsafeBytes { x in
        (b + [0]).withUnsafeBytes { y in
          table.binary(function, .f32)!(
            BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), range)
        }
      }
    }
    for i in 0..<out.count where function != .power {
      let x = element(a, shapes.a, shapes.output, i)
      let y = element(b, shapes.b, shapes.output, i)
      #expect(isSame(out[i], float(function, x, y)), "\(function)(\(x), \(y)) in \(shapes)")
    }
  }
}

@Test func binaryFunctionMayWorkInPlace() {
  var generator = Generator(2)
  for size in [1, 16, 33, 100] {
    let a = generator.floats(size)
    let b = generator.floats(size)
    let layout = BroadcastLayout(output: [size], [size], [size])!
    for table in tables {
      for function in functionsOfFloats {
        let kernel = table.binary(function, .f32)!
        let apart = withGuarded(a) { out in
          a.withUnsafeBytes { x in
            b.withUnsafeBytes { y in
              kernel(
                BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), 0..<size)
            }
          }
        }
        let inPlace = withGuarded(a) { out in
          b.withUnsafeBytes { y in
            kernel(BinaryArguments(a: out, b: y.baseAddress!, out: out, layout: layout), 0..<size)
          }
        }
        #expect(isSame(apart, inPlace))
      }
    }
  }
}

private func integer<T: FixedWidthInteger>(_ function: BinaryFunction, _ a: T, _ b: T) -> T {
  switch function {
  case .add: a &+ b
  case .subtract: a &- b
  case .multiply: a &* b
  case .divide: b == 0 ? 0 : b == -1 as T ? 0 &- a : a / b
  case .minimum: min(a, b)
  case .maximum: max(a, b)
  case .power:
    b < 0
      ? (a == 1 ? 1 : a == 0 &- 1 ? (b & 1 == 0 ? 1 : a) : 0)
      : (0..<Swift.min(b, 80)).reduce(1) { power, _ in power &* a } &* (b > 80 ? largePower(a, b) : 1)
  case .bitwiseAnd: a & b
  case .bitwiseOr: a | b
  case .bitwiseXor: a ^ b
  case .shiftLeft: b < 0 || b >= T.bitWidth ? 0 : a << b
  case .shiftRight: b < 0 || b >= T.bitWidth ? (a < 0 ? 0 &- 1 : 0) : a >> b
  case .remainder: b == 0 || b == 0 &- 1 ? (b == 0 || T.isSigned ? 0 : a % b) : a % b
  case .modulo:
    b == 0 || (T.isSigned && b == 0 &- 1) ? 0 : a % b == 0 || (a % b < 0) == (b < 0) ? a % b : a % b + b
  }
}

/// a to the power b − 80, for the numbers the test takes: 0, ±1, and numbers whose 80th power is even or odd as they are.
private func largePower<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
  var (result, factor, rest) = (1 as T, a, b - 80)
  while rest > 0 {
    if rest % 2 == 1 { result = result &* factor }
    (factor, rest) = (factor &* factor, rest / 2)
  }
  return result
}

private func checkIntegers<T: FixedWidthInteger & BitwiseCopyable>(_ type: DType, _: T.Type) {
  var generator = Generator(3)
  let special: [T] = [0, 1, 0 &- 1, 2, .max, .min, 7]
  for shapes in broadcasts {
    let a = (0..<count(shapes.a)).map { _ in special[generator.int(0...6)] }
    let b = (0..<count(shapes.b)).map { _ in special[generator.int(0...6)] }
    let layout = BroadcastLayout(output: shapes.output, shapes.a, shapes.b)!
    for function in BinaryFunction.allCases {
      guard let kernel = tables[0].binary(function, type) else {
        #expect(Op.binary(function).computeType(for: type) != type)
        continue
      }
      let out = withGuarded([T](repeating: 0, count: layout.count)) { out in
        for range in randomSplit(layout.count, &generator) {
          (a + [0]).withUnsafeBytes { x in
            (b + [0]).withUnsafeBytes { y in
              kernel(BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), range)
            }
          }
        }
      }
      for i in 0..<out.count {
        let x = element(a, shapes.a, shapes.output, i)
        let y = element(b, shapes.b, shapes.output, i)
        #expect(out[i] == integer(function, x, y), "\(function)(\(x), \(y))")
      }
    }
  }
}

@Test func integerArithmeticWrapsAndNeverTraps() {
  checkIntegers(.i32, Int32.self)
  checkIntegers(.i64, Int64.self)
  #expect(tables[0].binary(.add, .u8) == nil)
}

private func holds(_ function: CompareFunction, _ x: Float, _ y: Float) -> Bool {
  switch function {
  case .equal: x == y
  case .notEqual: x != y
  case .less: x < y
  case .lessOrEqual: x <= y
  case .greater: x > y
  case .greaterOrEqual: x >= y
  }
}

@Test func comparisonsAreFalseForNaNExceptNotEqual() {
  var generator = Generator(4)
  for shapes in broadcasts {
    let a = generator.wildFloats(count(shapes.a))
    let b = generator.wildFloats(count(shapes.b))
    let layout = BroadcastLayout(output: shapes.output, shapes.a, shapes.b)!
    for table in tables {
      for function in CompareFunction.allCases {
        let out = withGuarded([UInt8](repeating: 9, count: layout.count)) { out in
          for range in randomSplit(layout.count, &generator) {
            (a + [0]).withUnsafeBytes { x in
              (b + [0]).withUnsafeBytes { y in
                table.compare(function, .f32)!(
                  BinaryArguments(a: x.baseAddress!, b: y.baseAddress!, out: out, layout: layout), range)
              }
            }
          }
        }
        for i in 0..<out.count {
          let x = element(a, shapes.a, shapes.output, i)
          let y = element(b, shapes.b, shapes.output, i)
          #expect(out[i] == (holds(function, x, y) ? 1 : 0), "\(table.name): \(x) \(function) \(y)")
        }
      }
    }
  }
}

/// Every mixture of steps, with counts around the vectors' ends.
private func forEachBlock(_ body: (_ count: Int, _ aStep: Int, _ bStep: Int) -> Void) {
  for count in [0, 1, 7, 15, 16, 17, 31, 32, 33, 50] {
    for aStep in [-2, -1, 0, 1, 3] {
      for bStep in [-1, 0, 1, 2] { body(count, aStep, bStep) }
    }
  }
}

/// `count` elements `step` apart, of an array that begins and ends with them.
private struct Strided<T> {
  var values: [T]
  var begin: Int
  var step: Int

  init(_ count: Int, _ step: Int, _ make: (Int) -> [T]) {
    let span = count == 0 ? 0 : (count - 1) * abs(step) + 1
    values = make(span)
    begin = step < 0 ? max(0, span - 1) : 0
    self.step = step
  }

  subscript(i: Int) -> T { values[begin + i * step] }

  func withPointer(_ body: (UnsafePointer<T>) -> Void) {
    // An address even for nothing.
    guard !values.isEmpty else {
      return withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { body($0.baseAddress!) }
    }
    values.withUnsafeBufferPointer { body($0.baseAddress! + begin) }
  }
}

@Test func blocksTakeOperandsOfAnyStep() {
  var generator = Generator(6)
  forEachBlock { count, aStep, bStep in
    let a = Strided(count, aStep) { generator.wildFloats($0) }
    let b = Strided(count, bStep) { generator.wildFloats($0) }
    for table in tables {
      for function in functionsOfFloats where function.hasBlockKernel && function != .power {
        let out = withGuarded([Float](repeating: 9, count: count)) { out in
          a.withPointer { x in b.withPointer { y in table.combine(function)!(x, aStep, y, bStep, out, count) }
          }
        }
        let expected = (0..<count).map { float(function, a[$0], b[$0]) }
        #expect(isSame(out, expected), "\(table.name): \(function) of \(count), steps \(aStep) and \(bStep)")
      }
      for function in CompareFunction.allCases {
        let out = withGuarded([UInt8](repeating: 9, count: count)) { out in
          a.withPointer { x in
            b.withPointer { y in table.compareBlock(function)(x, aStep, y, bStep, out, count) }
          }
        }
        let expected: [UInt8] = (0..<count).map { holds(function, a[$0], b[$0]) ? 1 : 0 }
        #expect(out == expected, "\(table.name): \(function) of \(count), steps \(aStep) and \(bStep)")
      }
      for conditionStep in [-1, 0, 1, 3] {
        let condition = Strided(count, conditionStep) { span in
          (0..<span).map { _ in UInt8(generator.int(0...2) * 127) }
        }
        let out = withGuarded([Float](repeating: 9, count: count)) { out in
          condition.withPointer { condition in
            a.withPointer { x in
              b.withPointer { y in
                table.selectBlock(condition, conditionStep, x, aStep, y, bStep, out, count)
              }
            }
          }
        }
        let expected = (0..<count).map { condition[$0] != 0 ? a[$0] : b[$0] }
        #expect(isSame(out, expected), "\(table.name): \(count), steps \(conditionStep), \(aStep), \(bStep)")
      }
    }
  }
}

@Test func powerInBlocksIsThatOfTheKernel() {
  var generator = Generator(7)
  let a = generator.wildFloats(37)
  let b = generator.wildFloats(37)
  for table in tables {
    let whole = withGuarded(a) { out in
      b.withUnsafeBufferPointer { table.combine(.power)!(UnsafePointer(out), 1, $0.baseAddress!, 1, out, 37) }
    }
    let single = withGuarded(a) { out in
      b.withUnsafeBufferPointer {
        for i in 0..<37 {
          tables[0].combine(.power)!(UnsafePointer(out) + i, 1, $0.baseAddress! + i, 0, out + i, 1)
        }
      }
    }
    #expect(isSame(whole, single))
  }
}

@Test func selectTakesEitherSideForEveryElementSize() {
  func check<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) {
    var generator = Generator(5)
    let condition = (0..<6).map { _ in UInt8(generator.int(0...2)) }
    let a = (0..<42).map { _ in T(truncatingIfNeeded: generator.next()) }
    let b = (0..<7).map { _ in T(truncatingIfNeeded: generator.next()) }
    let layout = BroadcastLayout(output: [6, 7], [6, 1], [6, 7], [7])!
    for table in tables {
      let kernel = table.select(MemoryLayout<T>.size)!
      let out = withGuarded([T](repeating: 0, count: 42)) { out in
        for range in randomSplit(42, &generator) {
          condition.withUnsafeBufferPointer { condition in
            a.withUnsafeBytes { a in
              b.withUnsafeBytes { b in
                kernel(
                  SelectArguments(
                    condition: condition.baseAddress!, a: a.baseAddress!, b: b.baseAddress!, out: out,
                    layout: layout),
                  range)
              }
            }
          }
        }
      }
      for i in 0..<42 { #expect(out[i] == (condition[i / 7] != 0 ? a[i] : b[i % 7])) }
    }
  }
  check(UInt8.self)
  check(UInt16.self)
  check(UInt32.self)
  check(UInt64.self)
  #expect(tables[0].select(3) == nil)
}

@Test func layoutsMergeWhatEveryOperandAllows() {
  #expect(BroadcastLayout(output: [2, 3, 4], [2, 3, 4], [2, 3, 4])!.rank == 1)
  #expect(BroadcastLayout(output: [2, 3, 4], [2, 3, 4], [4])!.rank == 2)
  #expect(BroadcastLayout(output: [2, 3, 4], [2, 3, 4], [3, 1])!.rank == 3)
  #expect(BroadcastLayout(output: [2, 3], [2, 3], [4]) == nil)
  let alternating = (0..<18).map { $0 % 2 + 2 }
  let broadcast = (0..<18).map { $0 % 2 == 0 ? 2 : 1 }
  #expect(BroadcastLayout(output: alternating, alternating, broadcast) == nil)
}
