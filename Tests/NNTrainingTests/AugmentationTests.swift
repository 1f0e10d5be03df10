import CAllocationCounter
import Foundation
import NNGraph
import Testing

@testable import NNTraining

/// An image in memory of its own.
private func with<Result>(
  _ shape: [Int], _ values: [Float], _ body: (ImageSample) throws -> Result
) rethrows -> (result: Result, values: [Float]) {
  var (pixels, scratch) = (values, values)
  let result = try pixels.withUnsafeMutableBufferPointer { pixels in
    try scratch.withUnsafeMutableBufferPointer { scratch in
      try body(
        ImageSample(
          channels: shape[0], height: shape[1], width: shape[2], pixels: pixels, scratch: scratch))
    }
  }
  return (result, pixels)
}

/// What an augmentation makes of an image with some seed.
private func augmented(
  _ augmentation: any Augmentation, _ shape: [Int], _ values: [Float], seed: UInt64
) throws -> [Float] {
  var generator = Philox(seed: seed, stream: 3)
  return try with(shape, values) { try augmentation.augment($0, using: &generator) }.values
}

/// A batch in memory of its own, and what an augmentation makes of its features and targets.
private func augmentedBatch(
  _ augmentation: any Augmentation, _ shape: [Int], _ features: [Float], targets: [Float], seed: UInt64
) throws -> (features: [Float], targets: [Float]) {
  var (x, y, otherX, otherY) = (features, targets, features, targets)
  var generator = Philox(seed: seed, stream: 4)
  try x.withUnsafeMutableBufferPointer { x in
    try y.withUnsafeMutableBufferPointer { y in
      try otherX.withUnsafeMutableBufferPointer { otherX in
        try otherY.withUnsafeMutableBufferPointer { otherY in
          try augmentation.augment(
            SampleBatch(
              count: features.count / shape.reduce(1, *), sampleShape: shape, features: x, targets: y,
              featureScratch: otherX, targetScratch: otherY), using: &generator)
        }
      }
    }
  }
  return (x, y)
}

@Suite struct AugmentationTests {
  @Test func flipsMirrorRowsAndColumns() throws {
    let image: [Float] = [1, 2, 3, 4, 5, 6]
    #expect(try augmented(.flip(horizontal: 1), [1, 2, 3], image, seed: 1) == [3, 2, 1, 6, 5, 4])
    #expect(
      try augmented(.flip(horizontal: 0, vertical: 1), [1, 2, 3], image, seed: 1) == [4, 5, 6, 1, 2, 3])
    #expect(
      try augmented(.flip(horizontal: 1, vertical: 1), [2, 1, 3], image, seed: 1) == [3, 2, 1, 6, 5, 4])
    let mirrored = try (0..<400).count { seed in
      try augmented(.flip(), [1, 1, 2], [1, 2], seed: UInt64(seed)) == [2, 1]
    }
    #expect((160...240).contains(mirrored))
  }

  @Test func shiftsReachEveryPlaceAndFillWhatIsLeft() throws {
    var seen: Set<[Float]> = []
    for seed in 0..<300 {
      let result = try augmented(
        .shift(1, fill: 9), [1, 3, 3], [0, 0, 0, 0, 5, 0, 0, 0, 0], seed: UInt64(seed))
      #expect(result.count { $0 == 5 } == 1)
      let filled = result.count { $0 == 9 }
      let place = try #require(result.firstIndex(of: 5))
      #expect(filled == [5, 3, 5, 3, 0, 3, 5, 3, 5][place])
      seen.insert(result)
    }
    #expect(seen.count == 9)
    let rows = try augmented(.shift(rows: 0, columns: 2), [1, 1, 3], [1, 2, 3], seed: 8)
    #expect([[1, 2, 3], [0, 1, 2], [0, 0, 1], [2, 3, 0], [3, 0, 0]].contains(rows))
  }

  @Test func cropsTakeTheirBorderFromWhereTheyAreTold() throws {
    let image: [Float] = [1, 2, 3, 4]
    var seen: [[[Float]]] = [[], [], []]
    for seed in 0..<200 {
      for (index, border) in [RandomShift.Border.constant(7), .edge, .reflect].enumerated() {
        let result = try augmented(.crop(padding: 2, border: border), [1, 1, 4], image, seed: UInt64(seed))
        if !seen[index].contains(result) { seen[index].append(result) }
      }
    }
    // Rows move too, by up to two: of one row, only the border is left then, which for the others is the row itself.
    let columns: [[[Float]]] = [
      [[1, 2, 3, 4], [7, 1, 2, 3], [7, 7, 1, 2], [2, 3, 4, 7], [3, 4, 7, 7], [7, 7, 7, 7]],
      [[1, 2, 3, 4], [1, 1, 2, 3], [1, 1, 1, 2], [2, 3, 4, 4], [3, 4, 4, 4]],
    ]
    for index in 0..<2 { #expect(Set(seen[index]) == Set(columns[index])) }
    let square = (1...9).map { Float($0) }
    for seed in 0..<40 {
      let result = try augmented(.crop(padding: 2, border: .reflect), [1, 3, 3], square, seed: UInt64(seed))
      // Mirrored at the outermost pixels, neighbours stay neighbours: rows differ by 3, columns by 1.
      for row in 0..<3 {
        for column in 0..<2 {
          #expect((result[3 * row + column] - result[3 * row + column + 1]).magnitude == 1)
          #expect((result[3 * column + row] - result[3 * (column + 1) + row]).magnitude == 3)
        }
      }
    }
  }

  @Test(arguments: Golden.images.rotated.indices)
  func rotationsAgreeWithTorchvision(index: Int) throws {
    let golden = Golden.images.rotated[index]
    let result = with(golden.input.shape, golden.input.values.map { Float($0) }) {
      RandomRotation(degrees: 360, fill: golden.fill).rotate($0, degrees: golden.degrees)
    }.values
    #expect(relativeDifference(result.map { Double($0) }, golden.output.values) < 2e-6)
  }

  @Test func rotationsStayWithinTheirAngle() throws {
    let image: [Float] = [0, 0, 0, 0, 1, 1, 0, 0, 0]
    #expect(try augmented(.rotation(degrees: 0), [1, 3, 3], image, seed: 1) == image)
    for seed in 0..<50 {
      let result = try augmented(.rotation(degrees: 20), [1, 3, 3], image, seed: UInt64(seed))
      // The pixel right of the centre moves by at most sin 20° up or down.
      #expect(result[4] == 1 && result[5] >= 0.6 && result[2] <= 0.342 && result[8] <= 0.342)
    }
  }

  @Test(arguments: Golden.images.colours.indices)
  func coloursAgreeWithTorchvision(index: Int) throws {
    let golden = Golden.images.colours[index]
    let jitter = ColorJitter(brightness: 1, contrast: 1, saturation: 1, maximum: 1)
    let result = with(golden.input.shape, golden.input.values.map { Float($0) }) { image in
      switch golden.name {
      case "brightness": jitter.changeBrightness(image, golden.factor)
      case "contrast": jitter.changeContrast(image, golden.factor)
      default: jitter.changeSaturation(image, golden.factor)
      }
    }.values
    #expect(relativeDifference(result.map { Double($0) }, golden.output.values) < 1e-6)
  }

  @Test func brightnessFactorsFillTheirRange() throws {
    let factors = try (0..<500).map { seed in
      try augmented(.colorJitter(brightness: 0.4), [1, 1, 1], [100], seed: UInt64(seed))[0] / 100
    }
    #expect(factors.allSatisfy { $0 >= 0.6 && $0 <= 1.4 })
    #expect(factors.min() ?? 1 < 0.61 && factors.max() ?? 1 > 1.39)
    #expect((factors.reduce(0, +) / 500 - 1).magnitude < 0.04)
  }

  @Test func noiseHasItsDeviation() throws {
    let values = try augmented(.noise(3), [1, 1, 4000], [Float](repeating: 10, count: 4000), seed: 2)
    let mean = values.reduce(0, +) / 4000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
    #expect((mean - 10).magnitude < 0.2 && (variance.squareRoot() - 3).magnitude < 0.1)
  }

  @Test func mixUpMixesFeaturesAndTargetsAlike() throws {
    // Sample i is i and its target one-hot, so that the features say what the targets must be.
    let count = 6
    var targets = [Float](repeating: 0, count: count * count)
    for index in 0..<count { targets[index * count + index] = 1 }
    let features = (0..<count).map { Float($0) }
    for seed in 0..<20 {
      let mixed = try augmentedBatch(.mixUp(alpha: 1), [1], features, targets: targets, seed: UInt64(seed))
      for sample in 0..<count {
        let row = mixed.targets[sample * count..<(sample + 1) * count]
        let expected = zip(row, features).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        #expect((mixed.features[sample] - expected).magnitude < 1e-5)
        #expect((row.reduce(0, +) - 1).magnitude < 1e-6)
      }
    }
  }

  @Test func partnersThatAreNotThereChangeNothing() throws {
    struct Wrong: Augmentation {
      let partners: [Int]
      func augment(_ batch: SampleBatch, using generator: inout Philox) {
        batch.mixFeatures(with: partners, share: 0.5)
        batch.mixTargets(with: partners, share: 0.5)
      }
    }
    for (partners, expected) in [([0, 2], [1, 3]), ([-1, 0], [1, 3]), ([1], [1, 3]), ([1, 0], [2, 2])] {
      let mixed = try augmentedBatch(Wrong(partners: partners), [1], [1, 3], targets: [1, 3], seed: 1)
      #expect(mixed.features == expected.map { Float($0) } && mixed.targets == mixed.features)
    }
  }

  @Test func cutMixMixesTargetsByArea() throws {
    let (count, shape) = (4, [2, 6, 8])
    let features = (0..<count).flatMap { [Float](repeating: Float($0), count: 96) }
    var targets = [Float](repeating: 0, count: count * count)
    for index in 0..<count { targets[index * count + index] = 1 }
    var areas: Set<Int> = []
    for seed in 0..<30 {
      let mixed = try augmentedBatch(.cutMix(alpha: 1), shape, features, targets: targets, seed: UInt64(seed))
      for sample in 0..<count {
        let pixels = mixed.features[sample * 96..<(sample + 1) * 96]
        #expect(Array(pixels.prefix(48)) == Array(pixels.suffix(48)))
        for label in 0..<count {
          let share = Float(pixels.count { $0 == Float(label) }) / 96
          #expect((mixed.targets[sample * count + label] - share).magnitude < 1e-6)
        }
        areas.insert(pixels.count { $0 != Float(sample) })
      }
    }
    #expect(areas.count > 8)
  }

  @Test func oneOfChoosesEachAlike() throws {
    let choice = OneOf(choices: [.shift(rows: 0, columns: 0), .flip(horizontal: 1)])
    let flipped = try (0..<400).count {
      try augmented(choice, [1, 1, 2], [1, 2], seed: UInt64($0)) == [2, 1]
    }
    #expect((160...240).contains(flipped))
    #expect(!choice.mixesTargets && OneOf(choices: [.mixUp(), .flip()]).mixesTargets)
  }

  @Test(arguments: [0.2, 1.0, 3.0])
  func betaDistributionsHaveTheirMoments(alpha: Double) {
    var generator = Philox(seed: 1, stream: 5)
    let draws = (0..<20000).map { _ in generator.beta(alpha) }
    let mean = draws.reduce(0, +) / 20000
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20000
    #expect((mean - 0.5).magnitude < 0.01)
    // 1/(4·(2α + 1))
    #expect((variance * 4 * (2 * alpha + 1) - 1).magnitude < 0.03)
    #expect(draws.allSatisfy { $0 >= 0 && $0 <= 1 })
  }

  @Test func exponentialSineAndCosineHaveTheirDigits() {
    for x in stride(from: -700.0, through: 700, by: 13.7) {
      #expect((exponential(x) / Foundation.exp(x) - 1).magnitude < 1e-13)
    }
    for x in [709.4, 709.5, 709.7, 709.78, -708, -744] {
      #expect((exponential(x) / Foundation.exp(x) - 1).magnitude < (x < -708 ? 1 : 1e-13), "\(x)")
    }
    #expect(
      exponential(709.79) == .infinity && exponential(800) == .infinity && exponential(-.infinity) == 0
        && exponential(.nan).isNaN)
    for degrees in stride(from: -1000.0, through: 1000, by: 7.3) {
      let (sine, cosine) = sineAndCosine(degrees: degrees)
      #expect((sine - Foundation.sin(degrees * .pi / 180)).magnitude < 1e-14)
      #expect((cosine - Foundation.cos(degrees * .pi / 180)).magnitude < 1e-14)
    }
    #expect(sineAndCosine(degrees: 90) == (1, 0) && sineAndCosine(degrees: -180).cosine == -1)
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    let image = [3, 8, 8]
    let cases: [(any Augmentation, [Int])] = [
      (.flip(), [8]), (.flip(horizontal: 1.5), image), (.flip(horizontal: .nan), image),
      (.shift(-1), image), (.shift(Int.max), image), (.crop(padding: 8, border: .reflect), image),
      (.crop(padding: -1), image), (.rotation(degrees: .nan), image), (.noise(-1), image),
      (.colorJitter(brightness: -0.1), image), (.colorJitter(saturation: 0.1), [1, 8, 8]),
      (.colorJitter(maximum: 0), image), (.mixUp(alpha: 0), [4]), (.cutMix(), [4]),
      (OneOf(choices: []), image), (.oneOf(.flip(), .noise(-1)), image),
    ]
    for (augmentation, shape) in cases {
      #expect(throws: NNError.self, "\(augmentation)") { try augmentation.require(sampleShape: shape) }
    }
  }
}
