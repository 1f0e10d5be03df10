import NNGraph
import NNTraining

/// A type of layer that descriptions may name, and how it is made of the other keys of its object.
struct LayerKind: Sendable {
  let type: String
  let make: @Sendable (Fields) throws(NNError) -> any Layer

  init(_ type: String, _ make: @escaping @Sendable (Fields) throws(NNError) -> any Layer) {
    self.type = type
    self.make = make
  }

  /// The table of all.
  static let all: [LayerKind] =
    core + composition + convolutions + pooling + norms + regularization + recurrent + attention + activations

  private static let core: [LayerKind] = [
    LayerKind("dense") { (f) throws(NNError) in
      Dense(
        try f.int("units"), activation: try f.activation(), useBias: try f.flag("bias", or: true),
        initializer: try f.initializer(), biasInitializer: try f.initializer("bias_initializer", or: .zeros))
    },
    LayerKind("embedding") { (f) throws(NNError) in
      Embedding(
        try f.int("count", in: 1...1 << 24), dimension: try f.int("dimension"),
        initializer: try f.initializer(or: .normal(standardDeviation: 1)))
    },
    LayerKind("flatten") { _ in Flatten() },
    LayerKind("reshape") { (f) throws(NNError) in Reshape(try f.ints("shape", in: 1...1 << 30)) },
    LayerKind("permute") { (f) throws(NNError) in Permute(try f.ints("axes", in: 1...64)) },
    LayerKind("rescaling") { (f) throws(NNError) in
      Rescaling(scale: try f.float("scale"), offset: try f.float("offset", or: 0))
    },
    LayerKind("standardization") { (f) throws(NNError) in
      Standardization(mean: try f.floats("mean"), inverseDeviation: try f.floats("inverse_deviation"))
    },
    LayerKind("normalization") { (f) throws(NNError) in
      Normalization(
        minimum: try f.floats("minimum"), scale: try f.floats("scale"), offset: try f.float("offset", or: 0))
    },
  ]

  private static let composition: [LayerKind] = [
    LayerKind("sequential") { (f) throws(NNError) in Sequential(try f.layers("layers")) },
    LayerKind("network") { (f) throws(NNError) in Network(try f.string("name"), try f.layers("layers")) },
    LayerKind("residual") { (f) throws(NNError) in
      Residual(body: try f.layers("body"), shortcut: try f.layers("shortcut", isRequired: false))
    },
    LayerKind("parallel") { (f) throws(NNError) in
      let axis = try f.int("axis", or: 1, in: -8...8)
      return Parallel(axis: axis, branches: try f.branches("branches"))
    },
  ]

  private static let norms: [LayerKind] = [
    LayerKind("batch_norm") { (f) throws(NNError) in
      BatchNorm(momentum: try f.float("momentum", or: 0.1, in: 0...1), epsilon: try f.epsilon())
    },
    LayerKind("layer_norm") { (f) throws(NNError) in LayerNorm(epsilon: try f.epsilon()) },
    LayerKind("group_norm") { (f) throws(NNError) in
      GroupNorm(try f.int("groups"), epsilon: try f.epsilon())
    },
    LayerKind("instance_norm") { (f) throws(NNError) in InstanceNorm(epsilon: try f.epsilon()) },
    LayerKind("rms_norm") { (f) throws(NNError) in RMSNorm(epsilon: try f.epsilon()) },
  ]

  private static let regularization: [LayerKind] = [
    LayerKind("dropout") { (f) throws(NNError) in Dropout(try f.rate("rate")) },
    LayerKind("spatial_dropout") { (f) throws(NNError) in SpatialDropout(try f.rate("rate")) },
    LayerKind("gaussian_noise") { (f) throws(NNError) in
      GaussianNoise(try f.float("standard_deviation", in: 0...1e6))
    },
  ]

  private static let activations: [LayerKind] =
    [
      LayerKind("leaky_relu") { (f) throws(NNError) in
        Activation.leakyRelu(slope: try f.float("slope", or: 0.01))
      },
      LayerKind("elu") { (f) throws(NNError) in Activation.elu(scale: try f.float("scale", or: 1)) },
      LayerKind("prelu") { (f) throws(NNError) in
        PReLU(initialSlope: try f.float("initial_slope", or: 0.25))
      },
      LayerKind("selu") { _ in SELU() },
      LayerKind("mish") { _ in Mish() },
      LayerKind("hard_sigmoid") { _ in HardSigmoid() },
      LayerKind("hard_swish") { _ in HardSwish() },
      LayerKind("softmax") { (f) throws(NNError) in
        SoftmaxLayer(axis: try f.int("axis", or: -1, in: -8...8))
      },
      LayerKind("activation") { (f) throws(NNError) in
        _ = try f.required("function")
        return try f.activation("function")
      },
    ]
    + [
      ("relu", Activation.relu), ("gelu", .gelu), ("silu", .silu), ("softplus", .softplus),
      ("sigmoid", .sigmoid),
      ("tanh", .tanh),
    ].map { name, activation in LayerKind(name) { _ in activation } }
}

extension Fields {
  fileprivate func epsilon() throws(NNError) -> Float { try float("epsilon", or: 1e-5, in: 0...1) }

  /// Some layers for each branch: an array of them, or one by itself.
  fileprivate func branches(_ key: String) throws(NNError) -> [any Layer] {
    let value = try required(key)
    guard case .array(let values) = value, !values.isEmpty else {
      throw fault(key, "\(value.kind) instead of an array of branches")
    }
    var branches: [any Layer] = []
    for (index, value) in values.enumerated() {
      let path = place("\(key)[\(index)]")
      if case .array = value {
        branches.append(Sequential(try LayerList.read(value, path: path, depth: depth)))
      } else {
        branches.append(try LayerList.layer(value, path: path, depth: depth + 1))
      }
    }
    return branches
  }

  func rate(_ key: String, or fallback: Float? = nil) throws(NNError) -> Float {
    try float(key, or: fallback, in: 0...0.999)
  }
}
