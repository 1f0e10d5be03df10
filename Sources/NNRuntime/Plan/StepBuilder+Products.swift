import CPlatform
import NNGraph
import NNKernels

extension StepBuilder {
  func resolveMatmul(_ matmul: Matmul) throws(NNError) {
    if outputType.dtype != .f32 { return try resolveScalarMatmul(matmul) }
    let route = MatmulRoute(matmul, graph, node, resolved.types, options)
    switch route.source {
    case .replaced(let product): try emitReplaced(product, route, matmul.activation)
    case .panels, .packed, .direct:
      try emitProduct(route, productArguments(route, matmul.activation))
    }
  }

  /// The first product of the batch, after a step that packs the second operands if they need it.
  func productArguments(_ route: MatmulRoute, _ activation: Activation) -> MatmulArguments {
    var panels = floats(1)
    // No workspace means nothing to pack.
    if route.narrowFormat == nil, let workspace = layout.workspaces[index] {
      let packed = workspace.assumingMemoryBound(to: Float.self)
      emitPacking(route, into: packed)
      panels = UnsafePointer(packed)
    }
    var arguments = MatmulArguments(
      a: floats(0), panels: panels, c: outputFloats, bias: inputCount > 2 ? floats(2) : nil,
      epilogue: kernels.epilogue(activation), m: route.m, n: route.n, k: route.k)
    if route.transposesA {
      arguments.aRowStride = 1
      arguments.aColumnStride = route.m
    }
    if case .direct = route.source { arguments.readRowMajor(rowStride: route.n) }
    arguments.skipsZeros = canSkipZeros(route)
    if let format = route.narrowFormat, let workspace = layout.workspaces[index] {
      let narrow = workspace.assumingMemoryBound(to: UInt16.self)
      format.fill(narrow, from: panels, k: route.k, columns: route.n)
      arguments.narrowPanels = NarrowPanels(format, narrow, k: route.k)
    }
    return arguments
  }

  /// Whether it is a row times weights that allow for it.
  private func canSkipZeros(_ route: MatmulRoute) -> Bool {
    guard case .panels = route.source, route.m == 1, route.batch.isEmpty,
      !MatmulArguments.splitsSums(n: route.n, k: route.k), inputCount > 2,
      graph[node.inputs[2]].constant != nil
    else { return false }
    return MatmulArguments.allowSkipping(
      panels: floats(1), k: route.k, bias: floats(2), columns: route.n)
  }

  /// A product of integers or doubles, matrix by matrix.
  private func resolveScalarMatmul(_ matmul: Matmul) throws(NNError) {
    let (a, b, c) = (extents(0), extents(1), outputExtents)
    let (m, n, k) = (c[c.count - 2], c[c.count - 1], a[a.count - (matmul.transposesA ? 2 : 1)])
    guard let kernel = kernels.matmulScalar(outputType.dtype),
      let batches = BroadcastLayout(
        output: Array(c.dropLast(2)), Array(a.dropLast(2)), Array(b.dropLast(2)))
    else { throw unsupported() }
    let size = outputType.dtype.size
    let first = ScalarMatmulArguments(
      a: input(0), b: input(1), bias: inputCount > 2 ? input(2) : nil, c: output, n: n, k: k,
      aStrides: matmul.transposesA ? (1, m) : (k, 1), bStrides: matmul.transposesB ? (1, k) : (n, 1))
    guard m * n > 0 else { return }
    emit(units: batches.count * m, cost: Step.cost(4, outputCount, max(k, 1))) { range, _ in
      for unit in range {
        let (position, row) = (unit / m, unit % m)
        let offsets = batches.offsets(at: position)
        var one = first
        one.a = first.a + offsets.0 * m * k * size
        one.b = first.b + offsets.1 * k * n * size
        one.c = first.c + position * m * n * size
        kernel(one, row..<row + 1)
      }
    }
  }

  private func emitPacking(_ route: MatmulRoute, into panels: UnsafeMutablePointer<Float>) {
    let (b, k, n, size, transposed) = (floats(1), route.k, route.n, route.panelsSize, route.transposesB)
    let perMatrix = Panels.count(columns: n)
    let matrices = route.bBatch.reduce(1, *)
    // Several panels at a time, so that rows are read in long pieces.
    let together = 16
    let pieces = (perMatrix + together - 1) / together
    emit(units: pieces * matrices, cost: Step.cost(size, matrices)) { range, _ in
      for unit in range {
        let (matrix, first) = (unit / pieces, unit % pieces * together)
        let (source, target) = (b + matrix * k * n, panels + matrix * size)
        let some = first..<min(first + together, perMatrix)
        if transposed {
          Panels.packTransposed(source, k: k, columns: n, rowStride: k, into: target, range: some)
        } else {
          Panels.pack(source, k: k, columns: n, rowStride: n, into: target, range: some)
        }
      }
    }
  }

  /// The kernel over every product of the batch, the operands' batches broadcast against each other.
  private func emitProduct(_ route: MatmulRoute, _ first: MatmulArguments) throws(NNError) {
    let kernel = kernels.matmul
    let cost = Step.cost(2, route.batchCount, route.m, route.n, max(route.k, 1))
    let products = try BatchedProduct(route, first: first).placed()
    let places = products.places
    if places.rank == 1 {
      var arguments = first
      arguments.batch = places.count
      arguments.aBatchStride = places.strides0[0]
      arguments.panelsBatchStride = places.strides1[0]
      arguments.cBatchStride = places.strides2[0]
      arguments.share(among: options.threads)
      emit(kernel, arguments, units: arguments.workUnits, cost: cost, isProduct: true)
      return
    }
    let unitsEach = first.workUnits
    emit(units: unitsEach * places.count, cost: cost, isProduct: true) { range, _ in
      for unit in range {
        kernel(products.product(unit / unitsEach), unit % unitsEach..<unit % unitsEach + 1)
      }
    }
  }

  /// A library's product, then bias and activation by the kernels.
  private func emitReplaced(
    _ product: @escaping ProductFunction, _ route: MatmulRoute, _ activation: Activation
  ) throws(NNError) {
    guard let batches = BroadcastLayout(output: route.batch, route.aBatch, route.bBatch) else {
      throw unsupported()
    }
    let (a, b, c, m, n, k) = (floats(0), floats(1), outputFloats, route.m, route.n, route.k)
    let (transposesA, transposesB) = (route.transposesA, route.transposesB)
    emit(units: batches.count, cost: Step.cost(2, m, n, k, batches.count), isProduct: true) { range, _ in
      for position in range {
        let offsets = batches.offsets(at: position)
        product(
          a + offsets.0 * m * k, transposesA, b + offsets.1 * k * n, transposesB, c + position * m * n, m, n,
          k)
      }
    }
    if inputCount > 2 {
      guard let add = kernels.binary(.add, .f32),
        let rows = BroadcastLayout(output: outputExtents, outputExtents, extents(2))
      else { throw unsupported() }
      emit(
        add, BinaryArguments(a: c, b: input(2), out: output, layout: rows), units: rows.count,
        cost: rows.count)
    }
    if activation.function != .identity {
      let kernel = kernels.unary(activation.function)
      emit(units: outputCount, cost: Step.cost(outputCount, StepBuilder.functionCost)) { range, _ in
        let y = c + range.lowerBound
        kernel(y, y, range.count, activation.alpha, activation.beta)
      }
    }
  }

  func resolveConvolution(_ convolution: Convolution) throws(NNError) {
    try emitConvolution(ConvolutionArguments(convolution, node, resolved.types), into: outputFloats)
  }

  /// The node's convolution, whose arguments still lack the pointers.
  func emitConvolution(_ unbound: ConvolutionArguments, into y: UnsafeMutablePointer<Float>) throws(NNError) {
    var arguments = unbound
    try bind(&arguments, into: y)
    let grain = arguments.share(among: options.threads)
    let ready = arguments
    let (kernel, scratch) = (kernels.convolution, layout.scratch)
    let cost = Step.cost(2, outputCount, ready.reductionLength)
    emit(units: ready.workUnits, cost: cost, grain: grain, isProduct: true) { range, thread in
      kernel(ready, scratch[thread], range)
    }
  }

  /// Points the node's convolution to its operands, after steps that lay out the weights as it reads them.
  func bind(_ arguments: inout ConvolutionArguments, into y: UnsafeMutablePointer<Float>) throws(NNError) {
    arguments.x = floats(0)
    arguments.weights = floats(1)
    arguments.bias = inputCount > 2 ? floats(2) : nil
    arguments.y = y
    let copies = ConvolutionWeightCopies(arguments, graph[node.inputs[1]].constant)
    if copies.isInPanels && arguments.readsFilterPanels { arguments.transformedWeights = floats(1) }
    guard let workspace = layout.workspaces[index] else { return }
    let rows = workspace.assumingMemoryBound(to: Float.self)
    let transformed = rows + copies.rows
    if copies.rows > 0 {
      let (ready, size) = (arguments, copies.rows)
      try emitLayout(of: node.inputs[1], into: rows, size: size * 4, units: ready.weightUnits, cost: size) {
        range, _ in ready.unpackWeights(into: rows, range)
      }
      arguments.weights = UnsafePointer(rows)
    }
    if copies.transformed > 0 {
      let (ready, kernel, size) = (arguments, kernels.winogradWeights, copies.transformed)
      arguments.transformedWeights = UnsafePointer(transformed)
      try emitLayout(
        of: node.inputs[1], into: transformed, size: size * 4, units: ready.weightUnits, cost: size
      ) { range, _ in ready.transformWeights(into: transformed, range, kernel) }
    }
  }

  func resolveWeightGradient(_ window: NNGraph.Window, groups: Int) {
    var arguments = ConvolutionWeightGradientArguments(window, groups: groups, node, resolved.types)
    arguments.x = floats(0)
    arguments.dy = floats(1)
    arguments.result = outputFloats
    let ready = arguments
    let (kernel, scratch) = (kernels.convolutionWeightGradient, layout.scratch)
    let cost = Step.cost(
      2, type(1).shape.elementCount ?? 0, extents(0)[1] / groups, window.extent[0], window.extent[1])
    emit(units: ready.workUnits, cost: cost, isProduct: true) { range, thread in
      kernel(ready, scratch[thread], range)
    }
  }

  // Windows

  func resolvePool(_ pool: Pool) {
    let shape = extents(0)
    let arguments = PoolArguments(
      x: floats(0), y: outputFloats, window: NNKernels.Window(pool.window), planes: shape[0] * shape[1],
      height: shape[2], width: shape[3], countIncludesPadding: pool.countsPadding)
    let kernel = pool.function == .maximum ? kernels.maximumPool : kernels.averagePool
    emit(
      kernel, arguments, units: arguments.planes,
      cost: Step.cost(outputCount, pool.window.extent[0], pool.window.extent[1]))
  }

  func resolvePoolGradient(_ pool: Pool) {
    let shape = extents(0)
    let arguments = PoolGradientArguments(
      x: floats(0), dy: floats(1), dx: outputFloats, window: NNKernels.Window(pool.window),
      planes: shape[0] * shape[1], height: shape[2], width: shape[3], countIncludesPadding: pool.countsPadding
    )
    let kernel = pool.function == .maximum ? kernels.maximumPoolGradient : kernels.averagePoolGradient
    emit(
      kernel, arguments, units: arguments.planes,
      cost: max(
        outputCount,
        Step.cost(type(1).shape.elementCount ?? 0, pool.window.extent[0], pool.window.extent[1])))
  }

  func resolveUnfold(_ window: NNGraph.Window) {
    let shape = extents(0)
    emitWindows(kernels.unfold, window, planes: shape[0] * shape[1], height: shape[2], width: shape[3])
  }

  func resolveFold(_ window: NNGraph.Window, height: Int, width: Int) {
    let shape = outputExtents
    emitWindows(kernels.fold, window, planes: shape[0] * shape[1], height: height, width: width)
  }

  private func emitWindows(
    _ kernel: @escaping RangeKernel<UnfoldArguments>, _ window: NNGraph.Window, planes: Int, height: Int,
    width: Int
  ) {
    let arguments = UnfoldArguments(
      input: floats(0), out: outputFloats, window: NNKernels.Window(window), planes: planes, height: height,
      width: width)
    emit(kernel, arguments, units: planes, cost: max(outputCount, extents(0).reduce(1, *)))
  }
}

extension NNKernels.Window {
  init(_ window: NNGraph.Window) {
    self.init(
      kernel: (window.extent[0], window.extent[1]), stride: (window.strides[0], window.strides[1]),
      dilation: (window.dilations[0], window.dilations[1]),
      padding: (
        window.paddingBefore[0], window.paddingBefore[1], window.paddingAfter[0], window.paddingAfter[1]
      ))
  }
}

extension ConvolutionArguments {
  /// The extents of a node's convolution and its epilogue; its pointers are not set.
  init(_ convolution: Convolution, _ node: Node, _ types: [TensorType]) {
    self.init(
      convolution, x: types[node.inputs[0].index].shape.extents ?? [],
      weight: types[node.inputs[1].index].shape.extents ?? [])
  }

  /// The same of operands with these extents.
  init(_ convolution: Convolution, x: [Int], weight: [Int]) {
    let unset = UnsafeMutablePointer<Float>(bitPattern: 64)!
    self.init(
      x: unset, weights: unset, bias: nil, y: unset, window: NNKernels.Window(convolution.window),
      batch: x[0],
      channels: x[1], height: x[2], width: x[3], outputChannels: weight[0], groups: convolution.groups)
    epilogue = Epilogue(convolution.activation)
  }
}

extension ConvolutionWeightGradientArguments {
  /// The extents of a node's operands; its pointers are not set.
  init(_ window: NNGraph.Window, groups: Int, _ node: Node, _ types: [TensorType]) {
    let x = types[node.inputs[0].index].shape.extents ?? []
    let dy = types[node.inputs[1].index].shape.extents ?? []
    let unset = UnsafeMutablePointer<Float>(bitPattern: 64)!
    self.init(
      x: unset, dy: unset, result: unset, window: NNKernels.Window(window), batch: x[0], channels: x[1],
      height: x[2],
      width: x[3], outputChannels: dy[1], groups: groups)
  }
}
