import NNGraph
import NNTraining

// Layers over images, volumes and sequences
extension LayerKind {
  static let convolutions: [LayerKind] = [
    LayerKind("conv1d") { (f) throws(NNError) in
      Conv1D(
        try f.int("filters"), kernelSize: try f.int("kernel", in: 1...4096),
        strides: try f.int("stride", or: 1, in: 1...4096), padding: try f.padding1D(),
        dilation: try f.int("dilation", or: 1, in: 1...4096), groups: try f.int("groups", or: 1),
        activation: try f.activation(), useBias: try f.flag("bias", or: true),
        initializer: try f.initializer())
    },
    LayerKind("conv2d") { (f) throws(NNError) in
      Conv2D(
        try f.int("filters"), kernelSize: try f.pair("kernel"), strides: try f.pair("stride", or: 1),
        padding: try f.padding(), dilation: try f.pair("dilation", or: 1),
        groups: try f.int("groups", or: 1), activation: try f.activation(),
        useBias: try f.flag("bias", or: true), initializer: try f.initializer())
    },
    LayerKind("conv3d") { (f) throws(NNError) in
      Conv3D(
        try f.int("filters"), kernelSize: try f.triple("kernel"), strides: try f.triple("stride", or: 1),
        padding: try f.triple("padding", or: 0, in: 0...4096), activation: try f.activation(),
        useBias: try f.flag("bias", or: true), initializer: try f.initializer())
    },
    LayerKind("conv_transpose1d") { (f) throws(NNError) in
      ConvTranspose1D(
        try f.int("filters"), kernelSize: try f.int("kernel", in: 1...4096),
        strides: try f.int("stride", or: 1, in: 1...4096),
        padding: try f.int("padding", or: 0, in: 0...4096),
        outputPadding: try f.int("output_padding", or: 0, in: 0...4096),
        dilation: try f.int("dilation", or: 1, in: 1...4096), activation: try f.activation(),
        useBias: try f.flag("bias", or: true), initializer: try f.initializer())
    },
    LayerKind("conv_transpose2d") { (f) throws(NNError) in
      ConvTranspose2D(
        try f.int("filters"), kernelSize: try f.pair("kernel"), strides: try f.pair("stride", or: 1),
        padding: try f.pair("padding", or: 0, in: 0...4096),
        outputPadding: try f.pair("output_padding", or: 0, in: 0...4096),
        dilation: try f.pair("dilation", or: 1), activation: try f.activation(),
        useBias: try f.flag("bias", or: true), initializer: try f.initializer())
    },
    LayerKind("depthwise_conv2d") { (f) throws(NNError) in
      DepthwiseConv2D(
        kernelSize: try f.pair("kernel"), strides: try f.pair("stride", or: 1), padding: try f.padding(),
        dilation: try f.pair("dilation", or: 1), multiplier: try f.int("multiplier", or: 1, in: 1...4096),
        activation: try f.activation(), useBias: try f.flag("bias", or: true),
        initializer: try f.initializer())
    },
    LayerKind("separable_conv2d") { (f) throws(NNError) in
      SeparableConv2D(
        try f.int("filters"), kernelSize: try f.pair("kernel"), strides: try f.pair("stride", or: 1),
        padding: try f.padding(), dilation: try f.pair("dilation", or: 1),
        multiplier: try f.int("multiplier", or: 1, in: 1...4096), activation: try f.activation(),
        useBias: try f.flag("bias", or: true), initializer: try f.initializer())
    },
  ]

  static let pooling: [LayerKind] = [
    LayerKind("max_pool1d") { (f) throws(NNError) in
      MaxPool1D(
        try f.int("size", or: 2, in: 1...4096), strides: try f.optionalInt("stride"),
        padding: try f.int("padding", or: 0, in: 0...4096))
    },
    LayerKind("average_pool1d") { (f) throws(NNError) in
      AveragePool1D(
        try f.int("size", or: 2, in: 1...4096), strides: try f.optionalInt("stride"),
        padding: try f.int("padding", or: 0, in: 0...4096),
        countsPadding: try f.flag("counts_padding", or: false))
    },
    LayerKind("max_pool2d") { (f) throws(NNError) in
      let size = try f.pair("size", or: 2)
      return MaxPool2D(size, strides: try f.pair("stride", or: size), padding: try f.padding())
    },
    LayerKind("average_pool2d") { (f) throws(NNError) in
      let size = try f.pair("size", or: 2)
      return AveragePool2D(
        size, strides: try f.pair("stride", or: size), padding: try f.padding(),
        countsPadding: try f.flag("counts_padding", or: false))
    },
    LayerKind("global_average_pool1d") { _ in GlobalAveragePool1D() },
    LayerKind("global_max_pool1d") { _ in GlobalMaxPool1D() },
    LayerKind("global_average_pool2d") { _ in GlobalAveragePool2D() },
    LayerKind("global_max_pool2d") { _ in GlobalMaxPool2D() },
    LayerKind("adaptive_average_pool2d") { (f) throws(NNError) in
      AdaptiveAveragePool2D(try f.pair("size"))
    },
    LayerKind("adaptive_max_pool2d") { (f) throws(NNError) in AdaptiveMaxPool2D(try f.pair("size")) },
    LayerKind("upsampling2d") { (f) throws(NNError) in
      UpSampling2D(
        try f.pair("factor", or: 2, in: 1...64),
        interpolation: try f.choice(
          "interpolation", [("nearest", .nearest), ("bilinear", .bilinear)], or: .nearest))
    },
    LayerKind("zero_padding2d") { (f) throws(NNError) in
      ZeroPadding2D(try f.pair("padding", in: 0...4096))
    },
  ]
}

extension Fields {
  fileprivate func optionalInt(_ key: String) throws(NNError) -> Int? {
    value(key) == nil ? nil : try int(key, in: 1...4096)
  }
}
