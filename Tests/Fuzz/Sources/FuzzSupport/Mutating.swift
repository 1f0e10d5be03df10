// What both mutators use.

@_silgen_name("LLVMFuzzerMutate")
public func libFuzzerMutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int) -> Int

/// A variable-length integer of seven bits a byte, the least significant first, as .nnrt files and protobuf have them; nil for one that is
/// longer than `bits` bits or ends with the bytes.
public func readVarint(_ bytes: ArraySlice<UInt8>, at position: inout Int, bits: UInt64 = 64) -> UInt64? {
  var value: UInt64 = 0
  for shift in stride(from: UInt64(0), to: bits, by: 7) {
    guard position < bytes.endIndex else { return nil }
    let byte = bytes[position]
    position += 1
    value |= UInt64(byte & 0x7F) << shift
    if byte < 0x80 { return value }
  }
  return nil
}

/// Numbers that follow from a seed: Knuth's MMIX generator.
public struct Random {
  private var state: UInt64

  public init(seed: UInt32) { state = UInt64(seed) }

  public mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }

  /// One of the elements, which must not be none.
  public mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
