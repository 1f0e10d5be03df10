import NNGraph
import NNKernels
import Reference
import Testing

/// The bytes of one element of a type, from a number that the type can hold.
private func cast<From: BitwiseCopyable, To: BitwiseCopyable & Equatable>(
  _ values: [From], _ from: DType, _ to: DType, _ blank: To, _ mode: CastMode = .standard
) -> [To] {
  withGuarded([To](repeating: blank, count: values.count)) { out in
    values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      tables[0].cast(from, to, mode)!(base, out, values.count)
    }
  }
}

@Test func everyHalfSurvivesTheWayToFloatAndBack() {
  let halves = (0...UInt16.max).map { $0 }
  let floats = cast(halves, .f16, .f32, Float(0))
  for half in halves {
    let expected = Float(Float16(bitPattern: half))
    #expect(isSame(floats[Int(half)], expected))
  }
  let back = cast(floats, .f32, .f16, UInt16(0))
  for half in halves where !Float16(bitPattern: half).isNaN { #expect(back[Int(half)] == half) }
  let doubles = cast(halves, .bf16, .f64, 0.0)
  for half in halves {
    let expected = Double(Float(bitPattern: UInt32(half) << 16))
    #expect(doubles[Int(half)] == expected || expected.isNaN)
  }
  #expect(
    cast(doubles.map(Float.init), .f32, .bf16, UInt16(0)).enumerated().allSatisfy {
      $0.1 == $0.0 || doubles[$0.0].isNaN
    })
}

@Test func narrowingRoundsOnceToNearestEven() {
  var generator = Generator(1)
  var values: [Double] = [
    0, -0.0, .infinity, -.infinity, .nan, 65519.999, 65520, 65504, 5e-8, 2.9802322387695312e-8, 1e300,
  ]
  for _ in 0..<100_000 {
    let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
    values.append(Double(float))
    // Just beside the middle of two halves: a detour through float would round twice.
    let half = Double(Float16(bitPattern: UInt16(generator.int(0...0x7bfe))))
    let next = Double(Float16(half).nextUp)
    values.append((half + next) / 2 + Double(generator.int(-1...1)) * half.ulp)
  }
  let halves = cast(values, .f64, .f16, UInt16(0))
  for i in 0..<values.count {
    let expected = Float16(values[i])
    #expect(halves[i] == expected.bitPattern || expected.isNaN, "\(values[i])")
    if expected.isNaN { #expect(Float16(bitPattern: halves[i]).isNaN) }
  }
  let brains = cast(values, .f64, .bf16, UInt16(0))
  for i in 0..<values.count where values[i].isFinite {
    // The nearest of the two neighbours, found by trying both.
    let value = Double(Float(bitPattern: UInt32(brains[i]) << 16))
    let up = Double(Float(bitPattern: UInt32(brains[i] &+ 1) << 16))
    let down = brains[i] & 0x7fff == 0 ? value : Double(Float(bitPattern: UInt32(brains[i] &- 1) << 16))
    if value.isFinite {
      let error = abs(value - values[i])
      if up.isFinite { #expect(error <= abs(up - values[i]), "\(values[i])") }
      #expect(error <= abs(down - values[i]), "\(values[i])")
      if error != 0 && (error == abs(up - values[i]) || error == abs(down - values[i])) {
        #expect(brains[i] & 1 == 0, "\(values[i]) is a tie")
      }
    } else {
      #expect(abs(values[i]) >= 0x1.ffp127)
    }
  }
}

@Test func floatsTurnIntoIntegersTowardZeroAndSaturate() {
  let values: [Float] = [
    0, -0.0, 1.9, -1.9, 127.5, 128, -128.9, -129, 255.9, 256, 3e9, -3e9, 1e19, -1e19, .infinity, -.infinity,
    .nan,
  ]
  #expect(
    cast(values, .f32, .i8, Int8(9)) == [
      0, 0, 1, -1, 127, 127, -128, -128, 127, 127, 127, -128, 127, -128, 127, -128, 0,
    ])
  #expect(
    cast(values, .f32, .u8, UInt8(9)) == [0, 0, 1, 0, 127, 128, 0, 0, 255, 255, 255, 0, 255, 0, 255, 0, 0])
  #expect(cast(values, .f32, .i64, Int64(9)).suffix(5) == [.max, .min, .max, .min, 0])
  #expect(cast(values, .f32, .i32, Int32(9))[10...11] == [.max, .min])
  #expect(cast(values, .f32, .bool, UInt8(9)) == [0, 0] + [UInt8](repeating: 1, count: 15))
}

@Test func integersConvertWithOneRounding() {
  var generator = Generator(2)
  var values: [Int64] = [0, 1, -1, .max, .min, 1 << 53, (1 << 53) + 1, 65519, 65520, -65520]
  for _ in 0..<20_000 { values.append(Int64(bitPattern: generator.next()) >> generator.int(0...63)) }
  let floats = cast(values, .i64, .f32, Float(0))
  let halves = cast(values, .i64, .f16, UInt16(0))
  let brains = cast(values, .i64, .bf16, UInt16(0))
  for i in 0..<values.count {
    #expect(floats[i] == Float(values[i]))
    #expect(halves[i] == Float16(values[i]).bitPattern, "\(values[i])")
    let brain = Float(bitPattern: UInt32(brains[i]) << 16)
    let error = (Int64(exactly: brain) ?? .max).subtractingReportingOverflow(values[i]).partialValue.magnitude
    #expect(
      Double(error) <= Double(values[i].magnitude) / 256 + 1 || values[i].magnitude > 1 << 62, "\(values[i])")
  }
}

@Test func integersKeepTheirLowBitsOrGoToTheNearestEnd() {
  let values: [Int64] = [300, -300, 5, .max, .min]
  #expect(cast(values, .i64, .i8, Int8(0)) == [44, -44, 5, -1, 0])
  #expect(cast(values, .i64, .u8, UInt8(0)) == [44, 212, 5, 255, 0])
  #expect(cast(values, .i64, .i4, UInt8(0)) == [12, 4, 5, 15, 0])
  #expect(cast(values, .i64, .u2, UInt8(0)) == [0, 0, 1, 3, 0])
  #expect(cast(values, .i64, .i8, Int8(0), .clamping) == [127, -128, 5, 127, -128])
  #expect(cast(values, .i64, .u64, UInt64(0), .clamping) == [300, 0, 5, UInt64(Int64.max), 0])
  #expect(cast([UInt64.max, 3], .u64, .i64, Int64(0), .clamping) == [.max, 3])
  #expect(cast([UInt64.max, 3], .u64, .i4, UInt8(0), .clamping) == [7, 3])
  #expect(cast([0x8F, 0x12, 0xFE] as [UInt8], .i4, .i32, Int32(0)) == [-1, 2, -2])
  #expect(cast([0x8F, 0x12, 0xFE] as [UInt8], .u2, .f32, Float(0)) == [3, 2, 2])
}

@Test func largeUnsignedIntegersConvertWithOneRounding() {
  let values: [UInt64] = [
    .max, 1 << 63, (1 << 63) + 1, (1 << 63) + (1 << 39), (1 << 63) + (1 << 39) + 1, (1 << 53) + 1,
  ]
  #expect(cast(values, .u64, .f32, Float(0)) == values.map { Float($0) })
  #expect(cast(values, .u64, .f64, 0.0) == values.map { Double($0) })
  #expect(cast(values.map { Double($0) }, .f64, .u64, UInt64(0)).first == .max)
  #expect(cast([-0.5, -1, 0x1p63, .nan], .f64, .u64, UInt64(9)) == [0, 0, 1 << 63, 0])
}

@Test(arguments: [DType.f8e4m3fn, .f8e4m3fnuz, .f8e5m2, .f8e5m2fnuz, .f8e8m0, .f4e2m1])
func narrowFloatsAreTheNearestOfAll(type: DType) {
  let format = NarrowFormat(type)
  let codes = [UInt8](0...255)
  let numbers = cast(codes, type, .f64, 0.0)
  for code in codes {
    let number = format.number(code)
    #expect(numbers[Int(code)] == number || (number.isNaN && numbers[Int(code)].isNaN), "\(code)")
  }
  // Every half, the middles of neighbours, and what is just beside them.
  var values = (0...UInt16.max).map { Double(Float16(bitPattern: $0)) }
  let finite = numbers.filter { $0.isFinite }.sorted()
  for (a, b) in zip(finite, finite.dropFirst()) {
    let middle = (a + b) / 2
    values += [middle, middle.nextUp, middle.nextDown]
  }
  values += [1e300, -1e300, 0x1p-200, -0x1p-200, 0x1p127, 0x1.8p127, 0x1.8p-128, 0x1p-127, 0x1p128]
  for mode in CastMode.allCases where mode != .bits {
    let results = cast(values, .f64, type, UInt8(0), mode)
    for (value, code) in zip(values, results) {
      #expect(
        code == format.code(value, saturates: mode.saturates, mode.powerRounding), "\(value) \(mode)")
    }
  }
}

@Test func bitsAreReadAsAnotherType() {
  #expect(cast([1, -1] as [Float], .f32, .u32, UInt32(0), .bits) == [0x3f80_0000, 0xbf80_0000])
  #expect(cast([0, 7, 255] as [UInt8], .u8, .bool, UInt8(9), .bits) == [0, 1, 1])
  #expect(tables[0].cast(.f32, .f64, .bits) == nil && tables[0].cast(.u4, .u8, .bits) == nil)
}

@Test func everyPairOfTypesConvertsSmallNumbersExactly() {
  // 0, 1 and 4 in every type, as far as it can hold them.
  func held(_ values: [Double], _ type: DType) -> [Double] {
    switch type {
    case .bool: values.map { $0 == 0 ? 0 : 1 }
    case .u2, .i2: values.map { Double(Int($0) & 1) }
    // 0 saturates to the least power, which few other types hold.
    case .f8e8m0: values.map { $0 == 0 ? 0x1p-127 : $0 }
    case .f32, .f64, .bf16: values
    default: values.map { $0 < 1 ? 0 : $0 }
    }
  }
  for from in DType.allCases {
    for to in DType.allCases {
      let source: [Double] = [0, 1, 4]
      var bytes = [UInt8](repeating: 0, count: 3 * from.size)
      var target = [UInt8](repeating: 0, count: 3 * to.size)
      var back = [Double](repeating: -1, count: 3)
      bytes.withUnsafeMutableBytes { x in
        target.withUnsafeMutableBytes { y in
          source.withUnsafeBytes {
            tables[0].cast(.f64, from, .standard)!($0.baseAddress!, x.baseAddress!, 3)
          }
          tables[0].cast(from, to, .standard)!(x.baseAddress!, y.baseAddress!, 3)
          back.withUnsafeMutableBytes {
            tables[0].cast(to, .f64, .standard)!(y.baseAddress!, $0.baseAddress!, 3)
          }
        }
      }
      let (first, second) = (held(source, from), held(held(source, from), to))
      #expect(back == second, "\(from) to \(to): \(first)")
    }
  }
}
