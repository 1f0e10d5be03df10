import Files
import NNGraph
import SwiftProtobuf

/// A model as an ONNX file holds it.
public struct OnnxModel {
  var proto: OnnxModelProto
  let externalData: ExternalData
  /// Bytes of the file, without what it keeps in others.
  public let fileSize: Int

  /// - Parameter path: the model's file; what it keeps in other files is looked for in its folder.
  /// - Throws: ``ErrorCode/fileAccess``, or ``ErrorCode/invalidGraph`` if the file is not an ONNX model.
  public init(path: String) throws(NNError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    self = try WholeFile.read(path) { (bytes) throws(NNError) in
      try OnnxModel(bytes: bytes, folder: folder)
    }
  }

  /// - Parameters:
  ///   - bytes: a serialised ModelProto.
  ///   - folder: where files that the model names are looked for; nil to refuse them.
  /// - Throws: ``ErrorCode/invalidGraph`` if the bytes are not an ONNX model.
  public init(bytes: UnsafeRawBufferPointer, folder: String?) throws(NNError) {
    do {
      proto = try OnnxModelProto(serializedBytes: bytes)
    } catch {
      throw NNError(.invalidGraph, Message(text: "not an ONNX model: \(error)"))
    }
    guard proto.hasGraph, proto.hasIrVersion || !proto.opsetImport.isEmpty else {
      throw NNError(.invalidGraph, "not an ONNX model: it has no graph or no version")
    }
    externalData = ExternalData(folder: folder)
    fileSize = bytes.count
  }
}
