import CPlatform
import NNGraph
import NNKernels

extension AloneNode {
  func runNonZero(_ x: TensorBytes) throws(NNError) -> Bool {
    var hasChanged = false
    let nowhere = UnsafeRawPointer(bitPattern: 64)!
    let elements = x.bytes.baseAddress ?? nowhere
    let found = x.count == 0 ? 0 : nonZeroCount(x.type.dtype, elements, x.count)
    let target = try take(0, .i64, [x.extents.count, found], &hasChanged)
    if found > 0 {
      nonZeroIndices(x.type.dtype, elements, x.extents, target.assumingMemoryBound(to: Int64.self), found)
    }
    return hasChanged
  }

  func runUnique(_ x: TensorBytes, axis: Int?, sorts: Bool) throws(NNError) -> Bool {
    let extents = x.extents
    var (outer, count, inner) = (1, x.count, 1)
    if let axis {
      for extent in extents[..<axis] { outer *= extent }
      count = extents[axis]
      for extent in extents[(axis + 1)...] { inner *= extent }
    }
    let dtype = x.type.dtype
    let elements = x.bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
    let items = DistinctItems(dtype, elements, count: count, outer: outer, inner: inner, sorts: sorts)
    var hasChanged = false
    var resultExtents = [items.first.count]
    if let axis {
      resultExtents = extents
      resultExtents[axis] = items.first.count
    }
    let size = inner * dtype.size
    let target = try take(0, dtype, resultExtents, &hasChanged)
    for row in 0..<outer {
      for (position, item) in items.first.enumerated() {
        memcpy(
          target + (row * items.first.count + position) * size, elements + (row * count + item) * size, size)
      }
    }
    for (index, numbers) in [items.first, items.inverse, items.counts].enumerated() {
      let target = try take(1 + index, .i64, [numbers.count], &hasChanged)
      for (position, number) in numbers.enumerated() {
        target.storeBytes(of: Int64(number), toByteOffset: position * 8, as: Int64.self)
      }
    }
    return hasChanged
  }

  func runSuppression(_ inputs: [TensorBytes], isCentered: Bool) throws(NNError) -> Bool {
    let (boxes, scores) = (inputs[0].floats, inputs[1].floats)
    let (batches, spots) = (inputs[0].extents[0], inputs[0].extents[1])
    let classes = inputs[1].extents[1]
    var selected: [Int] = []
    if spots > 0, batches > 0, classes > 0, let boxes = boxes.baseAddress, let scores = scores.baseAddress {
      for item in 0..<batches * classes {
        let kept = nonMaxSuppression(
          boxes + item / classes * spots * 4, scores + item * spots, spots, isCentered: isCentered,
          limit: inputs[2].integer, overlap: inputs[3].float, threshold: inputs[4].float)
        for box in kept { selected += [item / classes, item % classes, box] }
      }
    }
    var hasChanged = false
    let target = try take(0, .i64, [selected.count / 3, 3], &hasChanged)
    for (position, number) in selected.enumerated() {
      target.storeBytes(of: Int64(number), toByteOffset: position * 8, as: Int64.self)
    }
    return hasChanged
  }
}
