import Files
import NNGraph
import NNPasses

/// Hugging Face's format for tensors with names: eight bytes with the header's length, the header in JSON, and the tensors' bytes,
/// little-endian, one after the other.
///
/// Specification: https://github.com/huggingface/safetensors, README, "Format".
enum SafetensorsFile {
  /// The longest header that other readers take.
  private static let largestHeader = 100_000_000

  /// The tensors in the order of their bytes.
  ///
  /// - Throws: ``ErrorCode/corruptFile`` naming the tensor for lengths that do not fit, bytes that overlap, or bytes that belong to
  ///   none; ``ErrorCode/unsupportedVersion`` for types other than F16, BF16, F32, F64, I8 to I64, U8 and BOOL.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(NNError) -> [NamedTensor] {
    guard bytes.count >= 8 else { throw NNError(.corruptFile, "not a .safetensors file") }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length >= 2, length <= largestHeader, length <= bytes.count - 8, bytes[8] == UInt8(ascii: "{")
    else {
      throw NNError(
        .corruptFile, "not a .safetensors file: a header of \(length) bytes in a file of \(bytes.count)")
    }
    let header = try SafetensorsHeader(parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)]))
    let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(length))...])
    var tensors: [(name: String, dtype: DType, extents: [Int], range: Range<Int>)] = []
    for (name, entry) in header.entries {
      do throws(NNError) {
        let dtype = try dtype(entry.dtype)
        guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[1] >= entry.offsets[0],
          entry.offsets[1] <= data.count
        else {
          throw NNError(
            .corruptFile, "bytes \(entry.offsets.map { "\($0)" }.joined(separator: "..<")) of \(data.count)")
        }
        let size = try Tensor.byteCount(dtype: dtype, extents: entry.shape, layout: .rowMajor)
        guard size == entry.offsets[1] - entry.offsets[0] else {
          throw NNError(
            .corruptFile,
            "\(entry.dtype) \(Shape(entry.shape).description) needs \(size) bytes, the file has \(entry.offsets[1] - entry.offsets[0])"
          )
        }
        tensors.append((name, dtype, entry.shape, entry.offsets[0]..<entry.offsets[1]))
      } catch {
        throw error.within("tensor \"\(name)\"")
      }
    }
    tensors.sort {
      ($0.range.lowerBound, $0.range.upperBound, Name($0.name)) < (
        $1.range.lowerBound, $1.range.upperBound, Name($1.name)
      )
    }
    var end = 0
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        throw NNError(
          .corruptFile,
          tensor.range.lowerBound < end
            ? "tensor \"\(tensor.name)\": its bytes overlap with those of another"
            : "tensor \"\(tensor.name)\": the \(tensor.range.lowerBound - end) bytes in front of it belong to none"
        )
      }
      end = tensor.range.upperBound
    }
    guard end == data.count else {
      throw NNError(.corruptFile, "\(data.count - end) bytes after the last tensor belong to none")
    }
    return try tensors.map { (tensor) throws(NNError) in
      NamedTensor(
        name: tensor.name,
        tensor: try Tensor(
          copying: UnsafeRawBufferPointer(rebasing: data[tensor.range]),
          as: TensorType(tensor.dtype, Shape(tensor.extents))))
    }
  }

  private static func dtype(_ name: String) throws(NNError) -> DType {
    switch name {
    case "F64": return .f64
    case "F32": return .f32
    case "F16": return .f16
    case "BF16": return .bf16
    case "I64": return .i64
    case "I32": return .i32
    case "I16": return .i16
    case "I8": return .i8
    case "U8": return .u8
    case "U16": return .u16
    case "U32": return .u32
    case "U64": return .u64
    case "F8_E4M3": return .f8e4m3fn
    case "F8_E5M2": return .f8e5m2
    case "F8_E8M0": return .f8e8m0
    case "BOOL": return .bool
    default:
      throw NNError(
        .unsupportedVersion,
        "type \(name); F16, BF16, F32, F64, F8_E4M3, F8_E5M2, F8_E8M0, I8, I16, I32, I64, U8, U16, U32, U64 and BOOL are read"
      )
    }
  }

  /// The bytes of a file with all tensors as F32.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for two tensors of one name, one called "__metadata__", or one whose numbers are not
  ///   as many as its extents say.
  static func encode(_ weights: [NamedWeights]) throws(NNError) -> [UInt8] {
    var header = SafetensorsHeader(entries: [:], metadata: ["format": "pt"])
    var data: [UInt8] = []
    for weight in weights {
      guard weight.name != SafetensorsHeader.metadataKey, header.entries[weight.name] == nil else {
        throw NNError(
          .invalidArgument,
          "two tensors are called \"\(weight.name)\", or a name that the format keeps for itself")
      }
      guard Shape(weight.extents).elementCount == weight.values.count else {
        throw NNError(
          .invalidArgument,
          "tensor \"\(weight.name)\" of shape \(Shape(weight.extents).description) has \(weight.values.count) numbers"
        )
      }
      let start = data.count
      for value in weight.values {
        let bits = value.bitPattern
        for shift in [0, 8, 16, 24] as [UInt32] { data.append(UInt8(truncatingIfNeeded: bits >> shift)) }
      }
      header.entries[weight.name] = .init(dtype: "F32", shape: weight.extents, offsets: [start, data.count])
    }
    var text = header.text
    // The tensors begin at a multiple of eight.
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
  }
}
