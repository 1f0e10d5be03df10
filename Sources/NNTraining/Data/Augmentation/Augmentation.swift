import NNGraph

/// A random change of samples while training, so that a model sees something new in every epoch.
///
/// ```swift
/// try trainer.fit(images, epochs: 20, augmentation: [.flip(), .shift(4), .mixUp(alpha: 0.2)])
/// ```
///
/// One of your own is a few lines:
///
/// ```swift
/// struct Invert: Augmentation {
///   func augment(_ image: ImageSample, using generator: inout Philox) {
///     if generator.uniform() < 0.5 {
///       for index in image.pixels.indices { image.pixels[index] = 255 - image.pixels[index] }
///     }
///   }
/// }
/// ```
///
/// What changes single samples comes first, in the order given, then what changes whole batches. Both run on threads of their own
/// (``Trainer/Options/dataThreads``) and must take random numbers from the generator alone: it belongs to the seed, the epoch and
/// the sample's position in it, so that results depend neither on threads nor on interruptions. Evaluation is never augmented.
public protocol Augmentation: Sendable {
  /// Whether targets become mixtures, so that the loss must have a ``Loss/mixedTargetLoss``. No unless given.
  var mixesTargets: Bool { get }

  /// Whether pixels change their places, so that targets with a position for each of them would have to move along, which they do
  /// not: such data are refused. Yes unless given.
  var movesPixels: Bool { get }

  /// Throws if samples of this shape, without the batch, cannot be changed. Unless given, they must be images (C, H, W).
  func require(sampleShape: [Int]) throws(NNError)

  /// Changes one sample. Nothing unless given.
  func augment(_ image: ImageSample, using generator: inout Philox) throws(NNError)

  /// Changes a batch. Nothing unless given.
  func augment(_ batch: SampleBatch, using generator: inout Philox) throws(NNError)
}

extension Augmentation {
  public var mixesTargets: Bool { false }
  public var movesPixels: Bool { true }

  public func require(sampleShape: [Int]) throws(NNError) { try requireImages(sampleShape) }

  public func augment(_ image: ImageSample, using generator: inout Philox) throws(NNError) {}
  public func augment(_ batch: SampleBatch, using generator: inout Philox) throws(NNError) {}
}

/// One sample that is being prepared for a step; valid during the call it is given to. A sample that is no image has one channel
/// and one row.
public struct ImageSample {
  public let channels: Int
  public let height: Int
  public let width: Int
  /// (C, H, W) row-major.
  public let pixels: UnsafeMutableBufferPointer<Float>
  /// As many numbers, to work with.
  let scratch: UnsafeMutableBufferPointer<Float>

  /// A pixel; outside of the image 0, and nothing is set there.
  public subscript(channel: Int, row: Int, column: Int) -> Float {
    get { contains(channel, row, column) ? pixels[(channel * height + row) * width + column] : 0 }
    nonmutating set {
      if contains(channel, row, column) { pixels[(channel * height + row) * width + column] = newValue }
    }
  }

  private func contains(_ channel: Int, _ row: Int, _ column: Int) -> Bool {
    channel >= 0 && channel < channels && row >= 0 && row < height && column >= 0 && column < width
  }

  /// Gives each pixel the value that the image has at another place.
  ///
  /// - Parameters:
  ///   - fill: what there is outside of the image.
  ///   - source: the place, row and column, for a pixel; nil for one outside.
  public func move(fill: Float = 0, from source: (_ row: Int, _ column: Int) -> (row: Int, column: Int)?) {
    _ = scratch.update(from: pixels)
    let plane = height * width
    for row in 0..<height {
      for column in 0..<width {
        let target = row * width + column
        var from = -1
        if let place = source(row, column), contains(0, place.row, place.column) {
          from = place.row * width + place.column
        }
        for channel in 0..<channels {
          pixels[channel * plane + target] = from < 0 ? fill : scratch[channel * plane + from]
        }
      }
    }
  }

  /// Gives each pixel the value that the image has at another place, interpolated between the four nearest pixels.
  ///
  /// - Parameters:
  ///   - fill: what there is outside of the image.
  ///   - source: the place for a pixel, row and column; whole numbers are the pixels' centres.
  public func resample(
    fill: Float = 0, from source: (_ row: Double, _ column: Double) -> (row: Double, column: Double)
  ) {
    _ = scratch.update(from: pixels)
    let plane = height * width
    for row in 0..<height {
      for column in 0..<width {
        let place = source(Double(row), Double(column))
        // Also false for what is not a number.
        let isNear =
          place.row > -1 && place.row < Double(height) && place.column > -1 && place.column < Double(width)
        let (top, left) =
          isNear ? (Int(place.row.rounded(.down)), Int(place.column.rounded(.down))) : (-2, -2)
        let (down, right) = (place.row - Double(top), place.column - Double(left))
        for channel in 0..<channels {
          func at(_ row: Int, _ column: Int) -> Double {
            contains(channel, row, column)
              ? Double(scratch[channel * plane + row * width + column]) : Double(fill)
          }
          pixels[channel * plane + row * width + column] =
            isNear
            ? Float(
              (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1))
                + down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)))
            : fill
        }
      }
    }
  }
}

/// The samples of one step; valid during the call they are given to.
public struct SampleBatch {
  public let count: Int
  /// The shape of one sample, without the batch.
  public let sampleShape: [Int]
  /// Sample after sample, row-major.
  public let features: UnsafeMutableBufferPointer<Float>
  /// Target after target, as f32; classes are (N, classes) with a 1 at each sample's class. Empty for class targets unless some
  /// augmentation of the pipeline mixes targets.
  public let targets: UnsafeMutableBufferPointer<Float>
  let featureScratch: UnsafeMutableBufferPointer<Float>
  let targetScratch: UnsafeMutableBufferPointer<Float>

  /// Elements of one sample, and of one target.
  public var sampleSize: Int { features.count / max(count, 1) }
  public var targetSize: Int { targets.count / max(count, 1) }
}
