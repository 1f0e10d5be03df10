import NNGraph
import NNKernels

extension StepBuilder {
  /// Element operations that one transcendental function is worth.
  static let functionCost = 8

  func resolveUnary(_ activation: Activation) {
    if activation.function == .identity {
      resolveView()
      return
    }
    if type(0).dtype == .f64 {
      let kernel = kernels.unary64(activation.function)
      let (x, y) = (
        input(0).assumingMemoryBound(to: Double.self), output.assumingMemoryBound(to: Double.self)
      )
      let (alpha, beta) = (Double(activation.alpha), Double(activation.beta))
      emit(units: outputCount, cost: Step.cost(outputCount, StepBuilder.functionCost)) { range, _ in
        kernel(x + range.lowerBound, y + range.lowerBound, range.count, alpha, beta)
      }
      return
    }
    let kernel = kernels.unary(activation.function)
    let (x, y, alpha, beta) = (floats(0), outputFloats, activation.alpha, activation.beta)
    emit(units: outputCount, cost: Step.cost(outputCount, StepBuilder.functionCost)) { range, _ in
      kernel(x + range.lowerBound, y + range.lowerBound, range.count, alpha, beta)
    }
  }

  func resolveBinary(_ function: BinaryFunction) throws(NNError) {
    guard let kernel = kernels.binary(function, type(0).dtype) else { throw unsupported() }
    try emitBinary(kernel)
  }

  func resolveCompare(_ function: CompareFunction) throws(NNError) {
    guard let kernel = kernels.compare(function, type(0).dtype) else { throw unsupported() }
    try emitBinary(kernel)
  }

  private func emitBinary(_ kernel: @escaping RangeKernel<BinaryArguments>) throws(NNError) {
    guard let layout = BroadcastLayout(output: outputExtents, extents(0), extents(1)) else {
      throw unsupported()
    }
    emit(
      kernel, BinaryArguments(a: input(0), b: input(1), out: output, layout: layout), units: layout.count,
      cost: layout.count)
  }

  func resolveSelect() throws(NNError) {
    guard let kernel = kernels.select(outputType.dtype.size),
      let layout = BroadcastLayout(output: outputExtents, extents(0), extents(1), extents(2))
    else { throw unsupported() }
    let condition = input(0).assumingMemoryBound(to: UInt8.self)
    let arguments = SelectArguments(
      condition: condition, a: input(1), b: input(2), out: output, layout: layout)
    emit(kernel, arguments, units: layout.count, cost: layout.count)
  }

  func resolveCast(_ dtype: DType, _ mode: CastMode) throws(NNError) {
    let from = type(0).dtype
    if from == dtype || (mode == .bits && dtype != .bool) {
      resolveView()
      return
    }
    guard let kernel = kernels.cast(from, dtype, mode) else { throw unsupported() }
    let (x, y) = (input(0), output)
    emit(units: outputCount, cost: outputCount) { range, _ in
      kernel(x + range.lowerBound * from.size, y + range.lowerBound * dtype.size, range.count)
    }
  }

  func resolveRandom(_ function: RandomFunction, stream: UInt32) {
    let kernel = kernels.random(function)
    let (key, out, count) = (input(1).assumingMemoryBound(to: Int64.self), outputFloats, outputCount)
    emit(units: count, cost: Step.cost(count, StepBuilder.functionCost)) { range, _ in
      // The step number is the upper half of the stream, so that no two steps share numbers.
      let steps = UInt64(truncatingIfNeeded: key[1]) &<< 32
      let arguments = RandomArguments(
        out: out, count: count, seed: UInt64(bitPattern: key[0]), stream: steps | UInt64(stream))
      kernel(arguments, range)
    }
  }

  // Reductions and normalisation

  func resolveReduce(_ reduce: Reduce) throws(NNError) {
    let shape = extents(0)
    var isReduced = [Bool](repeating: false, count: shape.count)
    for axis in reduce.axes { isReduced[axis] = true }
    guard let layout = ReduceLayout(shape: shape, isReduced: isReduced) else { throw unsupported() }
    if type(0).dtype != .f32 {
      guard let kernel = kernels.reduceScalar(reduce.function, type(0).dtype) else { throw unsupported() }
      emit(
        kernel, ScalarReduceArguments(x: input(0), y: output, layout: layout), units: layout.count,
        cost: Step.cost(4, layout.count, layout.reducedCount))
      return
    }
    emit(
      kernels.reduce(reduce.function), ReduceArguments(x: floats(0), y: outputFloats, layout: layout),
      units: layout.count, cost: Step.cost(layout.count, layout.reducedCount))
  }

  func resolveArgument(_ argument: ArgumentReduce) throws(NNError) {
    let (outer, axis, inner) = split(extents(0), at: argument.axis)
    guard axis > 0 || outer * inner == 0 else {
      throw NNError(.shapeMismatch, "an axis without elements has no largest or smallest one")
    }
    let y = output.assumingMemoryBound(to: Int64.self)
    guard let kernel = kernels.argument(argument, type(0).dtype) else { throw unsupported() }
    let arguments = ArgumentReduceArguments(x: input(0), y: y, outer: outer, axis: axis, inner: inner)
    emit(kernel, arguments, units: outer * inner, cost: Step.cost(outer, axis, inner))
  }

  func resolveSoftmax(_ softmax: Softmax) {
    let (outer, axis, inner) = split(extents(0), at: softmax.axis)
    let arguments = SoftmaxArguments(x: floats(0), y: outputFloats, outer: outer, axis: axis, inner: inner)
    emit(
      kernels.softmax(softmax.function), arguments, units: outer * inner,
      cost: Step.cost(outer, axis, inner, StepBuilder.functionCost))
  }

  func resolveNormalize(_ normalize: Normalize) {
    let shape = extents(0)
    switch normalize.kind {
    case .batch:
      let (outer, channels, inner) = split(shape, at: 1)
      let arguments = BatchNormalizeArguments(
        x: floats(0), y: outputFloats, scale: floats(1), bias: floats(2), mean: floats(3),
        variance: floats(4),
        epsilon: normalize.epsilon, outer: outer, channels: channels, inner: inner)
      emit(kernels.batchNormalize, arguments, units: outer * channels, cost: outputCount)
    case .layer:
      let inner = shape[shape.count - 1]
      let rows = count(shape.dropLast())
      let arguments = LayerNormalizeArguments(
        x: floats(0), y: outputFloats, scale: floats(1), bias: floats(2), epsilon: normalize.epsilon,
        rows: rows,
        inner: inner)
      emit(kernels.layerNormalize, arguments, units: rows, cost: Step.cost(3, outputCount))
    }
  }

  func resolveNormalizeTraining(_ training: NormalizeTraining) {
    let shape = extents(0)
    let elements = count(shape[...])
    switch training.kind {
    case .channelMoments, .channelProducts:
      let (outer, channels, inner) = split(shape, at: 1)
      let isMoments = training.kind == .channelMoments
      let arguments = ChannelSumsArguments(
        x: floats(0), dy: isMoments ? floats(0) : floats(1), moments: isMoments ? floats(0) : floats(2),
        result: outputFloats, outer: outer, channels: channels, inner: inner)
      emit(
        isMoments ? kernels.channelMoments : kernels.channelProducts, arguments, units: channels,
        cost: Step.cost(2, elements))
    case .batchGradient:
      let (outer, channels, inner) = split(shape, at: 1)
      let arguments = BatchNormalizeGradientArguments(
        x: floats(0), dy: floats(1), scale: floats(2), moments: floats(3), products: floats(4),
        dx: outputFloats, epsilon: training.epsilon, outer: outer, channels: channels, inner: inner)
      emit(kernels.batchNormalizeGradient, arguments, units: outer * channels, cost: Step.cost(2, elements))
    case .layerGradient:
      let inner = shape[shape.count - 1]
      let arguments = LayerNormalizeGradientArguments(
        x: floats(0), scale: floats(1), dy: floats(2), dx: outputFloats, epsilon: training.epsilon,
        inner: inner)
      emit(
        kernels.layerNormalizeGradient, arguments, units: count(shape.dropLast()),
        cost: Step.cost(4, elements))
    }
  }

  /// A shape seen as (outer, axis, inner).
  func split(_ extents: [Int], at axis: Int) -> (outer: Int, axis: Int, inner: Int) {
    (count(extents[..<axis]), extents[axis], count(extents[(axis + 1)...]))
  }
}
