import NNGraph
import NNRuntime

extension Tensor {
  /// This row-major matrix with rows and columns exchanged.
  func transposed() throws(NNError) -> Tensor { try Op.transpose([1, 0]).evaluated([self]) }
}
