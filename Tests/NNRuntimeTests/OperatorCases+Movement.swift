import NNGraph
import Reference

extension OperatorCases {
  /// One tensor of each element size.
  private static func everySize(_ extents: [Int], _ random: inout SplitMix64) -> [ReferenceTensor] {
    [
      random.reals(extents), random.integers(extents, -100...100, .i8),
      random.integers(extents, -100...100, .i16),
      random.integers(extents, -100...100, .i64),
    ]
  }

  static func reshape(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], Shape)] = [
      ([6], [2, 3]), ([2, 3], [6]), ([2, 3, 4], Shape([.fixed(4), .unknown])), ([], [1, 1]),
      ([0, 5], [5, 0]),
      ([1], []),
    ]
    return variants.flatMap { from, to in
      everySize(from, &random).map { OperatorCase(op: .reshape(to), inputs: [$0]) }
    }
  }

  static func transpose(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], [Int])] = [
      ([], []), ([5], [0]), ([3, 17], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 3, 4, 5], [0, 2, 3, 1]),
      ([2, 0], [1, 0]),
      ([20, 33], [1, 0]), ([2, 1, 3, 1, 2], [4, 3, 2, 1, 0]),
      ([2, 2, 2, 2, 2, 2, 2, 2], [7, 1, 5, 3, 6, 0, 4, 2]),
    ]
    return variants.flatMap { shape, permutation in
      everySize(shape, &random).map { OperatorCase(op: .transpose(permutation), inputs: [$0]) }
    }
  }

  static func expand(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], Shape)] = [
      ([], [2, 3]), ([1], [5]), ([3, 1], [3, 4]), ([1, 3], [2, 2, 3]), ([2, 1, 3, 1], [2, 4, 3, 5]),
      ([1], [0]),
      ([2, 3], [2, 3]),
    ]
    return variants.flatMap { from, to in
      everySize(from, &random).map { OperatorCase(op: .expand(to), inputs: [$0]) }
    }
  }

  static func slice(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], [SliceRange])] = [
      ([10], [SliceRange(start: 2, end: 8, step: 3)]), ([10], [SliceRange(start: -1, end: -100, step: -2)]),
      ([4, 5], [.all, SliceRange(start: -3, end: Int.max)]),
      ([4, 5], [SliceRange(start: 3, end: 0, step: -1), .all]),
      ([4, 5], [SliceRange(start: 2, end: 2), .all]),
      ([2, 3, 4], [.all, SliceRange(start: 1, end: 2), .all]),
      ([0, 3], [.all, .all]), ([3], [SliceRange(start: Int.min, end: Int.max, step: Int.max)]),
      ([3], [SliceRange(start: Int.max, end: Int.min, step: Int.min)]),
    ]
    return variants.flatMap { shape, ranges in
      everySize(shape, &random).map { OperatorCase(op: .slice(ranges), inputs: [$0]) }
    }
  }

  static func pad(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], [Int], [Int])] = [
      ([3], [2], [0]), ([2, 3], [0, 1], [3, 2]), ([2, 3, 2], [1, 0, 0], [0, 0, 1]), ([0], [2], [1]),
      ([], [], []),
    ]
    return variants.flatMap { shape, before, after in
      everySize(shape, &random).flatMap { x in
        let value = x.dtype.isFloatingPoint ? random.reals([]) : random.integers([], -100...100, x.dtype)
        return [
          OperatorCase(op: .pad(Pad(before: before, after: after, value: -3)), inputs: [x]),
          OperatorCase(op: .pad(Pad(before: before, after: after)), inputs: [x, value]),
        ]
      }
    }
  }

  static func concat(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [(Int, [[Int]])] = [
      (0, [[3]]), (0, [[2], [0], [17]]), (1, [[2, 3], [2, 1], [2, 5]]), (0, [[2, 3], [1, 3]]),
      (1, [[2, 1, 4], [2, 2, 4]]),
    ]
    return variants.flatMap { axis, shapes in
      let columns = shapes.map { everySize($0, &random) }
      return (0..<4).map { size in OperatorCase(op: .concat(axis: axis), inputs: columns.map { $0[size] }) }
    }
  }

  static func gather(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], Int, [Int])] = [
      ([5], 0, [3]), ([5, 4], 0, [2, 3]), ([5, 4], 1, [7]), ([2, 3, 17], 1, []), ([3, 2], 0, [0]),
      ([3, 0], 0, [2]),
    ]
    return variants.flatMap { shape, axis, indexShape in
      let extent = Int64(shape[axis])
      return everySize(shape, &random).enumerated().map { size, x in
        let indices = random.integers(indexShape, -extent...extent - 1, size % 2 == 0 ? .i64 : .i32)
        return OperatorCase(op: .gather(axis: axis), inputs: [x, indices])
      }
    }
  }

  static func scatter(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], Int, [Int])] = [
      ([5], 0, [9]), ([5, 4], 0, [2, 3]), ([3, 17], 1, [6]), ([2, 3, 4], 1, []), ([3], 0, [0]),
    ]
    var cases: [OperatorCase] = []
    for (shape, axis, indexShape) in variants {
      let extent = Int64(shape[axis])
      let updates = Array(shape[..<axis]) + indexShape + Array(shape[(axis + 1)...])
      for function in ScatterFunction.allCases {
        for dtype in [DType.i32, .i64] {
          let indices = random.integers(indexShape, -extent...extent - 1, dtype)
          cases.append(
            OperatorCase(
              op: .scatter(function, axis: axis),
              inputs: [random.wholes(shape), indices, random.wholes(updates)])
          )
          cases.append(
            OperatorCase(
              op: .scatter(function, axis: axis),
              inputs: [
                random.integers(shape, -9...9, dtype), indices, random.integers(updates, -9...9, dtype),
              ]))
        }
      }
      for (x, values) in zip(everySize(shape, &random), everySize(updates, &random)) {
        let indices = random.integers(indexShape, -extent...extent - 1, .i64)
        cases.append(OperatorCase(op: .scatter(.replace, axis: axis), inputs: [x, indices, values]))
      }
    }
    return cases
  }

  static func argsort(_ random: inout SplitMix64) -> [OperatorCase] {
    let variants: [([Int], Int)] = [
      ([9], 0), ([4, 5], 0), ([4, 5], 1), ([2, 33, 3], 1), ([3, 0], 1), ([1], 0),
    ]
    return variants.flatMap { shape, axis in
      [false, true].flatMap { isDescending in
        // Few different numbers, so that many are equal.
        [random.wholes(shape)] + [DType.i8, .i64, .u8].map { random.integers(shape, 0...3, $0) }
      }.enumerated().map { number, x in
        OperatorCase(op: .argsort(axis: axis, isDescending: number % 2 == 0), inputs: [x])
      }
    }
  }

  static func cast(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for from in DType.allCases {
      for to in DType.allCases {
        for shape in [[], [19], [2, 0]] as [[Int]] {
          let x: ReferenceTensor
          if from.isFloatingPoint {
            x = ReferenceTensor(random.reals(shape, range: 300).values, extents: shape, dtype: from)
          } else {
            x = random.integers(shape, from == .bool ? 0...1 : from.isUnsigned ? 0...255 : -128...127, from)
          }
          // Narrow types hold fewer numbers than drawn here: the bytes given to the runtime are what counts.
          let held = x.bytes.withUnsafeBytes { ReferenceTensor(bytes: $0, dtype: from, extents: shape) }
          for mode in CastMode.allCases where mode != .bits || from.bitWidth == to.bitWidth {
            cases.append(OperatorCase(op: .cast(to, mode: mode), inputs: [held]))
          }
        }
      }
    }
    return cases
  }

  static func randomNumbers() -> [OperatorCase] {
    let keys: [[Int64]] = [[0, 0], [1, 2], [-1, Int64(Int32.max)], [0x1234_5678_9ABC_DEF0, 77]]
    return keys.flatMap { key in
      [[], [3], [7, 41], [600], [0]].flatMap { (shape: [Int]) -> [OperatorCase] in
        let like = ReferenceTensor([Double](repeating: 0, count: shape.reduce(1, *)), extents: shape)
        let inputs = [like, ReferenceTensor(integers: key, extents: [2])]
        return [
          OperatorCase(op: .random(.uniform, stream: 5), inputs: inputs),
          // The angle, up to 2π, is off by an ulp of its own, 2⁻²¹, and the radius reaches √(48 ln 2) = 5.8.
          OperatorCase(
            op: .random(.normal, stream: UInt32.max), inputs: inputs, bound: .absolute(5.8 * 0x1p-21)),
        ]
      }
    }
  }
}
