import NNGraph
import Reference

extension OperatorCases {
  /// Images with windows that fit them: odd sizes, strides, dilations, uneven padding, empty results.
  private static let windows: [(image: [Int], window: Window)] = [
    ([1, 1, 1, 1], Window(extent: [1, 1])),
    ([2, 4, 5, 6], Window(extent: [1, 1])),
    ([2, 4, 6, 7], Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])),
    ([1, 2, 9, 8], Window(extent: [3, 2], strides: [2, 3], paddingBefore: [0, 1], paddingAfter: [2, 0])),
    (
      [3, 2, 8, 9],
      Window(
        extent: [2, 3], strides: [2, 1], dilations: [3, 2], paddingBefore: [1, 2], paddingAfter: [0, 1])
    ),
    ([0, 2, 4, 4], Window(extent: [2, 2])),
    ([1, 2, 2, 2], Window(extent: [3, 3])),
    ([1, 2, 20, 21], Window(extent: [5, 4], paddingBefore: [2, 1], paddingAfter: [2, 2])),
  ]

  /// Images and filters enough for Winograd's algorithm, with both of its tiles, at one pixel and two at a time.
  private static let winograd: [(image: [Int], filters: Int, window: Window)] = [
    ([2, 16, 6, 5], 19, Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])),
    ([3, 33, 13, 9], 40, Window(extent: [3, 3], paddingBefore: [0, 2], paddingAfter: [1, 0])),
    (
      [2, 32, 12, 11], 32,
      Window(extent: [3, 3], strides: [2, 2], paddingBefore: [1, 1], paddingAfter: [1, 1])
    ),
    ([3, 16, 17, 32], 80, Window(extent: [3, 3], strides: [2, 2])),
  ]

  private static let poolWindows = windows.filter { $0.window.dilations == [1, 1] }

  static func convolution(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for (image, window) in windows {
      for (groups, perGroup) in [(1, 3), (2, 1), (1, 17)] where image[1] % groups == 0 {
        let filters = groups * perGroup
        let weight = random.wholes([filters, image[1] / groups] + window.extent)
        let function: UnaryFunction = perGroup == 3 ? .relu : .identity
        let op = Op.convolution(Convolution(window: window, groups: groups, activation: Activation(function)))
        cases.append(OperatorCase(op: op, inputs: [random.wholes(image), weight]))
        cases.append(OperatorCase(op: op, inputs: [random.wholes(image), weight, random.wholes([filters])]))
      }
    }
    for (image, filters, window) in winograd {
      cases.append(
        OperatorCase(
          op: .convolution(Convolution(window: window, groups: 1, activation: Activation(.relu))),
          inputs: [random.reals(image), random.reals([filters, image[1], 3, 3]), random.reals([filters])],
          bound: .ulpsOfLargest(64)))
    }
    return cases
  }

  static func pool(_ random: inout SplitMix64) -> [OperatorCase] {
    poolWindows.flatMap { image, window in
      [
        OperatorCase(op: .pool(Pool(.maximum, window: window)), inputs: [random.wholes(image)]),
        OperatorCase(
          op: .pool(Pool(.average, window: window)), inputs: [random.wholes(image)], bound: .ulps(1.5)),
        OperatorCase(
          op: .pool(Pool(.average, window: window, countsPadding: true)), inputs: [random.wholes(image)],
          bound: .ulps(1.5)),
      ]
    }
  }

  static func poolGradient(_ random: inout SplitMix64) -> [OperatorCase] {
    poolWindows.flatMap { image, window in
      let output =
        image[..<2] + [
          window.outputExtent(axis: 0, of: image[2]), window.outputExtent(axis: 1, of: image[3]),
        ]
      return [PoolFunction.maximum, .average].map { function in
        OperatorCase(
          op: .poolGradient(Pool(function, window: window, countsPadding: true)),
          inputs: [random.wholes(image, -2...2), random.wholes(Array(output))],
          bound: function == .maximum ? .exact : .ulpsOfLargest(4))
      }
    }
  }

  static func convolutionWeightGradient(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    // One channel with many taps, and more channels than one unit of work takes.
    let images =
      windows + [
        ([2, 1, 7, 7], Window(extent: [3, 3], paddingBefore: [1, 1], paddingAfter: [1, 1])),
        ([1, 70, 4, 3], Window(extent: [2, 2], strides: [1, 2])),
      ]
    for (image, window) in images {
      for (groups, perGroup) in [(1, 3), (2, 1), (1, 17)] where image[1] % groups == 0 {
        let gradient = [
          image[0], groups * perGroup, window.outputExtent(axis: 0, of: image[2]),
          window.outputExtent(axis: 1, of: image[3]),
        ]
        cases.append(
          OperatorCase(
            op: .convolutionWeightGradient(window, groups: groups),
            inputs: [random.wholes(image), random.wholes(gradient)]))
      }
    }
    for (image, filters, window) in winograd {
      let gradient = [
        image[0], filters, window.outputExtent(axis: 0, of: image[2]),
        window.outputExtent(axis: 1, of: image[3]),
      ]
      cases.append(
        OperatorCase(
          op: .convolutionWeightGradient(window, groups: 1),
          inputs: [random.reals(image), random.reals(gradient)], bound: .ulpsOfLargest(64)))
    }
    return cases
  }

  static func unfold(_ random: inout SplitMix64) -> [OperatorCase] {
    windows.map { OperatorCase(op: .unfold($0.window), inputs: [random.wholes($0.image)]) }
  }

  static func fold(_ random: inout SplitMix64) -> [OperatorCase] {
    windows.map { image, window in
      let positions = window.outputExtent(axis: 0, of: image[2]) * window.outputExtent(axis: 1, of: image[3])
      let patches = [image[0], image[1] * window.extent[0] * window.extent[1], positions]
      return OperatorCase(
        op: .fold(window, height: image[2], width: image[3]), inputs: [random.wholes(patches)])
    }
  }

  static func normalizeTraining(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for shape in [[2, 3], [4, 5, 17], [3, 2, 3, 5], [3, 16, 2], [2, 1, 1], [2, 3, 8, 4], [5, 33]] {
      let (x, dy) = (random.reals(shape), random.reals(shape))
      let moments = random.reals([2, shape[1]])
      let width = shape[shape.count - 1]
      cases += [
        OperatorCase(
          op: .normalizeTraining(NormalizeTraining(.channelMoments)), inputs: [x], bound: .ulpsOfLargest(16)),
        OperatorCase(
          op: .normalizeTraining(NormalizeTraining(.channelProducts)), inputs: [x, dy, moments],
          bound: .ulpsOfLargest(64)),
      ]
      // Variances are not negative.
      var own = moments
      for c in shape[1]..<2 * shape[1] { own.values[c] = Double(Float(abs(own.values[c]))) }
      cases.append(
        OperatorCase(
          op: .normalizeTraining(NormalizeTraining(.batchGradient, epsilon: 0.5)),
          inputs: [x, dy, random.reals([shape[1]]), own, random.reals([2, shape[1]])],
          bound: .ulpsOfLargest(64)))
      // Two numbers in a row have a variance that may be tiny: a large ε keeps the bound meaningful.
      cases.append(
        OperatorCase(
          op: .normalizeTraining(NormalizeTraining(.layerGradient, epsilon: 0.5)),
          inputs: [x, random.reals([width]), dy], bound: .ulpsOfLargest(64)))
    }
    return cases
  }

  static func normalize(_ random: inout SplitMix64) -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for shape in [[2, 3], [4, 5, 17], [1, 2, 3, 4], [3, 16, 2], [0, 4], [2, 1, 1]] {
      let channels = [shape[1]]
      let variance = ReferenceTensor(random.wholes(channels, 1...9).values, extents: channels)
      cases.append(
        OperatorCase(
          op: .normalize(Normalize(.batch, epsilon: 1e-3)),
          inputs: [
            random.reals(shape), random.reals(channels), random.reals(channels), random.reals(channels),
            variance,
          ],
          bound: .ulpsOfLargest(8)))
      let last = [shape[shape.count - 1]]
      // A row of one element has variance 0, which ε alone divides: it needs no special case.
      cases.append(
        OperatorCase(
          op: .normalize(Normalize(.layer, epsilon: 1e-3)),
          inputs: [random.reals(shape), random.reals(last), random.reals(last)], bound: .ulpsOfLargest(16)))
    }
    return cases
  }

  static func softmax(_ random: inout SplitMix64) -> [OperatorCase] {
    [([10], 0), ([3, 17], 1), ([17, 3], 0), ([2, 5, 4], 1), ([2, 1], 1), ([0, 3], 1)].flatMap { shape, axis in
      [
        OperatorCase(
          op: .softmax(Softmax(.softmax, axis: axis)), inputs: [random.reals(shape, range: 6)],
          bound: .ulps(8)),
        OperatorCase(
          op: .softmax(Softmax(.logSoftmax, axis: axis)), inputs: [random.reals(shape, range: 6)],
          bound: .ulpsOfLargest(4)),
      ]
    }
  }
}
