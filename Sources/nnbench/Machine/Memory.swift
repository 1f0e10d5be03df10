/// The operands of one measurement, in lines of 64 bytes; freed with this object.
final class Memory {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// Zeros.
  func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(64, count), alignment: 64)
    block.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, count))
    blocks.append(block)
    return block
  }

  /// Multiples of 1/128 in [−1, 1), which bf16 and f16 hold exactly.
  func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let floats = bytes(count * MemoryLayout<Float>.size).bindMemory(to: Float.self, capacity: count)
    fill(floats, count) { Float($0 >> 24) * 0x1p-7 - 1 }
    return floats
  }

  /// As ``floats(_:)``.
  func doubles(_ count: Int) -> UnsafeMutablePointer<Double> {
    let doubles = bytes(count * MemoryLayout<Double>.size).bindMemory(to: Double.self, capacity: count)
    fill(doubles, count) { Double($0 >> 24) * 0x1p-7 - 1 }
    return doubles
  }

  /// Indices from 0 to `bound` − 1.
  func indices(_ count: Int, below bound: Int) -> UnsafeMutablePointer<Int64> {
    let indices = bytes(count * MemoryLayout<Int64>.size).bindMemory(to: Int64.self, capacity: count)
    fill(indices, count) { Int64($0 >> 8) % Int64(bound) }
    return indices
  }

  private func fill<Number>(
    _ numbers: UnsafeMutablePointer<Number>, _ count: Int, _ number: (UInt32) -> Number
  ) {
    var state: UInt32 = 1
    for i in 0..<count {
      state = state &* 1_664_525 &+ 1_013_904_223
      numbers[i] = number(state)
    }
  }
}
