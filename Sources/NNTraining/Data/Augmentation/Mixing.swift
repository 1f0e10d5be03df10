import NNGraph

/// Replaces the samples of a batch by mixtures λ·x + (1 − λ)·x′ with others of the batch, and their targets by the same mixtures;
/// λ is drawn once for each batch from a beta distribution. Zhang et al. 2018, "mixup: Beyond Empirical Risk Minimization".
public struct MixUp: Augmentation {
  /// Both parameters of the beta distribution: small ones leave most samples nearly as they are.
  public let alpha: Double

  public var mixesTargets: Bool { true }
  public var movesPixels: Bool { false }

  public func require(sampleShape: [Int]) throws(NNError) { try requireBetaParameter(alpha) }

  public func augment(_ batch: SampleBatch, using generator: inout Philox) {
    let share = Float(generator.beta(alpha))
    let partners = (0..<batch.count).shuffled(using: &generator)
    batch.mixFeatures(with: partners, share: share)
    batch.mixTargets(with: partners, share: share)
  }
}

/// Pastes a rectangle of another image of the batch into each; targets are mixed by area. The rectangle is the same for a batch, it
/// takes 1 − λ of the image, as far as it lies inside, with λ from a beta distribution. Yun et al. 2019, "CutMix: Regularization
/// Strategy to Train Strong Classifiers with Localizable Features".
public struct CutMix: Augmentation {
  /// Both parameters of the beta distribution.
  public let alpha: Double

  public var mixesTargets: Bool { true }

  public func require(sampleShape: [Int]) throws(NNError) {
    try requireImages(sampleShape)
    try requireBetaParameter(alpha)
  }

  public func augment(_ batch: SampleBatch, using generator: inout Philox) {
    guard batch.sampleShape.count == 3 else { return }
    let (height, width) = (batch.sampleShape[1], batch.sampleShape[2])
    let side = (1 - generator.beta(alpha)).squareRoot()
    func span(_ extent: Int) -> Range<Int> {
      let length = Int(Double(extent) * side)
      let centre = generator.index(below: max(extent, 1))
      return max(centre - length / 2, 0)..<min(centre - length / 2 + length, extent)
    }
    let (rows, columns) = (span(height), span(width))
    let partners = (0..<batch.count).shuffled(using: &generator)
    batch.paste(rows: rows, columns: columns, of: partners)
    let taken = Double(rows.count * columns.count) / Double(max(height * width, 1))
    batch.mixTargets(with: partners, share: Float(1 - taken))
  }
}

/// One of several augmentations, each as likely as the others: drawn anew for each sample, and for each batch.
public struct OneOf: Augmentation {
  public let choices: [any Augmentation]

  public var mixesTargets: Bool { choices.contains { $0.mixesTargets } }
  public var movesPixels: Bool { choices.contains { $0.movesPixels } }

  public func require(sampleShape: [Int]) throws(NNError) {
    guard !choices.isEmpty else { throw NNError(.invalidArgument, "one of no augmentations") }
    for choice in choices { try choice.require(sampleShape: sampleShape) }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) throws(NNError) {
    try choices[generator.index(below: choices.count)].augment(image, using: &generator)
  }

  public func augment(_ batch: SampleBatch, using generator: inout Philox) throws(NNError) {
    try choices[generator.index(below: choices.count)].augment(batch, using: &generator)
  }
}

extension Augmentation where Self == MixUp {
  public static func mixUp(alpha: Double = 0.2) -> MixUp { MixUp(alpha: alpha) }
}

extension Augmentation where Self == CutMix {
  public static func cutMix(alpha: Double = 1) -> CutMix { CutMix(alpha: alpha) }
}

extension Augmentation where Self == OneOf {
  public static func oneOf(_ choices: any Augmentation...) -> OneOf { OneOf(choices: choices) }
}

private func requireBetaParameter(_ alpha: Double) throws(NNError) {
  guard alpha >= 1e-3, alpha <= 1e6 else {
    throw NNError(.invalidArgument, "an alpha of \(alpha), not in 0.001...1000000")
  }
}

extension SampleBatch {
  /// Replaces the features x of each sample by share·x + (1 − share)·x′ with those of its partner.
  ///
  /// - Parameter partners: for each sample the index of another one; nothing is done unless all are in 0..<count.
  public func mixFeatures(with partners: [Int], share: Float) {
    mix(features, featureScratch, partners, share)
  }

  /// Replaces the target of each sample by the same mixture with that of its partner, see ``mixFeatures(with:share:)``.
  public func mixTargets(with partners: [Int], share: Float) {
    mix(targets, targetScratch, partners, share)
  }

  private func mix(
    _ values: UnsafeMutableBufferPointer<Float>, _ scratch: UnsafeMutableBufferPointer<Float>,
    _ partners: [Int], _ share: Float
  ) {
    guard partners.count == count, partners.allSatisfy({ $0 >= 0 && $0 < count }) else { return }
    let width = values.count / max(partners.count, 1)
    _ = scratch.update(from: values)
    for (sample, partner) in partners.enumerated() {
      for offset in 0..<width {
        let index = sample * width + offset
        values[index] = share * scratch[index] + (1 - share) * scratch[partner * width + offset]
      }
    }
  }

  /// Replaces a rectangle of each image by that of its partner.
  func paste(rows: Range<Int>, columns: Range<Int>, of partners: [Int]) {
    let (channels, height, width) = (sampleShape[0], sampleShape[1], sampleShape[2])
    _ = featureScratch.update(from: features)
    for (sample, partner) in partners.enumerated() {
      for channel in 0..<channels {
        for row in rows {
          let offset = (channel * height + row) * width
          for column in columns {
            features[sample * sampleSize + offset + column] =
              featureScratch[partner * sampleSize + offset + column]
          }
        }
      }
    }
  }
}
