import NNGraph
import NNTraining
import NumPyFiles

/// Held-out samples as files that any program can read.
enum HeldOutSamples {
  /// What files may be called.
  static let fileNames = ["inputs.npy", "labels.npy", "targets.npy", "step-inputs.npy", "step-outputs.npy"]

  static func write(_ data: Dataset, to folder: String) throws(NNError) {
    let extents = [data.count] + data.sampleShape
    if data.inputType == .i64 {
      try write(data.tokens.map { Int64($0) }, .i64, extents, to: folder + "/inputs.npy")
    } else {
      try write(data.features, .f32, extents, to: folder + "/inputs.npy")
    }
    switch data.targets {
    case .classes(let classes):
      try write(classes.map { Int64($0) }, .i64, [data.count], to: folder + "/labels.npy")
    case .positions(let classes, let shape):
      try write(classes.map { Int64($0) }, .i64, [data.count] + shape, to: folder + "/labels.npy")
    case .values(let values, let shape):
      try write(values, .f32, [data.count] + shape, to: folder + "/targets.npy")
    }
  }

  /// Inputs and outputs of a model that was run step by step, each step a row.
  static func write(_ steps: [(input: Tensor, output: Tensor)], to folder: String) throws(NNError) {
    for (name, tensors) in [
      ("step-inputs", steps.map { $0.input }), ("step-outputs", steps.map { $0.output }),
    ] {
      guard let first = tensors.first else { continue }
      var bytes: [UInt8] = []
      for tensor in tensors { bytes += tensor.bytes }
      try write(
        bytes, first.dtype, [tensors.count] + first.extents, to: folder + "/\(name).npy")
    }
  }

  private static func write<Element>(_ values: [Element], _ dtype: DType, _ extents: [Int], to path: String)
    throws(NNError)
  {
    try values.withUnsafeBytes { bytes in
      Result { () throws(NNError) in
        try NPYFile.write(dtype: dtype, extents: extents, bytes: bytes, to: path)
      }
    }.get()
  }
}
