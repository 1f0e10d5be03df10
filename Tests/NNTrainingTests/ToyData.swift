import NNGraph
import NNTraining

/// The four cases of exclusive or, repeated.
func exclusiveOr(repeats: Int = 16) throws -> Dataset {
  var features: [Float] = []
  var targets: [Float] = []
  for _ in 0..<repeats {
    features += [0, 0, 0, 1, 1, 0, 1, 1]
    targets += [0, 1, 1, 0]
  }
  return try Dataset(features: features, sampleShape: [2], targets: .values(targets, shape: [1]))
}

/// Points around three centres, by class.
func blobs(count: Int = 150, seed: UInt64 = 5) throws -> Dataset {
  let centres: [(Float, Float)] = [(0, 2), (2, -1), (-2, -1)]
  var generator = Philox(seed: seed, stream: 1)
  var features: [Float] = []
  var classes: [Int] = []
  for index in 0..<count {
    let centre = centres[index % 3]
    features.append(centre.0 + 0.6 * Float(generator.normal()))
    features.append(centre.1 + 0.6 * Float(generator.normal()))
    classes.append(index % 3)
  }
  return try Dataset(features: features, sampleShape: [2], targets: .classes(classes))
}

/// Images (1, 6, 6) with a bright row (class 0) or a bright column (class 1) in noise.
func stripes(count: Int = 60, seed: UInt64 = 6) throws -> Dataset {
  var generator = Philox(seed: seed, stream: 2)
  var features: [Float] = []
  var classes: [Int] = []
  for index in 0..<count {
    let line = generator.index(below: 6)
    for row in 0..<6 {
      for column in 0..<6 {
        let isBright = index % 2 == 0 ? row == line : column == line
        features.append((isBright ? 1 : 0) + 0.2 * Float(generator.normal()))
      }
    }
    classes.append(index % 2)
  }
  return try Dataset(features: features, sampleShape: [1, 6, 6], targets: .classes(classes))
}

/// A small network with everything that keeps state: batch normalisation, dropout, convolution, dense.
func smallConvolutionalModel() -> Sequential {
  Sequential {
    Conv2D(4, kernelSize: 3, padding: .same)
    BatchNorm()
    Activation.relu
    MaxPool2D(2)
    Flatten()
    Dropout(0.25)
    Dense(8, activation: .tanh)
    LayerNorm()
    Dense(2)
  }
}

func smallConvolutionalTrainer(
  seed: UInt64 = 3, optimizer: any Optimizer = Adam(learningRate: 0.01)
) throws -> Trainer {
  try Trainer(
    smallConvolutionalModel(), sampleShape: [1, 6, 6], loss: .softmaxCrossEntropy, optimizer: optimizer,
    metrics: [.accuracy], clipping: .globalNorm(1), seed: seed)
}

extension Trainer {
  /// The bits of every parameter and running statistic.
  var bits: [[UInt32]] { parameters.map { $0.values.map { $0.bitPattern } } }
}
