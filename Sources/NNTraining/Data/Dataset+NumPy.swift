import NNGraph
import NumPyFiles

extension Dataset {
  /// Samples of a NumPy archive: an array of features (N, …) and one of targets.
  ///
  /// Integers as targets, (N) or (N, …), are classes, or a class at each position; fractions are values, those of shape (N) being
  /// one number each. Features of whatever type become f32, unless they are tokens.
  ///
  /// - Parameters:
  ///   - features: the name of the array of features.
  ///   - targets: the name of the array of targets.
  ///   - tokens: whether features are indices, such as words of a text, for a model that takes i64.
  /// - Throws: what ``NPZFile/read(path:names:limit:)`` throws; ``ErrorCode/shapeMismatch`` for arrays of different length,
  ///   ``ErrorCode/dtypeMismatch`` for tokens that are fractions, ``ErrorCode/indexOutOfRange`` for those beyond 32 bits.
  public init(
    npz path: String, features: String = "x", targets: String = "y", tokens: Bool = false
  ) throws(NNError) {
    let arrays = try NPZFile.read(path: path, names: [features, targets])
    guard let x = arrays.first(where: { $0.name == features }),
      let y = arrays.first(where: { $0.name == targets })
    else { throw NNError(.corruptFile, "\(path): an array is missing") }
    do throws(NNError) {
      try self.init(x.tensor, y.tensor, tokens: tokens)
    } catch {
      throw error.within("\(path): arrays \"\(features)\" and \"\(targets)\"")
    }
  }

  /// Samples of a pair of `.npy` files; see ``init(npz:features:targets:tokens:)``.
  public init(npy features: String, targets: String, tokens: Bool = false) throws(NNError) {
    let (x, y) = (try NPYFile.read(path: features), try NPYFile.read(path: targets))
    do throws(NNError) {
      try self.init(x, y, tokens: tokens)
    } catch {
      throw error.within("\(features) and \(targets)")
    }
  }

  private init(_ x: Tensor, _ y: Tensor, tokens: Bool) throws(NNError) {
    guard let count = x.extents.first, y.extents.first == count else {
      throw NNError(
        .shapeMismatch,
        "features \(x.shape.description) and targets \(y.shape.description) do not begin with the same number of samples"
      )
    }
    let shape = Array(y.extents.dropFirst())
    let targets: Targets
    if let classes = Numbers.integers(y) {
      targets = shape.isEmpty ? .classes(classes) : .positions(classes, shape: shape)
    } else {
      targets = .values(Numbers.floats(y.dtype, y.bytes), shape: shape.isEmpty ? [1] : shape)
    }
    // A single number is a sample of one feature.
    let sampleShape = x.extents.count == 1 ? [1] : Array(x.extents.dropFirst())
    guard tokens else {
      try self.init(features: Numbers.floats(x.dtype, x.bytes), sampleShape: sampleShape, targets: targets)
      return
    }
    guard let indices = Numbers.integers(x) else {
      throw NNError(.dtypeMismatch, "tokens are integers, not \(x.dtype.name)")
    }
    var narrow: [Int32] = []
    narrow.reserveCapacity(indices.count)
    for index in indices {
      guard let token = Int32(exactly: index) else {
        throw NNError(.indexOutOfRange, "token \(index) does not fit 32 bits")
      }
      narrow.append(token)
    }
    try self.init(tokens: narrow, sampleShape: sampleShape, targets: targets)
  }
}
