import NNGraph
import NNRuntime

/// What a layer computed for some samples.
public struct LayerActivations: Equatable, Sendable {
  public let layer: String
  /// (N, …): (N, C, H, W) of a convolution, (N, units) of a dense layer.
  public let extents: [Int]
  /// Row-major.
  public let values: [Float]

  /// Numbers of one sample.
  public var width: Int { extents.dropFirst().reduce(1, *) }

  /// The numbers of one sample; none for an index out of range.
  public subscript(sample index: Int) -> ArraySlice<Float> {
    guard index >= 0, index < (extents.first ?? 0) else { return [] }
    return values[index * width..<(index + 1) * width]
  }
}

extension TrainedModel {
  /// What layers compute for samples, with the bits that the exported file computes inside.
  ///
  /// - Parameters:
  ///   - layers: names as ``layerNames()`` gives them; nil for every layer whose result is f32 (N, …). A layer that is
  ///     called several times gives as many results.
  ///   - samples: one after the other.
  /// - Throws: ``ErrorCode/invalidArgument`` for a name that no layer has, ``ErrorCode/shapeMismatch`` for samples that do
  ///   not divide or a layer that does not give f32 (N, …), ``ErrorCode/dtypeMismatch`` for a model of tokens.
  public func activations(
    of layers: [String]? = nil, for samples: [Float], batchSize: Int = 256
  ) throws(NNError) -> [LayerActivations] {
    try requireType(.f32)
    return try activations(of: layers, samples.count, batchSize) { (range, extents) throws(NNError) in
      try Tensor(Array(samples[range]), extents: extents)
    }
  }

  /// What layers compute for samples of indices; see ``activations(of:for:batchSize:)-([String]?,[Float],Int)``.
  public func activations(
    of layers: [String]? = nil, forTokens samples: [Int32], batchSize: Int = 256
  ) throws(NNError) -> [LayerActivations] {
    try requireType(.i64)
    return try activations(of: layers, samples.count, batchSize) { (range, extents) throws(NNError) in
      try Tensor(samples[range].map { Int64($0) }, extents: extents)
    }
  }

  /// What layers compute for a data set's samples; see ``activations(of:for:batchSize:)-([String]?,[Float],Int)``.
  public func activations(
    of layers: [String]? = nil, for data: Dataset, batchSize: Int = 256
  ) throws(NNError) -> [LayerActivations] {
    data.inputType == .i64
      ? try activations(of: layers, forTokens: data.tokens, batchSize: batchSize)
      : try activations(of: layers, for: data.features, batchSize: batchSize)
  }

  private func activations(
    of names: [String]?, _ numbers: Int, _ batchSize: Int,
    _ tensor: (Range<Int>, [Int]) throws(NNError) -> Tensor
  ) throws(NNError) -> [LayerActivations] {
    let count = try batchExtents(numbers)[0]
    guard batchSize >= 1 else { throw NNError(.invalidArgument, "a batch size of \(batchSize)") }
    let traced = try TracedModel(self)
    let calls = try traced.layers(named: names)
    var values = [[Float]](repeating: [], count: calls.count)
    if !calls.isEmpty, count > 0 {
      let session = try traced.session(calls.map { $0.result }, options: options)
      let width = sampleShape.reduce(1, *)
      for first in stride(from: 0, to: count, by: batchSize) {
        let batch = min(batchSize, count - first)
        let results = try session([
          try tensor(first * width..<(first + batch) * width, [batch] + sampleShape)
        ])
        for (index, result) in results.enumerated() { values[index] += result.floats ?? [] }
      }
    }
    return zip(calls, values).map { call, values in
      let rest = call.result.shape.dimensions.dropFirst().map { $0.extent ?? 0 }
      return LayerActivations(layer: call.name, extents: [count] + rest, values: values)
    }
  }
}
