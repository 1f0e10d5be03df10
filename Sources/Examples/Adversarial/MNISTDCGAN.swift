import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A deep convolutional generative adversarial network on handwritten digits. Radford et al. 2016. A classifier that is trained
  /// apart, on the same digits, says what its samples look like.
  static let mnistDCGAN = Example(
    name: "mnist-dcgan", family: "GAN",
    summary: "DCGAN on 28×28 digits, judged by a separately trained classifier",
    settings: Settings(epochs: 60, batchSize: 64, learningRate: 3e-4, seed: 1), outputs: []
  ) { (run) throws(NNError) in
    let (training, held) = try ExampleData.mnist(run)
    let (batch, latent) = (run.settings.batchSize, 64)
    let store = ParameterStore(seed: run.settings.seed)
    let step = try adversarialStep(store, batch, latent, run.settings.learningRate)
    let pixels = training.features.map { $0 / 127.5 - 1 }
    var order = Philox(seed: run.settings.seed, stream: Philox.stream(of: "order"))
    for epoch in 0..<run.settings.epochs {
      let rows = (0..<training.count).shuffled(using: &order)
      for first in stride(from: 0, to: rows.count - batch + 1, by: batch) {
        try step.set("real", rows[first..<first + batch].flatMap { pixels[$0 * 784..<($0 + 1) * 784] })
        try step.run()
      }
      run.say(
        "epoch \(epoch + 1): critic loss \(try step["critic loss"]), generator loss \(try step["generator loss"])"
      )
    }
    let trained = TrainedModel(dcganGenerator, parameters: store, sampleShape: [latent])
    let noise = (0..<1000 * latent).map { _ in Float(order.normal()) }
    let samples = try trained.predict(noise)
    try run.picture(
      "mnist-dcgan", Array(samples.prefix(100 * 784)), height: 28, width: 28, columns: 10, range: -1...1)
    let (digits, counts) = try judge(samples.map { ($0 + 1) * 127.5 }, training, held, run)
    run.say("samples called each digit, of 1,000: \(counts)")
    var metadata = Metadata()
    metadata.name = "mnist-dcgan"
    metadata.description =
      "Makes 28×28 pictures of digits, −1 (paper) to 1 (ink), from 64 normal random numbers."
    return ExampleResult(
      metric: "digits", value: Double(digits), mark: .atLeast(10),
      exports: [
        .init(file: try trained.file(metadata: metadata, selfTestInputs: Array(noise.prefix(4 * latent))))
      ])
  }

  private static func adversarialStep(
    _ store: ParameterStore, _ batch: Int, _ latent: Int, _ rate: Float
  ) throws(NNError) -> CustomStep {
    try CustomStep(parameters: store, inputs: [.init("real", [batch, 1, 28, 28])]) { (step) throws(NNError) in
      let fake = try dcganGenerator(step.trace.random(.normal, [batch, latent]))
      let real = try dcganDiscriminator(step["real"])
      // Targets of 0.9 for real pictures keep the discriminator from certainty. Salimans et al. 2016, section 3.4.
      let known = try (real.unary(.softplus) - real * 0.9).mean()
      let critic = try known + dcganDiscriminator(fake.stoppingGradient()).unary(.softplus).mean()
      let fooling = try (-dcganDiscriminator(fake)).unary(.softplus).mean()
      try step.minimize(critic, of: "discriminator", with: Adam(learningRate: rate, beta1: 0.5))
      try step.minimize(fooling, of: "generator", with: Adam(learningRate: rate, beta1: 0.5))
      try step.output(critic, "critic loss")
      try step.output(fooling, "generator loss")
    }
  }

  private static var dcganGenerator: Network {
    Network("generator") {
      Dense(64 * 7 * 7, useBias: false, initializer: .normal(standardDeviation: 0.05))
      Reshape(64, 7, 7)
      BatchNorm()
      Activation.relu
      ConvTranspose2D(
        32, kernelSize: 4, strides: 2, padding: 1, useBias: false,
        initializer: .normal(standardDeviation: 0.05))
      BatchNorm()
      Activation.relu
      ConvTranspose2D(
        1, kernelSize: 4, strides: 2, padding: 1, activation: .tanh,
        initializer: .normal(standardDeviation: 0.05))
    }
  }

  private static var dcganDiscriminator: Network {
    Network("discriminator") {
      Conv2D(
        32, kernelSize: 4, strides: 2, padding: .explicit(1, 1), activation: .leakyRelu(slope: 0.2),
        initializer: .normal(standardDeviation: 0.05))
      Dropout(0.2)
      Conv2D(
        64, kernelSize: 4, strides: 2, padding: .explicit(1, 1), useBias: false,
        initializer: .normal(standardDeviation: 0.05))
      BatchNorm()
      Activation.leakyRelu(slope: 0.2)
      Dropout(0.2)
      Flatten()
      Dense(1)
    }
  }

  /// How many digits at least 1 % of the samples are called with a probability of at least 0.9, and how often each one.
  private static func judge(
    _ samples: [Float], _ training: Dataset, _ held: Dataset, _ run: ExampleRun
  ) throws(NNError) -> (digits: Int, counts: [Int]) {
    let classifier = try Trainer(
      Sequential {
        Rescaling(scale: 1.0 / 255)
        Conv2D(16, kernelSize: 3, padding: .same, activation: .relu, initializer: .heUniform)
        MaxPool2D(2)
        Conv2D(32, kernelSize: 3, padding: .same, activation: .relu, initializer: .heUniform)
        MaxPool2D(2)
        Flatten()
        Dropout(0.3)
        Dense(10)
      }, sampleShape: [1, 28, 28], loss: .softmaxCrossEntropy, optimizer: AdamW(learningRate: 2e-3),
      metrics: [.accuracy], seed: run.settings.seed + 1)
    try classifier.fit(training, epochs: run.isQuick ? 1 : 10, batchSize: 64)
    run.say("the judging classifier: \(try classifier.evaluate(held).line(of: "held-out"))")
    let probabilities = try classifier.predict(samples, head: .softmax)
    var counts = [Int](repeating: 0, count: 10)
    for first in stride(from: 0, to: probabilities.count, by: 10) {
      let row = probabilities[first..<first + 10]
      if let best = row.max(), best >= 0.9, let index = row.firstIndex(of: best) {
        counts[index - first] += 1
      }
    }
    return (counts.count { $0 * 100 >= samples.count / 784 }, counts)
  }
}
