import Files
import FoundationEssentials
import NNGraph

extension OnnxExport {
  /// Bytes of constants above which they go to a file of their own: a message of protobuf has less than 2 GB.
  public static let largestMessage = 1 << 30

  /// Constants of fewer bytes stay in the model's file.
  private static let smallestExternal = 1024

  /// Where tensors begin in a file of their own, so that it can be mapped: a page.
  private static let alignment = 4096

  /// The model as one message.
  ///
  /// - Throws: ``ErrorCode/limitExceeded`` if it is too large for one.
  public func serialized() throws(NNError) -> [UInt8] { try serialized(withData()) }

  /// Writes the model. Each file appears when it is complete: where something fails, none is left that was not there.
  ///
  /// - Parameters:
  ///   - path: the model's file; one for its constants has `.data` behind that.
  ///   - limit: bytes of constants that stay in the model's file.
  /// - Returns: the files, with their sizes.
  /// - Throws: ``ErrorCode/fileAccess`` naming the path.
  public func write(to path: String, constantsOfAtMost limit: Int = largestMessage) throws(NNError)
    -> [(path: String, size: Int)]
  {
    let size = tensors.reduce(0) { $0 + $1.onnxByteCount }
    guard size > limit else {
      let bytes = try serialized()
      try WholeFile.write(bytes, to: path)
      return [(path, bytes.count)]
    }
    let data = try AtomicFile(path + ".data")
    let bytes = try serialized(try withExternalData(data, name: OnnxExport.fileName(data.path)))
    let model = try AtomicFile(path)
    try model.append(bytes)
    try data.commit()
    do throws(NNError) {
      try model.commit()
    } catch {
      data.removeCommitted()
      throw error
    }
    return [(path, bytes.count), (data.path, data.size)]
  }

  private static func fileName(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  private func serialized(_ proto: OnnxModelProto) throws(NNError) -> [UInt8] {
    do {
      return try proto.serializedBytes()
    } catch {
      throw NNError(.limitExceeded, Message(text: "the model cannot be written as one message: \(error)"))
    }
  }

  /// The model with all its constants.
  private func withData() -> OnnxModelProto {
    var proto = proto
    for (index, tensor) in tensors.enumerated() {
      proto.graph.initializer[index].rawData = tensor.withOnnxBytes { Data($0) }
    }
    return proto
  }

  /// The model with its large constants in another file.
  private func withExternalData(_ file: AtomicFile, name: String) throws(NNError) -> OnnxModelProto {
    func entry(_ key: String, _ value: String) -> OnnxStringStringEntryProto {
      var entry = OnnxStringStringEntryProto()
      entry.key = key
      entry.value = value
      return entry
    }
    var proto = proto
    for (index, tensor) in tensors.enumerated() {
      guard tensor.onnxByteCount >= OnnxExport.smallestExternal else {
        proto.graph.initializer[index].rawData = tensor.withOnnxBytes { Data($0) }
        continue
      }
      try file.pad(to: OnnxExport.alignment)
      proto.graph.initializer[index].dataLocation = 1
      proto.graph.initializer[index].externalData = [
        entry("location", name), entry("offset", "\(file.size)"), entry("length", "\(tensor.onnxByteCount)"),
      ]
      var outcome: Result<Void, NNError> = .success(())
      tensor.withOnnxBytes { bytes in
        do throws(NNError) {
          try file.append(bytes)
        } catch {
          outcome = .failure(error)
        }
      }
      try outcome.get()
    }
    return proto
  }
}
