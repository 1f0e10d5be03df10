import CPlatform
import NNFormat
import NNGraph

/// Where the self-test vectors are: they may be larger than a small model, and few programs ever run them.
enum StoredSelfTests: Sendable {
  case vectors([SelfTest])
  /// In a file, to be read when they are wanted.
  case file(MappedFile, ReadLimits)
}

extension Model {
  /// Inputs with the outputs that they must give. Those of a file are read each time.
  ///
  /// - Throws: what ``ModelFile/selfTests(in:for:limits:)`` throws.
  public func selfTests() throws(NNError) -> [SelfTest] {
    switch storedSelfTests {
    case .vectors(let vectors): return vectors
    case .file(let file, let limits):
      return try withExtendedLifetime(file) { () throws(NNError) in
        try ModelFile.selfTests(in: file.bytes, for: graph, limits: limits)
      }
    }
  }

  /// Runs the file's self-test vectors and compares every bit.
  ///
  /// - Throws: ``ErrorCode/selfTestFailed`` naming the vector, the output and the first element that differs, with both
  ///   values; ``ErrorCode/invalidState`` if the file has no vectors; what
  ///   ``selfTests()`` throws.
  public func selfTest(options: Session.Options = Session.Options()) throws(NNError) {
    let selfTests = try selfTests()
    guard !selfTests.isEmpty else {
      throw NNError(.invalidState, "the file has no self-test vectors")
    }
    for (number, test) in selfTests.enumerated() {
      // A session of its own, so that no state is carried over from the vector before.
      let session = try Session(self, options: options)
      let results = try session(test.inputs)
      for (index, (result, expected)) in zip(results, test.outputs).enumerated() {
        let place = "self-test vector \(number), output " + graph[graph.outputs[index]].name.quoted
        guard result.type == expected.type else {
          throw NNError(
            .selfTestFailed,
            place + ": is \(result.dtype.name) \(result.shape.description), the file records "
              + "\(expected.dtype.name) \(expected.shape.description)")
        }
        if let element = Model.firstDifference(result, expected) {
          throw NNError(
            .selfTestFailed,
            place + ": element \(element) is \(Model.describe(result, element)), the file records "
              + Model.describe(expected, element))
        }
      }
    }
  }

  /// The first element whose bits differ; NaNs are equal to each other.
  private static func firstDifference(_ a: Tensor, _ b: Tensor) -> Int? {
    let size = a.dtype.size
    for element in 0..<a.elementCount {
      let offset = element * size
      if memcmp(a.bytes.baseAddress! + offset, b.bytes.baseAddress! + offset, size) == 0 { continue }
      if a.dtype == .f32, float(a, element).isNaN, float(b, element).isNaN { continue }
      return element
    }
    return nil
  }

  private static func float(_ tensor: Tensor, _ element: Int) -> Float {
    tensor.bytes.loadUnaligned(fromByteOffset: element * 4, as: Float.self)
  }

  private static func describe(_ tensor: Tensor, _ element: Int) -> String {
    var bits: UInt64 = 0
    for byte in 0..<tensor.dtype.size {
      bits |= UInt64(tensor.bytes[element * tensor.dtype.size + byte]) << (8 * UInt64(byte))
    }
    let digits = tensor.dtype.size * 2
    var hexadecimal = ""
    for digit in 0..<digits {
      let nibble = UInt8(truncatingIfNeeded: bits >> (4 * UInt64(digits - 1 - digit))) & 15
      hexadecimal.unicodeScalars.append(Unicode.Scalar(nibble < 10 ? 48 + nibble : 87 + nibble))
    }
    let value = tensor.dtype == .f32 ? decimal(float(tensor, element)) + " " : ""
    return value + "(bits 0x" + hexadecimal + ")"
  }

  /// Nine significant digits, through the C library.
  private static func decimal(_ value: Float) -> String {
    var buffer: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
    return withUnsafeMutableBytes(of: &buffer) { bytes in
      nnp_format_float(value, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
      return String(cString: bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}
