import NNGraph
import NNTraining

// Layers over sequences (N, T, D)
extension LayerKind {
  static let recurrent: [LayerKind] = [
    LayerKind("simple_rnn") { (f) throws(NNError) in
      let layer = SimpleRNN(
        try f.int("units"), returnsSequences: try f.flag("sequences", or: false),
        activation: try f.activation(or: .tanh), maskValue: try f.maskValue())
      return try f.flag("bidirectional", or: false) ? Bidirectional(layer) : layer
    },
    LayerKind("lstm") { (f) throws(NNError) in
      let layer = LSTM(
        try f.int("units"), returnsSequences: try f.flag("sequences", or: false),
        maskValue: try f.maskValue())
      return try f.flag("bidirectional", or: false) ? Bidirectional(layer) : layer
    },
    LayerKind("gru") { (f) throws(NNError) in
      let layer = GRU(
        try f.int("units"), returnsSequences: try f.flag("sequences", or: false),
        maskValue: try f.maskValue())
      return try f.flag("bidirectional", or: false) ? Bidirectional(layer) : layer
    },
  ]

  static let attention: [LayerKind] = [
    LayerKind("multi_head_attention") { (f) throws(NNError) in
      MultiHeadAttention(
        heads: try f.int("heads", in: 1...1024), isCausal: try f.flag("causal", or: false),
        isRotary: try f.flag("rotary", or: false), dropout: try f.rate("dropout", or: 0),
        useBias: try f.flag("bias", or: true), cacheLength: try f.int("cache_length", or: 256))
    },
    LayerKind("transformer_encoder") { (f) throws(NNError) in
      TransformerEncoderBlock(
        heads: try f.int("heads", in: 1...1024), hidden: try f.int("hidden"),
        activation: try f.activation(or: .gelu), dropout: try f.rate("dropout", or: 0),
        norm: try f.choice("norm", [("pre", .pre), ("post", .post)], or: .pre),
        isCausal: try f.flag("causal", or: false), isRotary: try f.flag("rotary", or: false),
        cacheLength: try f.int("cache_length", or: 256))
    },
    LayerKind("learned_positions") { (f) throws(NNError) in
      LearnedPositions(
        try f.int("length"), initializer: try f.initializer(or: .normal(standardDeviation: 0.02)))
    },
    LayerKind("sinusoidal_positions") { (f) throws(NNError) in
      SinusoidalPositions(try f.int("length", or: 1024))
    },
  ]
}

extension Fields {
  fileprivate func maskValue() throws(NNError) -> Float? {
    value("mask_value") == nil ? nil : try float("mask_value")
  }
}
