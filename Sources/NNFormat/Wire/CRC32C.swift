import CPlatform

/// CRC-32C (Castagnoli): reflected polynomial 0x82F63B78, initial value and final XOR 0xFFFFFFFF, as in RFC 3720,
/// section 12.1 and appendix B.4. By the processor's own instruction, or eight bytes a step with a table ("slicing by 8",
/// Kounavis and Berry 2005).
package struct CRC32C: Sendable {
  /// table[256·j + b]: the remainder of byte b followed by j zero bytes. Empty if the processor has the instruction.
  private let table: [UInt32]

  /// Computing the table takes microseconds; keeping it in a value needs no lock and no global.
  package init(usesInstruction: Bool = nnp_cpu_has_crc32c() != 0) {
    if usesInstruction {
      table = []
      return
    }
    var table = [UInt32](repeating: 0, count: 2048)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
      table[byte] = remainder
    }
    for index in 256..<2048 {
      let previous = table[index - 256]
      table[index] = (previous >> 8) ^ table[Int(previous & 0xFF)]
    }
    self.table = table
  }

  /// The checksum of `bytes`, or of those whose checksum is `checksum` followed by `bytes`.
  package func checksum(_ bytes: UnsafeRawBufferPointer, continuing checksum: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return checksum }
    if table.isEmpty { return ~nnp_crc32c(~checksum, base, bytes.count) }
    return table.withUnsafeBufferPointer { CRC32C.checksum(base, bytes.count, ~checksum, $0) }
  }

  private static func checksum(
    _ base: UnsafeRawPointer, _ count: Int, _ initial: UInt32, _ entries: UnsafeBufferPointer<UInt32>
  ) -> UInt32 {
    var state = initial
    var offset = 0
    while count - offset >= 8 {
      let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let low = UInt32(truncatingIfNeeded: word) ^ state
      let high = UInt32(truncatingIfNeeded: word >> 32)
      let front =
        entries[1792 + Int(low & 0xFF)] ^ entries[1536 + Int((low >> 8) & 0xFF)]
        ^ entries[1280 + Int((low >> 16) & 0xFF)] ^ entries[1024 + Int(low >> 24)]
      let back =
        entries[768 + Int(high & 0xFF)] ^ entries[512 + Int((high >> 8) & 0xFF)]
        ^ entries[256 + Int((high >> 16) & 0xFF)] ^ entries[Int(high >> 24)]
      state = front ^ back
      offset += 8
    }
    while offset < count {
      let byte = base.load(fromByteOffset: offset, as: UInt8.self)
      state = (state >> 8) ^ entries[Int((state & 0xFF) ^ UInt32(byte))]
      offset += 1
    }
    return ~state
  }
}
