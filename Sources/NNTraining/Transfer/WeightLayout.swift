import NNGraph

/// How the weights of a file are laid out and named within their layer.
public enum WeightLayout: Equatable, Sendable {
  /// As this library's layers have them: products are x·W, with W (inputs, outputs).
  case own
  /// As the layers of PyTorch have them. On the way to a parameter
  /// - matrices of dense, recurrent and attention layers, (outputs, inputs) in PyTorch, are transposed; those of embeddings are not;
  /// - kernels of 1-D convolutions (O, I, k) become (O, I, 1, k), those of transposed ones (I, O, k) become (I, O, 1, k); those
  ///   of 3-D convolutions (O, I, kD, kH, kW) become (kD, O, I, kH, kW); those of 2-D convolutions, transposed or not, are the same;
  /// - `running_var` is called `running_variance`, and `num_batches_tracked` is left out.
  ///
  /// Gates of LSTM and GRU have PyTorch's order here too.
  case pyTorch
}

extension WeightLayout {
  /// Whether a weight of that name belongs to no parameter.
  func isIgnored(_ name: String) -> Bool { self == .pyTorch && name.hasSuffix("num_batches_tracked") }

  /// A parameter's name for the one a file's layer gives it.
  func ownName(_ name: String) -> String {
    guard self == .pyTorch, name.hasSuffix(".running_var") else { return name }
    return String(name.dropLast("var".count)) + "variance"
  }

  func fileName(_ name: String) -> String {
    guard self == .pyTorch, name.hasSuffix(".running_variance") else { return name }
    return String(name.dropLast("variance".count)) + "var"
  }

  /// A file's weight as the parameter called `name` has it.
  func own(_ weight: NamedWeights, for name: String) -> NamedWeights {
    guard self == .pyTorch else { return weight }
    switch (WeightLayout.kind(of: name), weight.extents.count) {
    case ("dense", 2), ("simplernn", 2), ("lstm", 2), ("gru", 2), ("attention", 2): return weight.transposed()
    case ("conv1d", 3), ("convtranspose1d", 3):
      var image = weight
      image.extents.insert(1, at: 2)
      return image
    case ("conv3d", 5): return weight.permuted([2, 0, 1, 3, 4])
    default: return weight
    }
  }

  /// The parameter's values as the file's layer has them.
  func file(_ weight: NamedWeights) -> NamedWeights {
    guard self == .pyTorch else { return weight }
    var result: NamedWeights
    switch (WeightLayout.kind(of: weight.name), weight.extents.count) {
    case ("dense", 2), ("simplernn", 2), ("lstm", 2), ("gru", 2), ("attention", 2):
      result = weight.transposed()
    case ("conv1d", 4), ("convtranspose1d", 4):
      result = weight
      result.extents.remove(at: 2)
    case ("conv3d", 5): result = weight.permuted([1, 2, 0, 3, 4])
    default: result = weight
    }
    result.name = fileName(result.name)
    return result
  }

  /// `dense` of `body.dense_2.weight`: the layer's kind, see ``Layer/kind``.
  private static func kind(of parameter: String) -> String {
    let layer = parameter.split(separator: ".").dropLast().last ?? ""
    return String(layer.prefix { $0 != "_" })
  }
}

extension NamedWeights {
  /// A matrix with rows and columns exchanged; anything else as it is.
  public func transposed() -> NamedWeights { extents.count == 2 ? permuted([1, 0]) : self }

  /// The axes in another order: axis i of the result is axis `order[i]`.
  func permuted(_ order: [Int]) -> NamedWeights {
    guard order.count == extents.count, Shape(extents).elementCount == values.count else { return self }
    var steps = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() { steps[axis] = steps[axis + 1] * extents[axis + 1] }
    let newExtents = order.map { extents[$0] }
    var result: [Float] = []
    result.reserveCapacity(values.count)
    var index = [Int](repeating: 0, count: order.count)
    for _ in 0..<values.count {
      var position = 0
      for axis in order.indices { position += index[axis] * steps[order[axis]] }
      result.append(values[position])
      var axis = order.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < newExtents[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
    return NamedWeights(name: name, extents: newExtents, values: result)
  }
}
