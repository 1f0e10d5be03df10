import NNGraph
import NNKernels

// Softmax, normalisation and reduction.

extension Benchmark {
  static var softmaxes: [Benchmark] {
    [
      softmax(.softmax, outer: 128, axis: 128), softmax(.softmax, outer: 12 * 128, axis: 128),
      softmax(.softmax, outer: 12, axis: 16), softmax(.softmax, outer: 64, axis: 1000),
      softmax(.softmax, outer: 64, axis: 10), softmax(.softmax, outer: 1, axis: 10),
      softmax(.softmax, outer: 1, axis: 1000), softmax(.softmax, outer: 8, axis: 30522),
      softmax(.softmax, outer: 1, axis: 21, inner: 4096), softmax(.logSoftmax, outer: 64, axis: 1000),
      softmax(.logSoftmax, outer: 64, axis: 10),
    ]
  }

  private static func softmax(
    _ function: SoftmaxFunction, outer: Int, axis: Int, inner: Int = 1
  ) -> Benchmark {
    let size = outer * axis * inner
    let shape = "\(outer) x \(axis)" + (inner > 1 ? " x \(inner)" : "")
    return Benchmark(.softmax, "\(function)", shape, Work(bytes: 8 * count(size), elements: count(size))) {
      table, memory in
      let kernel = table.softmax(function)
      let arguments = SoftmaxArguments(
        x: memory.floats(size), y: memory.floats(size), outer: outer, axis: axis, inner: inner)
      return { kernel(arguments, 0..<outer * inner) }
    }
  }

  static var normalizations: [Benchmark] {
    [
      layerNormalize(rows: 1, inner: 384), layerNormalize(rows: 128, inner: 384),
      layerNormalize(rows: 2048, inner: 64), layerNormalize(rows: 512, inner: 768),
      layerNormalize(rows: 64, inner: 100), layerNormalize(rows: 8, inner: 32 * 1024),
      batchNormalize(outer: 1, channels: 64, inner: 56 * 56),
      batchNormalize(outer: 1, channels: 256, inner: 14 * 14),
      batchNormalize(outer: 1, channels: 512, inner: 7 * 7),
      batchNormalize(outer: 64, channels: 32, inner: 26 * 26),
      batchNormalize(outer: 64, channels: 128, inner: 1),
    ]
  }

  /// Each element is added, its distance from the mean squared and added, and then scaled twice.
  private static func layerNormalize(rows: Int, inner: Int) -> Benchmark {
    let size = rows * inner
    return Benchmark(
      .normalize, "layer", "\(rows) x \(inner)",
      Work(flops: 8 * count(size), bytes: 8 * count(size + inner), elements: count(size))
    ) { table, memory in
      let arguments = LayerNormalizeArguments(
        x: memory.floats(size), y: memory.floats(size), scale: memory.floats(inner),
        bias: memory.floats(inner), epsilon: 1e-5, rows: rows, inner: inner)
      return { table.layerNormalize(arguments, 0..<rows) }
    }
  }

  /// The mean is subtracted from each element, then one multiply–add.
  private static func batchNormalize(outer: Int, channels: Int, inner: Int) -> Benchmark {
    let size = outer * channels * inner
    return Benchmark(
      .normalize, "batch", "\(outer) x \(channels) x \(inner)",
      Work(flops: 3 * count(size), bytes: 8 * count(size) + 16 * count(channels), elements: count(size))
    ) { table, memory in
      let variance = memory.floats(channels)
      for channel in 0..<channels { variance[channel] = 1 }
      let arguments = BatchNormalizeArguments(
        x: memory.floats(size), y: memory.floats(size), scale: memory.floats(channels),
        bias: memory.floats(channels), mean: memory.floats(channels), variance: variance, epsilon: 1e-5,
        outer: outer, channels: channels, inner: inner)
      return { table.batchNormalize(arguments, 0..<outer * channels) }
    }
  }

  static var reductions: [Benchmark] {
    let shapes: [([Int], [Int])] = [
      ([2048], [0]), ([128, 384], [1]), ([128, 384], [0]), ([64, 128, 28, 28], [0, 2, 3]),
      ([1280, 49], [1]), ([1, 64, 56, 56], [1]), ([1024, 1024], [0, 1]), ([4096, 4096], [0, 1]),
    ]
    let sums = shapes.map { reduce(.sum, $0.0, axes: $0.1) }
    let others: [ReduceFunction] = [.mean, .maximum, .minimum, .product, .sumOfSquares]
    return sums + others.map { reduce($0, [128, 384], axes: [1]) } + [
      reduce(.maximum, [1024, 1024], axes: [0]), reduceDoubles([128, 384]), argument(rows: 64, axis: 10),
      argument(rows: 64, axis: 1000), argument(rows: 1, axis: 21, inner: 4096),
    ]
  }

  private static func layout(_ shape: [Int], _ axes: [Int]) -> ReduceLayout? {
    ReduceLayout(shape: shape, isReduced: shape.indices.map(axes.contains))
  }

  /// An addition, multiplication or comparison for each element, and for squares two.
  private static func reduce(_ function: ReduceFunction, _ shape: [Int], axes: [Int]) -> Benchmark {
    let size = shape.reduce(1, *)
    let kept = shape.indices.reduce(1) { axes.contains($1) ? $0 : $0 * shape[$1] }
    let axisText = axes.map(String.init).joined(separator: ", ")
    return Benchmark(
      .reduce, "\(function)", shapeText(shape) + " over \(axisText)",
      Work(
        flops: count(size) * (function == .sumOfSquares ? 2 : 1), bytes: 4 * (count(size) + count(kept)),
        elements: count(size))
    ) { table, memory in
      guard let layout = layout(shape, axes) else { return nil }
      let kernel = table.reduce(function)
      let arguments = ReduceArguments(x: memory.floats(size), y: memory.floats(kept), layout: layout)
      return { kernel(arguments, 0..<kept) }
    }
  }

  private static func reduceDoubles(_ shape: [Int]) -> Benchmark {
    let size = shape.reduce(1, *)
    var work = Work(
      flops: count(size), bytes: 8 * (count(size) + count(shape[0])), elements: count(size))
    work.peakShare = 0.5
    return Benchmark(.reduce, "sum f64", shapeText(shape) + " over 1", work) { table, memory in
      guard let layout = layout(shape, [1]), let kernel = table.reduceScalar(.sum, .f64) else { return nil }
      let arguments = ScalarReduceArguments(
        x: memory.doubles(size), y: memory.doubles(shape[0]), layout: layout)
      return { kernel(arguments, 0..<shape[0]) }
    }
  }

  private static func argument(rows: Int, axis: Int, inner: Int = 1) -> Benchmark {
    let (size, results) = (rows * axis * inner, rows * inner)
    let largest = ArgumentReduce(findsMaximum: true, axis: 1, keepsDimensions: true)
    return Benchmark(
      .reduce, "argmax", shapeText([rows, axis, inner]) + " over 1",
      Work(
        flops: count(size), bytes: 4 * count(size) + 8 * count(results), elements: count(size))
    ) { table, memory in
      guard let kernel = table.argument(largest, .f32) else { return nil }
      let arguments = ArgumentReduceArguments(
        x: memory.floats(size), y: memory.indices(results, below: 1), outer: rows, axis: axis, inner: inner)
      return { kernel(arguments, 0..<results) }
    }
  }
}
