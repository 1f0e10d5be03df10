import Files
import NNGraph

/// Inputs of a model with the outputs that it should give, in a folder of files as ONNX's model zoo lays them out: `input_0.pb`,
/// `output_0.pb` and so on, each a serialised TensorProto.
public struct OnnxDataSet: Sendable {
  /// The folder's name.
  public let name: String
  public let inputs: [Tensor]
  public let outputs: [Tensor]

  /// The sets in the folders `test_data_set_*` beside a model, by name.
  ///
  /// - Throws: ``ErrorCode/fileAccess``, or ``ErrorCode/invalidGraph`` naming the file that is no tensor.
  public static func beside(model path: String) throws(NNError) -> [OnnxDataSet] {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    var sets: [OnnxDataSet] = []
    for name in try WholeFile.names(inFolder: folder)
    where name.hasPrefix("test_data_set_") && WholeFile.isFolder(folder + name) {
      sets.append(try OnnxDataSet(name: name, path: folder + name))
    }
    return sets
  }

  private init(name: String, path: String) throws(NNError) {
    self.name = name
    inputs = try OnnxDataSet.tensors(path + "/input_")
    outputs = try OnnxDataSet.tensors(path + "/output_")
  }

  /// The tensors of the files 0, 1, … as far as there are any.
  private static func tensors(_ prefix: String) throws(NNError) -> [Tensor] {
    var tensors: [Tensor] = []
    while let tensor = try WholeFile.readIfPresent("\(prefix)\(tensors.count).pb", tensor) {
      tensors.append(tensor)
    }
    return tensors
  }

  private static func tensor(_ bytes: UnsafeRawBufferPointer) throws(NNError) -> Tensor {
    do {
      return try OnnxTensorProto(serializedBytes: bytes).tensor(externalData: ExternalData(folder: nil))
    } catch let error as NNError {
      throw error
    } catch {
      throw NNError(.invalidGraph, Message(text: "not a tensor: \(error)"))
    }
  }
}
