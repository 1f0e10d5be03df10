import NNFormat
import NNGraph
import NNTraining

extension Example {
  /// Digits squeezed into eight numbers and back, against principal components.
  static let digitsAutoencoder = autoencoder(
    "digits-autoencoder", summary: "8×8 digits to 8 numbers and back, against 8 principal components",
    noise: 0)

  /// Digits freed from noise by way of eight numbers.
  static let digitsDenoising = autoencoder(
    "digits-denoising",
    summary: "noisy 8×8 digits made clean by way of 8 numbers, against 8 principal components",
    noise: 0.25)

  private static func autoencoder(_ name: String, summary: String, noise: Float) -> Example {
    Example(
      name: name, family: "autoencoder", summary: summary,
      settings: Settings(epochs: 150, batchSize: 32, learningRate: 3e-3, seed: 1), quickEpochs: 3
    ) { (run) throws(NNError) in
      let (training, held) = try digitsAsTargets(run, noise: noise)
      let trainer = try Trainer(
        Sequential {
          // Drawn anew in every step; the held-out digits have noise of their own.
          GaussianNoise(noise)
          encoder
          decoder
        }, sampleShape: [64], loss: .meanSquaredError,
        optimizer: AdamW(learningRate: run.settings.learningRate),
        seed: run.settings.seed)
      try trainer.fitScheduled(training, held: held, run)
      let ours = try trainer.evaluate(held).loss
      let principal = try principalError(training, held)
      run.say("held-out mean squared error: autoencoder \(ours), principal components \(principal)")
      try run.picture(
        name, Array(held.features.prefix(640) + trainer.predict(Array(held.features.prefix(640)))), height: 8,
        width: 8,
        columns: 10)
      return ExampleResult(
        metric: "error", value: ours, mark: .below(principal),
        exports: [.init(file: try trainer.trained.file(metadata: metadata(name), testedOn: held))], held: held
      )
    }
  }

  /// A variational autoencoder: eight numbers with a normal distribution, from which new digits are drawn.
  static let digitsVAE = Example(
    name: "digits-vae", family: "autoencoder",
    summary: "variational autoencoder with 8 latent numbers on 8×8 digits",
    settings: Settings(epochs: 200, batchSize: 32, learningRate: 3e-3, seed: 1), quickEpochs: 3
  ) { (run) throws(NNError) in
    let (training, held) = try digitsAsTargets(run, noise: 0)
    let trainer = try Trainer(
      Sequential {
        Network("encoder") {
          Dense(128, activation: .relu, initializer: .heUniform)
          Dense(64, activation: .relu, initializer: .heUniform)
          Dense(16)
        }
        Sampling(weight: 0.002)
        decoder
      }, sampleShape: [64], loss: .meanSquaredError,
      optimizer: AdamW(learningRate: run.settings.learningRate),
      seed: run.settings.seed)
    try trainer.fitScheduled(training, held: held, run)
    let ours = try trainer.evaluate(held).loss
    let principal = try principalError(training, held)
    run.say("held-out mean squared error: variational autoencoder \(ours), principal components \(principal)")
    let generator = TrainedModel(decoder, parameters: trainer.store, sampleShape: [8])
    var draws = Philox(seed: run.settings.seed, stream: Philox.stream(of: "samples"))
    let latent = (0..<100 * 8).map { _ in Float(draws.normal()) }
    try run.picture("digits-vae-samples", generator.predict(latent), height: 8, width: 8, columns: 10)
    return ExampleResult(
      metric: "error", value: ours, mark: .below(principal),
      exports: [
        .init(file: try trainer.trained.file(metadata: metadata("digits-vae"), testedOn: held)),
        .init(
          name: "generator",
          file: try generator.file(
            metadata: metadata("digits-vae-generator"), selfTestInputs: Array(latent.prefix(32)))),
      ], held: held)
  }

  /// Takes mean and log-variance (N, 2·D) and draws from that normal distribution while training; in evaluation it gives the mean.
  /// Its divergence from the standard normal distribution joins the loss. Kingma and Welling 2014, section 2.4 and appendix B.
  struct Sampling: Layer {
    /// What the divergence counts for against the reconstruction.
    let weight: Float

    func forward(_ x: SymbolicTensor) throws(NNError) -> SymbolicTensor {
      let width = (x.shape[1].extent ?? 0) / 2
      let mean = try x.sliced([.all, SliceRange(start: 0, end: width)])
      guard x.trace.isTraining else { return mean }
      let logVariance = try x.sliced([.all, SliceRange(start: width, end: 2 * width)])
      let divergence = try (mean.squared() + logVariance.exponential() - logVariance - 1).sum(axes: [1]) * 0.5
      try x.trace.addLoss(divergence.mean() * weight)
      return try mean + (logVariance * 0.5).exponential() * x.trace.random(.normal, like: mean)
    }
  }

  private static var encoder: Network {
    Network("encoder") {
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(64, activation: .relu, initializer: .heUniform)
      Dense(8)
    }
  }

  private static var decoder: Network {
    Network("decoder") {
      Dense(64, activation: .relu, initializer: .heUniform)
      Dense(128, activation: .relu, initializer: .heUniform)
      Dense(64, activation: .sigmoid)
    }
  }

  /// The digits with pixels in 0…1 as samples, noisy for the held-out ones if asked for, and clean as targets.
  static func digitsAsTargets(_ run: ExampleRun, noise: Float) throws(NNError) -> Parts {
    let (training, held) = try Digits.split(sampleShape: [64], seed: run.settings.seed)
    func scaled(_ data: Dataset, _ noise: Float) throws(NNError) -> Dataset {
      let clean = data.features.map { $0 / 16 }
      var generator = Philox(seed: run.settings.seed, stream: Philox.stream(of: "noise"))
      let samples = noise == 0 ? clean : clean.map { $0 + noise * Float(generator.normal()) }
      return try Dataset(features: samples, sampleShape: [64], targets: .values(clean, shape: [64]))
    }
    return (try scaled(training, 0), try scaled(held, noise))
  }

  /// The mean squared error of held-out samples brought to 8 principal components of the training samples and back.
  static func principalError(_ training: Dataset, _ held: Dataset) throws(NNError) -> Double {
    guard case .values(let clean, _) = held.targets else { return .nan }
    let components = try PCA(training.features, width: 64, components: 8)
    let back = try components.inverseTransform(components.transform(held.features))
    return zip(back, clean).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(clean.count)
  }

  static func metadata(_ name: String) -> Metadata {
    var metadata = Metadata()
    metadata.name = Name(name)
    metadata.authors = "the nnrt examples"
    metadata.licence = Name(Digits.licence)
    metadata["data"] = Name(Digits.source)
    return metadata
  }
}
