import NNFormat
import NNGraph
import NNRuntime

/// Brings an array to the type a model takes.
enum InputConversion {
  /// - Throws: ``ErrorCode/dtypeMismatch`` where numbers could change by more than the rounding of a fraction.
  static func convert(_ tensor: Tensor, to dtype: DType, path: String) throws(NNError) -> Tensor {
    if tensor.dtype == dtype { return tensor }
    guard isAllowed(tensor.dtype, dtype) else {
      throw NNError(.dtypeMismatch, "\(path): holds \(tensor.dtype.name) where the model takes \(dtype.name)")
    }
    // A model of one cast, so that there is one arithmetic of casts.
    var graph = Graph(name: "cast")
    let x = graph.addInput("x", tensor.dtype, tensor.shape)
    graph.addOutput(try graph.append(.cast(dtype), [x]), name: "y")
    return try Session(try Model(ModelFile(graph: graph)))([tensor])[0]
  }

  private static func isAllowed(_ from: DType, _ to: DType) -> Bool {
    switch (from, to) {
    case (_, .f32), (.f32, .f64), (.f16, .f64), (.bf16, .f64), (.u8, .bool), (.bool, .u8): true
    case (.i8, .i16), (.u8, .i16), (.bool, .i16): true
    case (.i8, .i32), (.u8, .i32), (.bool, .i32), (.i16, .i32): true
    case (.i8, .i64), (.u8, .i64), (.bool, .i64), (.i16, .i64), (.i32, .i64): true
    default: false
    }
  }
}
