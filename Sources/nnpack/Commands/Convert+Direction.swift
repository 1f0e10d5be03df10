import ArgumentParser
import Files
import NNGraph
import NNPasses
import NNTraining

extension Convert {
  /// What becomes what.
  enum Direction {
    /// An ONNX model a .nnrt file.
    case packing
    /// A .nnrt file another one.
    case repacking
    /// A .nnrt file an ONNX model.
    case exporting
  }

  /// What other files end in that nnpack knows.
  private static let otherEndings = [".safetensors", ".npz", ".npy"]

  /// The direction: the input says itself what it is, the output's name what it becomes.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for an output that cannot be made; ``ErrorCode/fileAccess`` for an input that cannot be read.
  static func direction(_ input: String, _ output: String) throws(NNError) -> Direction {
    let name = output.lowercased()
    if let ending = otherEndings.first(where: { name.hasSuffix($0) }) {
      throw NNError(.invalidArgument, "\(output): convert writes .nnrt files and ONNX models, not \(ending)")
    }
    let isModel = try NamedTensor.isModel(path: input)
    guard name.hasSuffix(".onnx") else { return isModel ? .repacking : .packing }
    guard isModel else {
      throw NNError(.invalidArgument, "\(input): only .nnrt files become ONNX models, such as \(output)")
    }
    return .exporting
  }

  /// Throws if an option is given that does not apply to a conversion.
  func requireFittingOptions(_ direction: Direction) throws(ValidationError) {
    let ofImports = [
      ("--input-shape", !inputShape.extents.isEmpty), ("--without", !without.isEmpty),
      ("--check-passes", checkPasses), ("--check", check), ("--tolerance", tolerance != nil),
      ("--python", python != nil),
    ]
    let ofFiles = [
      ("--level", level != nil), ("--self-tests", selfTests != nil),
      ("--test-shape", !testShape.extents.isEmpty), ("--weights", weights != nil),
      ("--weights-from", weightsFrom != nil), ("--map", !map.isEmpty),
    ]
    func refuse(_ options: [(name: String, isGiven: Bool)], _ reason: String) throws(ValidationError) {
      if let first = options.first(where: { $0.isGiven }) {
        throw ValidationError("\(first.name) is \(reason)")
      }
    }
    if direction != .packing { try refuse(ofImports, "for ONNX models that become .nnrt files") }
    if direction == .exporting {
      try refuse(ofFiles, "for .nnrt files that are written, not for ONNX models")
    } else {
      try refuse([("--external-data", externalData)], "for ONNX models that are written")
    }
  }

  /// Throws if the output would be written over what is read.
  func requireApart(_ input: String, _ output: String, _ direction: Direction) throws(NNError) {
    var files = FileRoles()
    // A .nnrt file has been read whole when it is written anew.
    if direction != .repacking { files.reads(input, as: "the model") }
    if let weightsFrom { files.reads(weightsFrom, as: "the file of --weights-from") }
    for path in map where !path.contains("=") { files.reads(path, as: "the file of --map") }
    try files.writes(output, as: "the output")
    if direction == .exporting { try files.writes(output + ".data", as: "the file of constants") }
  }
}
