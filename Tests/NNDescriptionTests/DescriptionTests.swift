import Foundation
import JSONFiles
import NNGraph
import NNTraining
import Testing

@testable import NNDescription

private func describe(_ layers: String, more: String = "") throws(NNError) -> ModelDescription {
  try ModelDescription(text: "{\"layers\": [\(layers)]\(more)}", name: "m.json")
}

private func message(_ layers: String, more: String = "") -> String {
  do throws(NNError) {
    _ = try describe(layers, more: more)
    return "no error"
  } catch {
    return error.message
  }
}

/// What a model's parameters are called and shaped, and what it gives for a sample.
private func trace(_ model: any Layer, _ sample: [Int]) throws(NNError) -> (
  parameters: [String], output: [Int]
) {
  let trainer = try Trainer(
    model, sampleShape: sample, loss: .meanSquaredError, optimizer: SGD(), seed: 1)
  return (
    trainer.parameters.map { $0.name.string + Shape($0.extents).description }, trainer.outputShape
  )
}

@Suite struct DescriptionTests {
  @Test func aDescriptionIsTheModelWrittenInSwift() throws {
    let described = try describe(
      """
      {"type": "conv2d", "filters": 8, "kernel": [3, 5], "padding": "same", "activation": "relu", "bias": false},
      {"type": "batch_norm", "momentum": 0.2},
      {"type": "residual",
       "body": [{"type": "conv2d", "filters": 12, "kernel": 3, "stride": 2, "padding": 1}],
       "shortcut": [{"type": "conv2d", "filters": 12, "kernel": 1, "stride": 2}]},
      {"type": "parallel", "branches": [
        [{"type": "conv2d", "filters": 4, "kernel": 1}, {"type": "gelu"}], {"type": "max_pool2d", "size": 1}]},
      {"type": "network", "name": "head", "layers": [
        {"type": "global_average_pool2d"}, {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 7, "activation": {"type": "leaky_relu", "slope": 0.2}},
        {"type": "dense", "units": 3, "initializer": {"type": "normal", "standard_deviation": 0.02}}]}
      """)
    let written = Sequential {
      Conv2D(8, kernelSize: Extent2D(3, 5), padding: .same, activation: .relu, useBias: false)
      BatchNorm(momentum: 0.2)
      Residual {
        Conv2D(12, kernelSize: 3, strides: 2, padding: .explicit(1, 1))
      } shortcut: {
        Conv2D(12, kernelSize: 1, strides: 2)
      }
      Parallel {
        Sequential {
          Conv2D(4, kernelSize: 1)
          Activation.gelu
        }
        MaxPool2D(1)
      }
      Network("head") {
        GlobalAveragePool2D()
        Dropout(0.5)
        Dense(7, activation: .leakyRelu(slope: 0.2))
        Dense(3, initializer: .normal(standardDeviation: 0.02))
      }
    }
    #expect(!described.addsOutputLayer)
    let data = try Dataset(
      features: (0..<20 * 2 * 8 * 8).map { Float(($0 * 7919) % 101) / 50 - 1 }, sampleShape: [2, 8, 8],
      targets: .classes((0..<20).map { $0 % 3 }))
    var bits: [[[UInt32]]] = []
    for model in [described.model(outputs: 3), written] {
      let trainer = try Trainer(
        model, sampleShape: [2, 8, 8], loss: .softmaxCrossEntropy, optimizer: Adam(), seed: 5)
      try trainer.fit(data, epochs: 2, batchSize: 10)
      bits.append(trainer.parameters.map { $0.values.map { $0.bitPattern } })
    }
    #expect(bits[0] == bits[1])
  }

  /// Each type of layer with its keys, on a sample it takes: what its parameters are, and what it gives.
  private static let layers: [(json: String, sample: [Int], parameters: [String], output: [Int])] = [
    (
      #"{"type": "dense", "units": 4, "bias_initializer": "ones"}"#, [3],
      ["dense_1.weight(3, 4)", "dense_1.bias(4)"], [4]
    ),
    (#"{"type": "embedding", "count": 9, "dimension": 5}"#, [6], ["embedding_1.weight(9, 5)"], [6, 5]),
    (#"{"type": "flatten"}"#, [2, 3], [], [6]),
    (#"{"type": "reshape", "shape": [3, 2]}"#, [6], [], [3, 2]),
    (#"{"type": "permute", "axes": [2, 1]}"#, [2, 3], [], [3, 2]),
    (#"{"type": "rescaling", "scale": 0.5, "offset": 1}"#, [2], [], [2]),
    (#"{"type": "standardization", "mean": [1, 2], "inverse_deviation": [1, 0.5]}"#, [2], [], [2]),
    (#"{"type": "normalization", "minimum": [1, 2], "scale": [1, 0.5], "offset": -1}"#, [2], [], [2]),
    (#"{"type": "sequential", "layers": [{"type": "relu"}]}"#, [2], [], [2]),
    (
      #"{"type": "conv1d", "filters": 4, "kernel": 3, "padding": "causal", "dilation": 2}"#, [2, 9],
      ["conv1d_1.weight(4, 2, 1, 3)", "conv1d_1.bias(4)"], [4, 9]
    ),
    (
      #"{"type": "conv3d", "filters": 2, "kernel": 3, "padding": [1, 0, 0], "stride": 1}"#, [1, 4, 5, 5],
      ["conv3d_1.weight(3, 2, 1, 3, 3)", "conv3d_1.bias(2)"], [2, 4, 3, 3]
    ),
    (
      #"{"type": "conv_transpose1d", "filters": 2, "kernel": 4, "stride": 2, "padding": 1}"#, [3, 5],
      ["convtranspose1d_1.weight(3, 2, 1, 4)", "convtranspose1d_1.bias(2)"], [2, 10]
    ),
    (
      #"{"type": "conv_transpose2d", "filters": 2, "kernel": 4, "stride": 2, "padding": 1}"#, [3, 5, 5],
      ["convtranspose2d_1.weight(3, 2, 4, 4)", "convtranspose2d_1.bias(2)"], [2, 10, 10]
    ),
    (
      #"{"type": "depthwise_conv2d", "kernel": 3, "multiplier": 2}"#, [3, 5, 5],
      ["depthwiseconv2d_1.weight(6, 1, 3, 3)", "depthwiseconv2d_1.bias(6)"], [6, 3, 3]
    ),
    (
      #"{"type": "separable_conv2d", "filters": 5, "kernel": 3, "padding": "same"}"#, [3, 5, 5],
      ["depthwiseconv2d_1.weight(3, 1, 3, 3)", "conv2d_1.weight(5, 3, 1, 1)", "conv2d_1.bias(5)"], [5, 5, 5]
    ),
    (#"{"type": "max_pool1d", "size": 3, "stride": 1, "padding": 1}"#, [2, 9], [], [2, 9]),
    (#"{"type": "average_pool1d"}"#, [2, 9], [], [2, 4]),
    (#"{"type": "max_pool2d", "size": [1, 2]}"#, [2, 6, 6], [], [2, 6, 3]),
    (
      #"{"type": "average_pool2d", "size": 3, "stride": 2, "padding": "same", "counts_padding": true}"#,
      [2, 6, 6], [], [2, 3, 3]
    ),
    (#"{"type": "global_average_pool1d"}"#, [2, 6], [], [2]),
    (#"{"type": "global_max_pool1d"}"#, [2, 6], [], [2]),
    (#"{"type": "global_max_pool2d"}"#, [2, 6, 6], [], [2]),
    (#"{"type": "adaptive_average_pool2d", "size": 4}"#, [2, 6, 6], [], [2, 4, 4]),
    (#"{"type": "adaptive_max_pool2d", "size": [2, 3]}"#, [2, 6, 6], [], [2, 2, 3]),
    (#"{"type": "upsampling2d", "factor": 3, "interpolation": "bilinear"}"#, [2, 2, 2], [], [2, 6, 6]),
    (#"{"type": "zero_padding2d", "padding": [1, 2]}"#, [2, 2, 2], [], [2, 4, 6]),
    (
      #"{"type": "layer_norm", "epsilon": 0.001}"#, [3], ["layernorm_1.weight(3)", "layernorm_1.bias(3)"], [3]
    ),
    (
      #"{"type": "group_norm", "groups": 2}"#, [4, 3], ["groupnorm_1.weight(4)", "groupnorm_1.bias(4)"],
      [4, 3]
    ),
    (
      #"{"type": "instance_norm"}"#, [4, 3], ["instancenorm_1.weight(4)", "instancenorm_1.bias(4)"], [4, 3]
    ),
    (#"{"type": "rms_norm"}"#, [3], ["rmsnorm_1.weight(3)"], [3]),
    (#"{"type": "spatial_dropout", "rate": 0.2}"#, [4, 3], [], [4, 3]),
    (#"{"type": "gaussian_noise", "standard_deviation": 0.1}"#, [4], [], [4]),
    (
      #"{"type": "simple_rnn", "units": 4, "activation": "relu"}"#, [5, 3],
      ["simplernn_1.weight(3, 4)", "simplernn_1.recurrent_weight(4, 4)", "simplernn_1.bias(4)"], [4]
    ),
    (
      #"{"type": "lstm", "units": 4, "sequences": true, "mask_value": 0}"#, [5, 3],
      ["lstm_1.weight(3, 16)", "lstm_1.recurrent_weight(4, 16)", "lstm_1.bias(16)"], [5, 4]
    ),
    (
      #"{"type": "gru", "units": 2, "bidirectional": true}"#, [5, 3],
      [
        "gru_1.weight(3, 6)", "gru_1.recurrent_weight(2, 6)", "gru_1.bias(6)", "gru_1.recurrent_bias(6)",
        "gru_2.weight(3, 6)", "gru_2.recurrent_weight(2, 6)", "gru_2.bias(6)", "gru_2.recurrent_bias(6)",
      ], [4]
    ),
    (
      #"{"type": "multi_head_attention", "heads": 2, "causal": true, "rotary": true, "bias": false, "dropout": 0.1}"#,
      [5, 4],
      [
        "attention_1.query_weight(4, 4)", "attention_1.key_weight(4, 4)", "attention_1.value_weight(4, 4)",
        "attention_1.output_weight(4, 4)",
      ], [5, 4]
    ),
    (#"{"type": "learned_positions", "length": 8}"#, [5, 4], ["positions_1.weight(8, 4)"], [5, 4]),
    (#"{"type": "sinusoidal_positions"}"#, [5, 4], [], [5, 4]),
    (#"{"type": "prelu", "initial_slope": 0.1}"#, [4], ["prelu_1.weight(4)"], [4]),
    (#"{"type": "elu", "scale": 2}"#, [4], [], [4]),
    (#"{"type": "leaky_relu", "slope": 0.3}"#, [4], [], [4]),
    (#"{"type": "softmax", "axis": -1}"#, [4], [], [4]),
    (#"{"type": "activation", "function": "gelu_tanh"}"#, [4], [], [4]),
  ]

  @Test func everyTypeOfLayerIsMade() throws {
    for (json, sample, parameters, output) in DescriptionTests.layers {
      let described = try describe(json, more: ", \"output\": \"none\"")
      let traced = try trace(described.model(outputs: 1), sample)
      #expect(traced.parameters == parameters && traced.output == output, "\(json): \(traced)")
    }
    let plain = [
      "relu", "gelu", "silu", "softplus", "sigmoid", "tanh", "selu", "mish", "hard_sigmoid", "hard_swish",
    ]
    for type in plain {
      let traced = try trace(
        try describe("{\"type\": \"\(type)\"}", more: ", \"output\": \"none\"").model(outputs: 1), [3])
      #expect(traced.parameters.isEmpty && traced.output == [3])
    }
    // What the tables and the models above have between them is everything there is.
    let tested = DescriptionTests.layers.map { $0.json.split(separator: "\"")[3] }.map { String($0) } + plain
    let models = [
      "conv2d", "batch_norm", "residual", "parallel", "network", "global_average_pool2d", "dropout",
      "transformer_encoder",
    ]
    #expect(Set(ModelDescription.layerTypes) == Set(tested + models))
    #expect(ModelDescription.layerTypes.count == Set(ModelDescription.layerTypes).count)
  }

  @Test func parametersOfLayersReachTheModel() throws {
    func value(_ layer: String, _ input: [Float]) throws -> [Float] {
      let described = try describe(layer, more: ", \"output\": \"none\"")
      let trainer = try Trainer(
        described.model(outputs: 1), sampleShape: [input.count], loss: .meanSquaredError, optimizer: SGD(),
        seed: 1)
      return try trainer.predict(input)
    }
    #expect(try value(#"{"type": "rescaling", "scale": 0.5, "offset": 1}"#, [2, -4]) == [2, -1])
    #expect(try value(#"{"type": "leaky_relu", "slope": 0.5}"#, [2, -4]) == [2, -2])
    #expect(
      try value(#"{"type": "standardization", "mean": [1, 2], "inverse_deviation": [1, 0.5]}"#, [2, 4]) == [
        1, 1,
      ])
    let dense =
      #"{"type": "dense", "units": 2, "initializer": {"type": "constant", "value": 3}, "bias_initializer": "ones", "activation": {"type": "leaky_relu", "slope": 0.5}}"#
    #expect(try value(dense, [1, -2]) == [-1, -1])
    #expect(
      try value(#"{"type": "dense", "units": 1, "initializer": "ones", "bias": false}"#, [1, 4]) == [5])
  }

  @Test func mistakesAreNamedWithTheirPlace() {
    let cases: [(String, String)] = [
      (
        #"{"type": "conv2d", "filters": 8, "kernel": 0}"#,
        "m.json: layers[0].kernel: 0 instead of a whole number in 1…4096"
      ),
      (
        #"{"type": "relu"}, {"type": "conv2d", "filters": 8, "kernel": [3]}"#,
        "m.json: layers[1].kernel: 1 numbers instead of one or two: height and width"
      ),
      (
        #"{"type": "conv2d", "filters": 8, "kernel": [3, 1.5]}"#,
        "m.json: layers[0].kernel[1]: 1.5 instead of a whole number in 1…4096"
      ),
      (
        #"{"type": "dense", "unit": 8}"#,
        "m.json: layers[0].units: is missing, but \"unit\" is: is that meant?"
      ),
      (#"{"type": "dense"}"#, "m.json: layers[0].units: is missing"),
      (
        #"{"type": "residual", "body": [{"type": "dense", "units": "8"}]}"#,
        "m.json: layers[0].body[0].units: \"8\" instead of a whole number in 1…1048576"
      ),
      (#"{"type": "dropout", "rate": 1}"#, "m.json: layers[0].rate: 1 instead of a number in 0.0…0.999"),
      (#"{"type": "dense", "units": 8, "bias": 1}"#, "m.json: layers[0].bias: 1 instead of true or false"),
      (#"7"#, "m.json: layers[0]: 7 instead of an object"),
      (#"{"units": 8}"#, "m.json: layers[0].type: is missing"),
      (
        #"{"type": "dense", "units": 1e300}"#,
        "m.json: layers[0].units: 1e+300 instead of a whole number in 1…1048576"
      ),
      (
        #"{"type": "parallel", "branches": []}"#,
        "m.json: layers[0].branches: an array instead of an array of branches"
      ),
    ]
    for (json, expected) in cases { #expect(message(json) == expected) }
  }

  @Test func misspeltNamesAreAnsweredWithTheNearest() {
    #expect(
      message(#"{"type": "convd2"}"#).hasPrefix(
        "m.json: layers[0].type: unknown layer \"convd2\"; did you mean \"conv2d\"? There are dense, "))
    #expect(
      message(#"{"type": "dense", "units": 3, "activaton": "relu"}"#)
        == "m.json: layers[0]: unknown key \"activaton\"; did you mean \"activation\"? There are type, units, activation, bias, initializer, bias_initializer"
    )
    #expect(
      message(#"{"type": "dense", "units": 3, "activation": "rleu"}"#).contains("did you mean \"relu\"?"))
    #expect(
      message(#"{"type": "dense", "units": 3, "initializer": "he"}"#).contains(
        "There are zeros, ones, glorot_uniform"))
    #expect(
      message("", more: ", \"optimiser\": 1").hasPrefix(
        "m.json: unknown key \"optimiser\"; There are layers, "))
    #expect(Spelling.distance(Array("kernel".utf8), Array("kernle".utf8)) == 1)
    #expect(Spelling.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(Spelling.nearest("zzzzzz", among: ["relu", "tanh"]) == nil)
  }

  @Test func textThatIsNoModelIsRefused() {
    #expect(
      message("{\"type\": \"relu\"},\n {\"type\" \"relu\"}")
        == "m.json:2:10: a colon is expected after a key")
    for text in ["", "[]", "{}", "{\"layers\": {}}"] {
      #expect(throws: NNError.self) { try ModelDescription(text: text) }
    }
    let error = #expect(throws: NNError.self) { try ModelDescription(path: "/no/such/model.json") }
    #expect(error?.code == .fileAccess)
  }

  @Test func depthIsLimited() {
    func nested(_ depth: Int) -> String {
      String(repeating: "{\"type\": \"sequential\", \"layers\": [", count: depth) + "{\"type\": \"relu\"}"
        + String(repeating: "]}", count: depth)
    }
    #expect(message(nested(15)) == "no error")
    #expect(message(nested(16)).contains("17 deep, of at most 16"))
    #expect(message(nested(100_000)).contains("more than 128 arrays and objects"))
  }

  @Test func shapesThatDoNotFitAreNamedWithTheirPlace() throws {
    let model = try describe(
      #"{"type": "dense", "units": 6}, {"type": "residual", "body": [{"type": "relu"}, {"type": "conv2d", "filters": 2, "kernel": 3}]}"#
    ).model(outputs: 2)
    let error = #expect(throws: NNError.self) { try trace(model, [4]) }
    let text = try #require(error).message
    #expect(
      text.hasPrefix("layers[1].body[1]: layer \"conv2d_1\" (input (N, 6)): takes (N, C, H, W), not (N, 6)"),
      "\(text)")
  }

  @Test func anOutputLayerIsAddedUnlessThereIsOne() throws {
    for (layers, more, adds) in [
      (#"{"type": "dense", "units": 8, "activation": "relu"}"#, "", true),
      (#"{"type": "dense", "units": 8}"#, "", false),
      (#"{"type": "network", "name": "n", "layers": [{"type": "dense", "units": 8}]}"#, "", false),
      (#"{"type": "dense", "units": 8}, {"type": "relu"}"#, "", true), ("", "", true),
      ("", ", \"output\": \"none\"", false),
    ] {
      let described = try describe(layers, more: more)
      #expect(described.addsOutputLayer == adds)
    }
    let added = try describe(#"{"type": "max_pool2d"}"#)
    let shape = try trace(added.model(outputs: 5), [1, 4, 4])
    #expect(shape.output == [5] && shape.parameters == ["dense_1.weight(4, 5)", "dense_1.bias(5)"])
    try added.requireOutput([5], of: 5)
    let own = try describe(#"{"type": "dense", "units": 7}"#)
    let error = #expect(throws: NNError.self) { try own.requireOutput([7], of: 10) }
    #expect(
      error?.message
        == "m.json: the last layer gives 7 numbers for each sample, but the data need 10; correct its units, or leave it out: "
        + "an output layer is added then")
  }

  @Test func absurdSizesAreErrors() throws {
    for layers in [
      #"{"type": "reshape", "shape": [1073741824, 1073741824, 1073741824]}"#,
      #"{"type": "upsampling2d", "factor": 64, "interpolation": "bilinear"}, {"type": "upsampling2d", "factor": 64, "interpolation": "bilinear"}"#,
      #"{"type": "adaptive_average_pool2d", "size": 4096}, {"type": "adaptive_average_pool2d", "size": 4096}, {"type": "upsampling2d", "factor": 64, "interpolation": "bilinear"}"#,
      #"{"type": "flatten"}, {"type": "reshape", "shape": [4096, 1]}, {"type": "dense", "units": 1048576}, {"type": "sinusoidal_positions"}"#,
    ] {
      let model = try describe(layers).model(outputs: 2)
      #expect(throws: NNError.self) { try trace(model, [1, 64, 64]) }
    }
  }
}

@Suite struct PresetTests {
  @Test func everyPresetTrainsOnWhatItTakes() throws {
    let shapes: [[Int]] = [[7], [6, 3], [1, 8, 8], [3, 12, 10], [2, 1, 1]]
    for preset in ModelPreset.allCases {
      var taken = 0
      for shape in shapes {
        let size = shape.reduce(1, *)
        let description: ModelDescription
        do throws(NNError) {
          description = try preset.description(sampleShape: shape)
        } catch {
          #expect(error.message.contains("the model takes"))
          continue
        }
        taken += 1
        let data = try Dataset(
          features: (0..<8 * size).map { Float(($0 * 31) % 17) / 17 }, sampleShape: shape,
          targets: .classes([0, 1, 2, 0, 1, 2, 0, 1]))
        let trainer = try Trainer(
          description.model(outputs: 3), sampleShape: shape, loss: .softmaxCrossEntropy, optimizer: Adam(),
          seed: 1)
        try description.requireOutput(trainer.outputShape, of: 3)
        try trainer.fit(data, epochs: 1, batchSize: 8)
        #expect(try trainer.evaluate(data).loss.isFinite)
        // As text it is the same model.
        let again = try ModelDescription(text: description.json.text)
        let copy = try Trainer(
          again.model(outputs: 3), sampleShape: shape, loss: .softmaxCrossEntropy, optimizer: Adam(), seed: 1)
        try copy.fit(data, epochs: 1, batchSize: 8)
        #expect(copy.parameters.map { Array($0.values) } == trainer.parameters.map { Array($0.values) })
      }
      #expect(taken >= 3, "\(preset)")
    }
  }

  @Test func theSuitedPresetTakesTheShape() throws {
    #expect(ModelPreset.suited(to: [5]) == .mlp && ModelPreset.suited(to: [5, 2]) == .gru)
    #expect(ModelPreset.suited(to: [1, 28, 28]) == .cnn)
  }

  @Test func layersStandOnLinesOfTheirOwn() throws {
    let text = try ModelPreset.mlp.description(sampleShape: [4], hidden: [8], dropout: 0.1).json.text
    #expect(
      text == """
        {
          "layers": [
            {"type": "flatten"},
            {"type": "dense", "units": 8, "activation": "relu", "initializer": "he_uniform"},
            {"type": "dropout", "rate": 0.1}
          ]
        }

        """)
    #expect(JSONValue.string("a\"\\\n\u{1}é").text == "\"a\\\"\\\\\\n\\u0001é\"\n")
  }

  @Test func damagedDescriptionsAreReadOrRefused() {
    let whole = Array(#"{"layers": [{"type": "dense", "units": -1.5e3, "x": ["A\n", null, true]}]}"#.utf8)
    for index in whole.indices {
      for byte in [0x00, 0x22, 0x5B, 0x5C, 0x7B, 0x7D, 0xC3] as [UInt8] {
        var damaged = whole
        damaged[index] = byte
        let error = #expect(throws: NNError.self) {
          try ModelDescription(text: String(decoding: damaged, as: UTF8.self))
        }
        #expect(error?.message.isEmpty == false)
      }
    }
  }
}
