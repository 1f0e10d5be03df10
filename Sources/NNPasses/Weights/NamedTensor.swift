import NNGraph

/// A row-major tensor with a name, as files of weights hold them.
public struct NamedTensor: Sendable {
  public var name: String
  public var tensor: Tensor

  public init(name: String, tensor: Tensor) {
    self.name = name
    self.tensor = tensor
  }
}

/// What the names of weights that packing changed end in.
public enum WeightName {
  /// The transposed matrix of the weight whose name stands in front.
  public static let transposed = ".T"
  /// Other numbers than those of the weight whose name stands in front: a normalisation has moved into it.
  public static let folded = ".folded"
}

extension Name {
  /// What the transposed matrix is called.
  var transposed: Name {
    let ending = Array(WeightName.transposed.utf8)
    return utf8.count > ending.count && Array(utf8.suffix(ending.count)) == ending
      ? Name(utf8: Array(utf8.dropLast(ending.count))) : appending(WeightName.transposed)
  }

  /// This name with an ending; no name stays none.
  func appending(_ ending: String) -> Name { isEmpty ? self : Name(utf8: utf8 + Array(ending.utf8)) }
}
