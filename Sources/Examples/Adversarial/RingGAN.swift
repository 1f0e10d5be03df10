import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// A generative adversarial network that learns a ring of eight Gaussians, a distribution whose modes small networks like to
  /// forget. Goodfellow et al. 2014, with the non-saturating loss, and Roth et al. 2017's noise on what the discriminator sees.
  static let ringGAN = Example(
    name: "ring-gan", family: "GAN", summary: "a ring of 8 Gaussians (made)",
    settings: Settings(epochs: 6000, batchSize: 256, learningRate: 1e-3, seed: 1), quickEpochs: 100,
    outputs: []
  ) { (run) throws(NNError) in
    let (batch, latent) = (run.settings.batchSize, 16)
    let store = ParameterStore(seed: run.settings.seed)
    let generator = Network("generator") {
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(2)
    }
    let discriminator = Network("discriminator") {
      Dense(128, activation: .leakyRelu(slope: 0.2), initializer: .heUniform)
      Dense(128, activation: .leakyRelu(slope: 0.2), initializer: .heUniform)
      Dense(1)
    }
    let step = try CustomStep(parameters: store, inputs: [.init("real", [batch, 2]), .init("noise", [])]) {
      (step) throws(NNError) in
      let fake = try generator(step.trace.random(.normal, [batch, latent]))
      func judged(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
        try discriminator(x + step.trace.random(.normal, like: x) * step["noise"])
      }
      let real = try judged(step["real"])
      let critic =
        try (-real).unary(.softplus).mean() + judged(fake.stoppingGradient()).unary(.softplus).mean()
      let fooling = try (-judged(fake)).unary(.softplus).mean()
      try step.minimize(
        critic, of: "discriminator", with: Adam(learningRate: run.settings.learningRate, beta1: 0.5))
      try step.minimize(
        fooling, of: "generator", with: Adam(learningRate: run.settings.learningRate, beta1: 0.5))
      try step.output(critic, "critic loss")
      try step.output(fooling, "generator loss")
    }
    var data = Philox(seed: run.settings.seed, stream: Philox.stream(of: "ring"))
    for round in 0..<run.settings.epochs {
      let progress = Double(round) / Double(run.settings.epochs)
      try step.set("real", (0..<batch).flatMap { _ in ringSample(&data) })
      // Blurred at first, so that every mode is felt from everywhere; sharp at the end.
      try step.set("noise", [Float(0.5 * (1 - progress) * (1 - progress))])
      step.learningRates = step.learningRates.map { _ in
        Double(run.settings.learningRate) * (1 - 0.9 * progress)
      }
      try step.run()
      if round % 1000 == 999 {
        run.say(
          "round \(round + 1): critic loss \(try step["critic loss"]), generator loss \(try step["generator loss"])"
        )
      }
    }
    let trained = TrainedModel(generator, parameters: store, sampleShape: [latent])
    let noise = (0..<2000 * latent).map { _ in Float(data.normal()) }
    let (modes, share) = ringCoverage(try trained.predict(noise))
    run.say("\(modes) of 8 modes covered; \(share) of 2,000 samples within 3 standard deviations of one")
    var metadata = Metadata()
    metadata.name = "ring-gan"
    metadata.description = "Makes points of a ring of eight Gaussians from 16 normal random numbers."
    return ExampleResult(
      metric: "modes", value: Double(modes), mark: .atLeast(8),
      exports: [
        .init(file: try trained.file(metadata: metadata, selfTestInputs: Array(noise.prefix(16 * latent))))
      ])
  }

  private static let ringDeviation = 0.05

  /// The centres: eight points at distance 1.
  private static var ringCentres: [(x: Double, y: Double)] {
    let diagonal = 0.5.squareRoot()
    return [
      (1, 0), (diagonal, diagonal), (0, 1), (-diagonal, diagonal), (-1, 0), (-diagonal, -diagonal), (0, -1),
      (diagonal, -diagonal),
    ]
  }

  private static func ringSample(_ generator: inout Philox) -> [Float] {
    let centre = ringCentres[generator.index(below: 8)]
    return [
      Float(centre.x + ringDeviation * generator.normal()),
      Float(centre.y + ringDeviation * generator.normal()),
    ]
  }

  /// How many modes have at least 2 % of the points within three standard deviations, and the share of points that have one.
  private static func ringCoverage(_ points: [Float]) -> (modes: Int, share: Double) {
    let count = points.count / 2
    var hits = [Int](repeating: 0, count: 8)
    for index in 0..<count {
      let (x, y) = (Double(points[2 * index]), Double(points[2 * index + 1]))
      for (mode, centre) in ringCentres.enumerated() {
        let square = (x - centre.x) * (x - centre.x) + (y - centre.y) * (y - centre.y)
        if square < 9 * ringDeviation * ringDeviation { hits[mode] += 1 }
      }
    }
    return (hits.count { $0 * 50 >= count }, Double(hits.reduce(0, +)) / Double(max(count, 1)))
  }
}
