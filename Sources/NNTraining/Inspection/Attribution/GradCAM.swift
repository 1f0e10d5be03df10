import NNGraph

extension TrainedModel {
  /// Where in an image a convolution sees what speaks for a score: max(Σₖ αₖ·Aₖ, 0) with αₖ the mean of d score/dAₖ over
  /// the places of feature map k, brought to the size of the image bilinearly: (N, H, W). Selvaraju et al., "Grad-CAM",
  /// 2017, section 3.
  ///
  /// - Parameters:
  ///   - layer: one that gives feature maps (N, C, h, w); nil for ``lastFeatureLayer()``.
  ///   - samples: images (C, H, W), one after the other.
  ///   - head: whether the score is a logit, as in the paper, or a probability.
  /// - Throws: ``ErrorCode/invalidArgument`` for a layer there is not, ``ErrorCode/shapeMismatch`` if samples are no
  ///   images or the layer gives no feature maps, and as ``inputGradients(of:for:head:batchSize:)``.
  public func gradCAM(
    layer: String? = nil, of score: ScoreChoice = .largest, for samples: [Float], head: OutputHead = .none,
    batchSize: Int = 32
  ) throws(NNError) -> Attributions {
    guard sampleShape.count == 3 else {
      throw NNError(
        .shapeMismatch,
        "Grad-CAM is for images (C, H, W); samples have shape \(Shape(sampleShape).description)")
    }
    let name: String
    if let layer { name = layer } else { name = try lastFeatureLayer() }
    let gradient = try ScoreGradient(self, head: head, layer: name, batchSize: batchSize)
    guard gradient.variableShape.count == 3, gradient.variableShape.allSatisfy({ $0 >= 1 }) else {
      throw NNError(
        .shapeMismatch,
        "layer \"\(name)\" gives no feature maps (N, C, h, w) but \(Shape(gradient.variableShape).description) a sample"
      )
    }
    let indices = try gradient.indices(score, for: samples)
    let (channels, height, width) = (
      gradient.variableShape[0], gradient.variableShape[1], gradient.variableShape[2]
    )
    let area = height * width
    var maps: [Float] = []
    try gradient.run(samples, indices) { (range, features, gradients) throws(NNError) in
      for row in 0..<range.count {
        var map = [Double](repeating: 0, count: area)
        for channel in 0..<channels {
          let base = (row * channels + channel) * area
          var weight = 0.0
          for place in 0..<area { weight += Double(gradients[base + place]) }
          weight /= Double(area)
          for place in 0..<area { map[place] += weight * Double(features[base + place]) }
        }
        let image = ImagePlanes(
          channels: 1, height: height, width: width, values: map.map { Float(max($0, 0)) })
        maps += image.resized(height: sampleShape[1], width: sampleShape[2], .bilinear).values
      }
    }
    return Attributions(
      extents: [indices.count, sampleShape[1], sampleShape[2]], values: maps, explained: indices)
  }

  /// The layer whose feature maps (N, C, h, w) ``gradCAM(layer:of:for:head:batchSize:)`` looks at unless told: the last
  /// that gives maps of the extents of the last convolution's, such as the activation behind it.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if there is none.
  public func lastFeatureLayer() throws(NNError) -> String {
    let traced = try TracedModel(self)
    let maps = traced.layers.filter { $0.result.rank == 4 && traced.isShown($0.result) }
    guard let last = maps.last(where: { $0.name.contains("conv") }),
      let layer = maps.last(where: { $0.result.shape == last.result.shape })
    else {
      throw NNError(
        .invalidArgument, "the model has no convolution that gives feature maps (N, C, h, w); name a layer")
    }
    return layer.name
  }
}
