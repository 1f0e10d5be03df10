import CPlatform
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

  /// Where the bytes of each significance begin.
  typealias Planes = InlineArray<8, UnsafePointer<UInt8>>

  /// The inverse of ``split(_:dtype:into:)``, for planes that may lie apart; those beyond the element's size are not read.
  static func join(_ planes: Planes, dtype: DType, into elements: UnsafeMutableRawBufferPointer) {
    let count = elements.count / dtype.size
    guard count > 0, let out = elements.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let rotation: Int32 = dtype.isFloatingPoint ? 1 : 0
    switch dtype.size {
    case 8: join(planes, UInt64.self, rotation, 0..<count, elements)
    case 4:
      let done = nnp_join_4(planes[0], planes[1], planes[2], planes[3], count, rotation, out)
      join(planes, UInt32.self, rotation, done..<count, elements)
    case 2:
      join(
        planes, UInt16.self, rotation, nnp_join_2(planes[0], planes[1], count, rotation, out)..<count,
        elements)
    default: elements.copyMemory(from: UnsafeRawBufferPointer(start: planes[0], count: elements.count))
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
    _ planes: Planes, _: Word.Type, _ rotation: Int32, _ range: Range<Int>,
    _ elements: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Word>.size
    let top = Word(truncatingIfNeeded: Word.bitWidth - 1)
    for index in range {
      var word: Word = 0
      for plane in 0..<size {
        word |= Word(truncatingIfNeeded: planes[plane][index]) &<< Word(truncatingIfNeeded: 8 * plane)
      }
      if rotation > 0 { word = (word &>> 1) | (word &<< top) }
      elements.storeBytes(of: word.littleEndian, toByteOffset: index * size, as: Word.self)
    }
  }
}
