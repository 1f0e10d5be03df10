import NNGraph

/// Splitting elements into planes of equally significant bytes: plane 0 holds the least significant byte of each.
///
/// Floating-point elements are rotated left by one bit first. That puts the exponent, which repeats itself, into the
/// top plane alone (all of it for f32 and bf16), and the sign, which does not, among the random low bits.
enum BytePlanes {
  /// Splits `elements` (a multiple of the element's size) into `planes`, one after the other, of the same total size.
  static func split(
    _ elements: UnsafeRawBufferPointer, dtype: DType, into planes: UnsafeMutableRawBufferPointer
  ) {
    switch (dtype.size, dtype.isFloatingPoint) {
    case (8, let rotates): split(elements, UInt64.self, rotates, planes)
    case (4, let rotates): split(elements, UInt32.self, rotates, planes)
    case (2, let rotates): split(elements, UInt16.self, rotates, planes)
    default: planes.copyMemory(from: elements)
    }
  }

  /// The inverse of ``split(_:dtype:into:)``.
  static func join(
    _ planes: UnsafeRawBufferPointer, dtype: DType, into elements: UnsafeMutableRawBufferPointer
  ) {
    switch (dtype.size, dtype.isFloatingPoint) {
    case (8, let rotates): join(planes, UInt64.self, rotates, elements)
    case (4, let rotates): join(planes, UInt32.self, rotates, elements)
    case (2, let rotates): join(planes, UInt16.self, rotates, elements)
    default: elements.copyMemory(from: planes)
    }
  }

  private static func split<Word: FixedWidthInteger & UnsignedInteger>(
    _ elements: UnsafeRawBufferPointer, _: Word.Type, _ rotates: Bool, _ planes: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Word>.size
    let count = elements.count / size
    let top = Word(truncatingIfNeeded: Word.bitWidth - 1)
    for index in 0..<count {
      var word = Word(littleEndian: elements.loadUnaligned(fromByteOffset: index * size, as: Word.self))
      if rotates { word = (word &<< 1) | (word &>> top) }
      for plane in 0..<size {
        planes[plane * count + index] = UInt8(
          truncatingIfNeeded: word &>> Word(truncatingIfNeeded: 8 * plane))
      }
    }
  }

  private static func join<Word: FixedWidthInteger & UnsignedInteger>(
    _ planes: UnsafeRawBufferPointer, _: Word.Type, _ rotates: Bool, _ elements: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Word>.size
    let count = elements.count / size
    let top = Word(truncatingIfNeeded: Word.bitWidth - 1)
    for index in 0..<count {
      var word: Word = 0
      for plane in 0..<size {
        word |=
          Word(truncatingIfNeeded: planes[plane * count + index]) &<< Word(truncatingIfNeeded: 8 * plane)
      }
      if rotates { word = (word &>> 1) | (word &<< top) }
      elements.storeBytes(of: word.littleEndian, toByteOffset: index * size, as: Word.self)
    }
  }
}
