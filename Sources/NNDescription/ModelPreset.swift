import JSONFiles
import NNGraph
import NNTraining

/// Models whose sizes follow from the shape of the data, to begin with: each is a description, and can be written down and
/// changed.
public enum ModelPreset: String, CaseIterable, Sendable {
  /// No hidden layer: linear or logistic regression.
  case linear
  /// Dense hidden layers.
  case mlp
  /// Convolutions and pooling, then dense layers: over images, or over the steps of sequences.
  case cnn
  /// Residual blocks with batch normalisation. He et al. 2016, at the size of small images.
  case resnet
  /// A plain recurrent layer over the steps of a sequence.
  case rnn
  case lstm
  case gru
  /// Encoder blocks over the steps of a sequence; over the patches of an image.
  case transformer
  /// The transformer over the patches of an image. Dosovitskiy et al. 2021, at the size of small images.
  case vit

  /// What suits samples of a shape: dense layers for features, convolutions for images (C, H, W), a GRU for sequences (T, F).
  public static func suited(to sampleShape: [Int]) -> ModelPreset {
    switch sampleShape.count {
    case 3: .cnn
    case 2: .gru
    default: .mlp
    }
  }

  /// The preset of a name.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` with the nearest name, and all.
  public static func named(_ name: String) throws(NNError) -> ModelPreset {
    if let preset = ModelPreset(rawValue: name) { return preset }
    let complaint = Spelling.complaint(name, "model", among: allCases.map { $0.rawValue })
    throw NNError(.invalidArgument, Message(text: complaint))
  }

  /// The description.
  ///
  /// - Parameters:
  ///   - sampleShape: (F) features, (T, F) sequences of features, or (C, H, W) images.
  ///   - hidden: units of the dense hidden layers of `mlp` and `cnn`.
  ///   - dropout: the probability of dropping a hidden unit, 0..<1.
  /// - Throws: ``ErrorCode/shapeMismatch`` for samples that the model is not for.
  public func description(sampleShape: [Int], hidden: [Int] = [64, 32], dropout: Float = 0.1) throws(NNError)
    -> ModelDescription
  {
    let layers = PresetLayers(sampleShape, hidden, dropout)
    let list: [JSONValue]
    switch self {
    case .linear: list = [["type": "flatten"]]
    case .mlp: list = layers.dense
    case .cnn: list = try layers.convolutions()
    case .resnet: list = try layers.residuals()
    case .rnn: list = try layers.recurrent("simple_rnn")
    case .lstm: list = try layers.recurrent("lstm")
    case .gru: list = try layers.recurrent("gru")
    case .transformer: list = sampleShape.count == 3 ? try layers.patches() : try layers.tokens()
    case .vit: list = try layers.patches()
    }
    return try ModelDescription(json: ["layers": .array(list)], name: "model \(rawValue)")
  }
}

/// The layers of presets.
private struct PresetLayers {
  let shape: [Int]
  let hidden: [Int]
  let dropout: Float

  init(_ shape: [Int], _ hidden: [Int], _ dropout: Float) {
    self.shape = shape
    self.hidden = hidden
    self.dropout = dropout
  }

  private func fault(_ takes: String) -> NNError {
    NNError(.shapeMismatch, "samples have shape \(Shape(shape).description), the model takes \(takes)")
  }

  private var dropoutLayer: [JSONValue] {
    dropout > 0 ? [["type": "dropout", "rate": .number(Double("\(dropout)") ?? 0)]] : []
  }

  var dense: [JSONValue] {
    var layers: [JSONValue] = [["type": "flatten"]]
    for units in hidden {
      layers.append(
        ["type": "dense", "units": JSONValue(units), "activation": "relu", "initializer": "he_uniform"])
      layers += dropoutLayer
    }
    return layers
  }

  func convolutions() throws(NNError) -> [JSONValue] {
    let isSequence = shape.count == 2
    guard shape.count == 3 || isSequence else {
      throw fault("images (channel, row, column) or sequences (step, feature)")
    }
    // (T, F) becomes (F, T): features are channels.
    var layers: [JSONValue] = isSequence ? [["type": "permute", "axes": [2, 1]]] : []
    let suffix = isSequence ? "1d" : "2d"
    var smallest = isSequence ? shape[0] : min(shape[1], shape[2])
    for filters in [16, 32] {
      layers += [
        [
          "type": .string("conv" + suffix), "filters": JSONValue(filters), "kernel": 3, "padding": "same",
          "bias": false, "initializer": "he_uniform",
        ], ["type": "batch_norm"], ["type": "relu"],
      ]
      // An image of one pixel cannot be made smaller.
      if smallest >= 2 { layers.append(["type": .string("max_pool" + suffix), "size": 2]) }
      smallest /= 2
    }
    return layers + dense
  }

  func residuals() throws(NNError) -> [JSONValue] {
    guard shape.count == 3 else { throw fault("images (channel, row, column)") }
    func convolution(_ filters: Int, kernel: Int = 3, stride: Int = 1) -> JSONValue {
      [
        "type": "conv2d", "filters": JSONValue(filters), "kernel": JSONValue(kernel),
        "stride": JSONValue(stride), "padding": "same", "bias": false, "initializer": "he_normal",
      ]
    }
    var layers: [JSONValue] = [convolution(16), ["type": "batch_norm"], ["type": "relu"]]
    var (channels, smallest) = (16, min(shape[1], shape[2]))
    for filters in [16, 32, 64] {
      for block in 0..<2 {
        let stride = filters != channels && smallest >= 4 ? 2 : 1
        let body: [JSONValue] = [
          convolution(filters, stride: stride), ["type": "batch_norm"], ["type": "relu"],
          convolution(filters), ["type": "batch_norm"],
        ]
        var members: [JSONValue.Member] = [.init("type", "residual"), .init("body", .array(body))]
        if block == 0, filters != channels {
          let shortcut: [JSONValue] = [
            convolution(filters, kernel: 1, stride: stride), ["type": "batch_norm"],
          ]
          members.append(.init("shortcut", .array(shortcut)))
        }
        layers += [.object(members), ["type": "relu"]]
        if stride == 2 { smallest = (smallest + 1) / 2 }
        channels = filters
      }
    }
    return layers + [["type": "global_average_pool2d"]] + dropoutLayer
  }

  /// Brings samples into the form (T, F): the rows of an image are its steps, and features are steps of one number.
  private func steps() throws(NNError) -> [JSONValue] {
    switch shape.count {
    case 1: return [["type": "reshape", "shape": [JSONValue(shape[0]), 1]]]
    case 2: return []
    case 3:
      let (width, overflow) = shape[0].multipliedReportingOverflow(by: shape[2])
      guard !overflow else { throw fault("smaller images") }
      return [
        ["type": "permute", "axes": [2, 1, 3]],
        ["type": "reshape", "shape": [JSONValue(shape[1]), JSONValue(width)]],
      ]
    default: throw fault("features, sequences (step, feature) or images (channel, row, column)")
    }
  }

  func recurrent(_ type: String) throws(NNError) -> [JSONValue] {
    try steps() + [["type": .string(type), "units": 64]] + dropoutLayer
  }

  func tokens() throws(NNError) -> [JSONValue] {
    guard shape.count <= 2, let count = shape.first else {
      throw fault("features or sequences (step, feature)")
    }
    return try steps() + [["type": "dense", "units": 64]] + blocks(count)
  }

  func patches() throws(NNError) -> [JSONValue] {
    guard shape.count == 3 else { throw fault("images (channel, row, column)") }
    let (height, width) = (shape[1], shape[2])
    // About eight patches to a side, each of a size that divides the image.
    let sizes = (1...max(min(height, width), 1)).filter { height % $0 == 0 && width % $0 == 0 }
    let wanted = Double(max(height, width)) / 8
    guard
      let size = sizes.min(by: { (Double($0) - wanted).magnitude < (Double($1) - wanted).magnitude })
    else { throw fault("images of at least a pixel") }
    let (count, overflow) = (height / size).multipliedReportingOverflow(by: width / size)
    guard !overflow, count <= 1 << 14 else {
      throw fault("images whose height and width have a common divisor near an eighth of them, for patches")
    }
    return [
      ["type": "conv2d", "filters": 64, "kernel": JSONValue(size), "stride": JSONValue(size)],
      ["type": "reshape", "shape": [64, JSONValue(count)]], ["type": "permute", "axes": [2, 1]],
    ] + blocks(count)
  }

  /// Two encoder blocks over (count, 64), and the mean over the positions.
  private func blocks(_ count: Int) -> [JSONValue] {
    var block: [JSONValue.Member] = [
      .init("type", "transformer_encoder"), .init("heads", 4), .init("hidden", 128),
    ]
    if dropout > 0 { block.append(.init("dropout", .number(Double("\(dropout)") ?? 0))) }
    return [
      ["type": "learned_positions", "length": JSONValue(count)], .object(block), .object(block),
      ["type": "layer_norm"], ["type": "permute", "axes": [2, 1]], ["type": "global_average_pool1d"],
    ]
  }
}
