import Files
import NNFormat
import NNGraph
import NNPasses
import NumPyFiles

extension NamedTensor {
  /// The tensors of a file, which is told by its first bytes, as they are:
  /// - `.nnrt`: its constants that have a name, those of bodies included;
  /// - `.safetensors`;
  /// - `.npz`.
  ///
  /// - Throws: ``ErrorCode/fileAccess``; ``ErrorCode/corruptFile`` and others naming the file and the tensor at fault.
  public static func read(path: String) throws(NNError) -> [NamedTensor] {
    let beginning = try beginning(of: path)
    if beginning == Array("NNRT".utf8) {
      return try WholeFile.read(path) { (bytes) throws(NNError) in
        try ModelFile.decode(bytes, keptAliveBy: nil).graph.namedTensors()
      }
    }
    if beginning.prefix(2) == [UInt8(ascii: "P"), UInt8(ascii: "K")] {
      return try NPZFile.read(path: path).map { NamedTensor(name: $0.name, tensor: $0.tensor) }
    }
    return try WholeFile.read(path) { (bytes) throws(NNError) in try SafetensorsFile.decode(bytes) }
  }

  /// Whether a file begins as `.nnrt` files do.
  public static func isModel(path: String) throws(NNError) -> Bool {
    try beginning(of: path) == Array("NNRT".utf8)
  }

  private static func beginning(of path: String) throws(NNError) -> [UInt8] {
    try WholeFile.read(path) { (bytes) throws(NNError) in Array(bytes.prefix(4)) }
  }
}

extension Graph {
  /// The constants that have a name, each once, row-major.
  fileprivate func namedTensors() throws(NNError) -> [NamedTensor] {
    var tensors: [NamedTensor] = []
    var known: Set<String> = []
    for graph in withBodies {
      for value in graph.values {
        guard let constant = value.constant, !value.name.isEmpty, known.insert(value.name.string).inserted
        else { continue }
        let plain =
          constant.layout != .rowMajor
          ? try constant.floats.map { (floats) throws(NNError) in
            try Tensor(floats, extents: constant.extents)
          } : constant
        tensors.append(NamedTensor(name: value.name.string, tensor: plain ?? constant))
      }
    }
    return tensors
  }
}
