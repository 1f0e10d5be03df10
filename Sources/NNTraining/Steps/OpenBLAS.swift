import COpenBLAS
import NNGraph
import NNRuntime

/// Large matrix products of a training step. Evaluation and export use the runtime's own kernels instead.
enum OpenBLAS {
  /// C (m, n) = A·B over dense row-major matrices; see ``ProductFunction``.
  static let product: ProductFunction = { a, transposesA, b, transposesB, c, m, n, k in
    cblas_sgemm(
      CblasRowMajor, transposesA ? CblasTrans : CblasNoTrans, transposesB ? CblasTrans : CblasNoTrans,
      Int32(truncatingIfNeeded: m), Int32(truncatingIfNeeded: n), Int32(truncatingIfNeeded: k), 1,
      a, Int32(truncatingIfNeeded: transposesA ? m : k), b, Int32(truncatingIfNeeded: transposesB ? k : n),
      0, c, Int32(truncatingIfNeeded: n))
  }

  /// For the whole process. One thread gives the same bits in every run.
  static func setThreads(_ count: Int) {
    openblas_set_num_threads(Int32(clamping: count))
  }

  /// - Throws: ``ErrorCode/limitExceeded`` for a graph with extents beyond OpenBLAS's 32-bit integers.
  static func requireFits(_ graph: Graph) throws(NNError) {
    for value in graph.values where (value.type.shape.elementCount ?? 0) > Int(Int32.max) {
      throw NNError(
        .limitExceeded,
        "value \(value.name.quoted) of shape \(value.type.shape.description) is too large for one training step"
      )
    }
  }
}
