import NNGraph

/// How far the elements of a tensor are from those of another that they should equal.
public struct TensorDifference: Sendable {
  /// Of the elements' absolute differences, in parts of ``scale``. A NaN or an infinity beside another number counts as infinite.
  public private(set) var largest = 0.0
  public private(set) var mean = 0.0
  /// The element with the largest difference, and both numbers there.
  public private(set) var element = 0
  public private(set) var numbers = (0.0, 0.0)
  /// The largest finite magnitude of what should be; 1 if all are zero.
  public private(set) var scale = 1.0

  /// No difference.
  public init() {}

  /// - Throws: ``ErrorCode/shapeMismatch`` or ``ErrorCode/dtypeMismatch``; ``ErrorCode/outOfMemory``.
  public init(of tensor: Tensor, from wanted: Tensor) throws(NNError) {
    guard tensor.extents == wanted.extents else {
      throw NNError(
        .shapeMismatch, "has shape \(tensor.shape.description) instead of \(wanted.shape.description)")
    }
    let (ours, theirs) = (try TensorDifference.doubles(tensor), try TensorDifference.doubles(wanted))
    let top = theirs.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    scale = top > 0 ? top : 1
    for (index, (a, b)) in zip(ours, theirs).enumerated() {
      let difference =
        a == b || a.isNaN && b.isNaN ? 0 : a.isFinite && b.isFinite ? abs(a - b) / scale : .infinity
      mean += difference
      if difference > largest {
        largest = difference
        element = index
        numbers = (a, b)
      }
    }
    mean /= Double(max(ours.count, 1))
    // Integers of 64 bits may differ where doubles do not.
    if largest == 0, tensor.dtype == wanted.dtype, tensor.dtype.isInteger,
      !tensor.bytes.elementsEqual(wanted.bytes)
    {
      largest = .leastNormalMagnitude
    }
  }

  /// The worse of two, with the mean of both.
  public static func worst(_ all: [TensorDifference]) -> TensorDifference? {
    guard var worst = all.max(by: { $0.largest < $1.largest }) else { return nil }
    worst.mean = all.reduce(0) { $0 + $1.mean } / Double(all.count)
    return worst
  }

  private static func doubles(_ tensor: Tensor) throws(NNError) -> [Double] {
    let wide = try tensor.cast(to: .f64)
    return withExtendedLifetime(wide) { Array(wide.bytes.bindMemory(to: Double.self)) }
  }
}
