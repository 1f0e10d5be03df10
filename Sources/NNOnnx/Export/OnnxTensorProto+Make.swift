import FoundationEssentials
import NNGraph

extension OnnxTensorProto {
  /// A tensor without its elements.
  init(_ name: String, _ tensor: Tensor) {
    self.init()
    self.name = name
    dataType = Int32(ElementType.number(tensor.dtype))
    dims = tensor.extents.map { Int64($0) }
  }
}

extension Tensor {
  /// Bytes that the elements take in the standard's order.
  var onnxByteCount: Int {
    let together = 8 / min(dtype.bitWidth, 8)
    return together == 1 ? elementCount * dtype.size : (elementCount + together - 1) / together
  }

  /// The elements in the standard's order: row-major, little-endian, and those of 4 or 2 bits several in a byte, from its low bits up.
  func withOnnxBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    if layout != .rowMajor, let floats { return try floats.withUnsafeBytes(body) }
    guard dtype.bitWidth < 8 else { return try body(bytes) }
    let (width, together) = (dtype.bitWidth, 8 / dtype.bitWidth)
    var packed = [UInt8](repeating: 0, count: onnxByteCount)
    for (index, byte) in bytes.enumerated() {
      packed[index / together] |= (byte & (1 << width - 1)) << UInt8(index % together * width)
    }
    return try packed.withUnsafeBytes(body)
  }
}
