import NNGraph
import NNKernels
import Testing

/// Copies through the kernel of T's size and compares with an index by index copy.
private func checkCopy<T: FixedWidthInteger & BitwiseCopyable>(
  _: T.Type, dims: [Int], sourceStrides: [Int], destinationStrides: [Int], sourceOffset: Int = 0, size: Int,
  _ generator: inout Generator
) {
  let source = (0..<size).map { _ in T(truncatingIfNeeded: generator.next()) }
  let layout = BroadcastLayout(dims: dims, strides0: sourceStrides, strides1: destinationStrides)!
  var expected = [T](repeating: 7, count: size)
  for position in 0..<dims.reduce(1, *) {
    var rest = position
    var from = sourceOffset
    var to = 0
    for axis in (0..<dims.count).reversed() {
      from += rest % dims[axis] * sourceStrides[axis]
      to += rest % dims[axis] * destinationStrides[axis]
      rest /= dims[axis]
    }
    expected[to] = source[from]
  }
  let kernel = tables[0].copy(MemoryLayout<T>.size)!
  let out = withGuarded([T](repeating: 7, count: size)) { out in
    source.withUnsafeBufferPointer { source in
      for range in randomSplit(layout.count, &generator) {
        kernel(
          CopyArguments(source: source.baseAddress! + sourceOffset, destination: out, layout: layout), range)
      }
    }
  }
  #expect(out == expected, "\(dims) \(sourceStrides) \(destinationStrides)")
}

@Test func stridedCopyServesEveryMovement() {
  var generator = Generator(1)
  func all<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) {
    // contiguous; transpose; three axes permuted; expand; a slice with steps; reversed; a piece of a concat; nothing
    checkCopy(type, dims: [200], sourceStrides: [1], destinationStrides: [1], size: 200, &generator)
    checkCopy(
      type, dims: [17, 33], sourceStrides: [1, 17], destinationStrides: [33, 1], size: 561, &generator)
    checkCopy(
      type, dims: [5, 6, 7], sourceStrides: [7, 35, 1], destinationStrides: [42, 7, 1], size: 210, &generator)
    checkCopy(
      type, dims: [4, 5, 6], sourceStrides: [0, 1, 0], destinationStrides: [30, 6, 1], size: 120, &generator)
    checkCopy(
      type, dims: [3, 9], sourceStrides: [60, 3], destinationStrides: [9, 1], size: 180, &generator)
    checkCopy(
      type, dims: [4, 30], sourceStrides: [30, -1], destinationStrides: [30, 1], sourceOffset: 29, size: 120,
      &generator)
    checkCopy(
      type, dims: [6, 20], sourceStrides: [20, 1], destinationStrides: [31, 1], size: 200, &generator)
    checkCopy(type, dims: [0, 4], sourceStrides: [4, 1], destinationStrides: [4, 1], size: 8, &generator)
    checkCopy(type, dims: [], sourceStrides: [], destinationStrides: [], size: 1, &generator)
  }
  all(UInt8.self)
  all(UInt16.self)
  all(UInt32.self)
  all(UInt64.self)
  #expect(tables[0].copy(3) == nil)
}

/// Dimensions and strides of every kind: permuted, repeated, reversed, with gaps between rows, on either side.
@Test func stridedCopyTakesAnyStrides() {
  var generator = Generator(4)
  func strides(_ dims: [Int], repeats: Bool) -> (strides: [Int], offset: Int, size: Int) {
    var strides = [Int](repeating: 0, count: dims.count)
    var (next, offset) = (1, 0)
    for axis in dims.indices.shuffled(using: &generator) {
      if repeats && generator.int(0...5) == 0 { continue }
      strides[axis] = next
      next = next * dims[axis] + (generator.int(0...2) == 0 ? generator.int(1...5) : 0)
      if repeats && generator.int(0...5) == 0 {
        offset += (dims[axis] - 1) * strides[axis]
        strides[axis] = -strides[axis]
      }
    }
    return (strides, offset, next)
  }
  for _ in 0..<400 {
    let dims = (0..<generator.int(1...4)).map { generator.int(0...3) == 0 ? $0 + 2 : generator.int(1...21) }
    let source = strides(dims, repeats: true)
    let destination = strides(dims, repeats: false)
    func check<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) {
      checkCopy(
        type, dims: dims, sourceStrides: source.strides, destinationStrides: destination.strides,
        sourceOffset: source.offset, size: max(source.size, destination.size), &generator)
    }
    switch generator.int(0...4) {
    case 0: check(UInt8.self)
    case 1: check(UInt16.self)
    case 2: check(UInt64.self)
    default: check(UInt32.self)
    }
  }
}

@Test func rowsOfEveryLengthAreCopied() {
  var generator = Generator(5)
  for length in Array(1...70) + [511, 512, 513, 600] {
    checkCopy(
      UInt8.self, dims: [3, length], sourceStrides: [length + 2, 1], destinationStrides: [length, 1],
      size: 3 * (length + 2), &generator)
  }
}

@Test func largeTransposesKeepTheirEdges() {
  var generator = Generator(6)
  for (rows, columns) in [(64, 64), (65, 31), (3, 100), (100, 3), (4, 4), (5, 5), (130, 18)] {
    checkCopy(
      UInt32.self, dims: [2, rows, columns], sourceStrides: [rows * columns, 1, rows],
      destinationStrides: [rows * columns, columns, 1], size: 2 * rows * columns, &generator)
    checkCopy(
      UInt64.self, dims: [rows, columns], sourceStrides: [columns, 1], destinationStrides: [1, rows],
      size: rows * columns, &generator)
  }
}

@Test func gatherCountsNegativeIndicesFromTheEnd() {
  var generator = Generator(2)
  for isWide in [false, true] {
    for (outer, axis, count, inner) in [(1, 5, 7, 12), (3, 4, 2, 1), (2, 9, 9, 33), (2, 3, 0, 4)] {
      let data = (0..<outer * axis * inner).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      let indices = (0..<count).map { _ in generator.int(-axis...axis - 1) }
      let expected = (0..<outer).flatMap { o in
        indices.flatMap { index -> ArraySlice<UInt8> in
          let row = o * axis + (index < 0 ? index + axis : index)
          return data[row * inner..<(row + 1) * inner]
        }
      }
      let out = withGuarded([UInt8](repeating: 3, count: outer * count * inner)) { out in
        for range in randomSplit(outer * count, &generator) {
          withIndices(indices, isWide) { pointer in
            data.withUnsafeBytes {
              let bad = tables[0].gather(
                GatherArguments(
                  data: $0.baseAddress!, indices: pointer, wideIndices: isWide, out: out, outer: outer,
                  axis: axis,
                  count: count, innerBytes: inner), range)
              #expect(bad == -1)
            }
          }
        }
      }
      #expect(out == expected)
    }
  }
}

private func withIndices(_ indices: [Int], _ isWide: Bool, _ body: (UnsafeRawPointer) -> Void) {
  if isWide {
    (indices.map(Int64.init) + [0]).withUnsafeBytes { body($0.baseAddress!) }
  } else {
    (indices.map(Int32.init) + [0]).withUnsafeBytes { body($0.baseAddress!) }
  }
}

@Test func indexOutOfBoundsIsReportedAndTouchesNothingElse() {
  for isWide in [false, true] {
    var extremes = [4, -5, Int(Int32.max), Int(Int32.min)]
    if isWide { extremes += [.max, .min] }
    for bad in extremes {
      let data = [Float](repeating: 1, count: 12)
      withIndices([0, 3, bad, 1], isWide) { pointer in
        _ = withGuarded([Float](repeating: 0, count: 12)) { out in
          data.withUnsafeBytes {
            let position = tables[0].gather(
              GatherArguments(
                data: $0.baseAddress!, indices: pointer, wideIndices: isWide, out: out, outer: 1, axis: 4,
                count: 4,
                innerBytes: 12), 0..<4)
            #expect(position == 2)
          }
        }
        let untouched = withGuarded([Float](repeating: 0, count: 12)) { out in
          data.withUnsafeBufferPointer {
            let position = tables[0].scatter(.add, .f32)!(
              ScatterArguments(
                updates: $0.baseAddress!, indices: pointer, wideIndices: isWide, out: out, outer: 1, axis: 4,
                count: 4,
                inner: 3), 0..<3)
            #expect(position == 2)
          }
        }
        #expect(untouched.allSatisfy { $0 == 0 })
      }
    }
  }
}

@Test func scatterAddAddsInOrderOfTheIndices() {
  var generator = Generator(3)
  for (outer, axis, count, inner) in [(1, 3, 10, 5), (2, 4, 6, 17), (3, 2, 5, 1)] {
    let updates = generator.floats(outer * count * inner)
    let start = generator.floats(outer * axis * inner)
    let indices = (0..<count).map { _ in generator.int(-axis...axis - 1) }
    var expected = start
    for o in 0..<outer {
      for i in 0..<count {
        for j in 0..<inner {
          let row = indices[i] < 0 ? indices[i] + axis : indices[i]
          expected[(o * axis + row) * inner + j] += updates[(o * count + i) * inner + j]
        }
      }
    }
    let out = identicalOutput(units: outer * inner, initial: start) { table, out, range in
      withIndices(indices, true) { pointer in
        updates.withUnsafeBufferPointer {
          _ = table.scatter(.add, .f32)!(
            ScatterArguments(
              updates: $0.baseAddress!, indices: pointer, wideIndices: true, out: out, outer: outer,
              axis: axis,
              count: count, inner: inner), range)
        }
      }
    }
    #expect(out == expected)
  }
}
