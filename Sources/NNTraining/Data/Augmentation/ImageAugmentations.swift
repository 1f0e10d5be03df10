import NNGraph

/// Mirrors images with the given probabilities: left and right, top and bottom.
public struct RandomFlip: Augmentation {
  public let horizontal: Double
  public let vertical: Double

  public func require(sampleShape: [Int]) throws(NNError) {
    try requireImages(sampleShape)
    for probability in [horizontal, vertical] where !(probability >= 0 && probability <= 1) {
      throw NNError(.invalidArgument, "a probability of \(probability), not in 0...1")
    }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) {
    let mirrors = generator.uniform() < horizontal
    let turns = generator.uniform() < vertical
    guard mirrors || turns else { return }
    image.move { row, column in
      (turns ? image.height - 1 - row : row, mirrors ? image.width - 1 - column : column)
    }
  }
}

/// Moves images by whole pixels, up or down and left or right, each distance as likely as the others: which is to say, adds a border
/// on all sides and cuts an image of the old size out of it.
public struct RandomShift: Augmentation {
  /// What comes in at the edges.
  public enum Border: Equatable, Sendable, CustomStringConvertible {
    case constant(Float)
    /// The pixels next to it.
    case edge
    /// The image mirrored at its outermost pixels, which are not repeated.
    case reflect

    public var description: String {
      switch self {
      case .constant(let value): "\(value)"
      case .edge: "edge"
      case .reflect: "reflect"
      }
    }
  }

  /// The largest distances.
  public let rows: Int
  public let columns: Int
  public let border: Border

  public func require(sampleShape: [Int]) throws(NNError) {
    try requireImages(sampleShape)
    let mirrored = border == .reflect
    let (most, widest) = mirrored ? (sampleShape[1] - 1, sampleShape[2] - 1) : (1 << 20, 1 << 20)
    guard rows >= 0, columns >= 0, rows <= most, columns <= widest else {
      throw NNError(
        .invalidArgument,
        "shifts by up to (\(rows), \(columns)) pixels\(mirrored ? " into the mirrored image" : "") of images of "
          + "(\(sampleShape[1]), \(sampleShape[2]))")
    }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) {
    let down = generator.index(below: 2 * rows + 1) - rows
    let right = generator.index(below: 2 * columns + 1) - columns
    if down == 0 && right == 0 { return }
    switch border {
    case .constant(let fill): image.move(fill: fill) { row, column in (row - down, column - right) }
    case .edge:
      image.move { row, column in
        (min(max(row - down, 0), image.height - 1), min(max(column - right, 0), image.width - 1))
      }
    case .reflect:
      func inside(_ index: Int, _ extent: Int) -> Int {
        let positive = index < 0 ? -index : index
        return positive < extent ? positive : 2 * (extent - 1) - positive
      }
      image.move { row, column in (inside(row - down, image.height), inside(column - right, image.width)) }
    }
  }
}

/// Turns images about their centres by an angle between −degrees and degrees, interpolating bilinearly.
public struct RandomRotation: Augmentation {
  public let degrees: Double
  public let fill: Float

  public func require(sampleShape: [Int]) throws(NNError) {
    try requireImages(sampleShape)
    guard degrees >= 0, degrees <= 360 else {
      throw NNError(.invalidArgument, "rotations by up to \(degrees)°, not in 0...360")
    }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) {
    rotate(image, degrees: (2 * generator.uniform() - 1) * degrees)
  }

  /// Counter-clockwise for positive angles.
  func rotate(_ image: ImageSample, degrees: Double) {
    let (sine, cosine) = sineAndCosine(degrees: degrees)
    let (y, x) = (Double(image.height - 1) / 2, Double(image.width - 1) / 2)
    image.resample(fill: fill) { row, column in
      let (down, right) = (row - y, column - x)
      return (y + sine * right + cosine * down, x + cosine * right - sine * down)
    }
  }
}

/// Adds normal noise of the given standard deviation to each number of a sample, of whatever shape.
public struct RandomNoise: Augmentation {
  public let deviation: Float

  public var movesPixels: Bool { false }

  public func require(sampleShape: [Int]) throws(NNError) {
    guard deviation >= 0, deviation.isFinite else {
      throw NNError(.invalidArgument, "a standard deviation of \(deviation)")
    }
  }

  public func augment(_ image: ImageSample, using generator: inout Philox) {
    for index in image.pixels.indices {
      image.pixels[index] += Float(generator.normal() * Double(deviation))
    }
  }
}

extension Augmentation {
  func requireImages(_ sampleShape: [Int]) throws(NNError) {
    guard sampleShape.count == 3 else {
      throw NNError(
        .shapeMismatch, "takes images (C, H, W), not samples of shape \(Shape(sampleShape).description)")
    }
  }
}

extension Augmentation where Self == RandomFlip {
  /// Mirrors half of the images, left and right, unless told.
  public static func flip(horizontal: Double = 0.5, vertical: Double = 0) -> RandomFlip {
    RandomFlip(horizontal: horizontal, vertical: vertical)
  }
}

extension Augmentation where Self == RandomShift {
  /// Moves images by up to `pixels` in each direction.
  public static func shift(_ pixels: Int, fill: Float = 0) -> RandomShift {
    shift(rows: pixels, columns: pixels, fill: fill)
  }

  public static func shift(rows: Int, columns: Int, fill: Float = 0) -> RandomShift {
    RandomShift(rows: rows, columns: columns, border: .constant(fill))
  }

  /// Cuts images of their size out of ones with a border of `padding` pixels.
  public static func crop(padding: Int, border: RandomShift.Border = .constant(0)) -> RandomShift {
    RandomShift(rows: padding, columns: padding, border: border)
  }
}

extension Augmentation where Self == RandomRotation {
  public static func rotation(degrees: Double, fill: Float = 0) -> RandomRotation {
    RandomRotation(degrees: degrees, fill: fill)
  }
}

extension Augmentation where Self == RandomNoise {
  public static func noise(_ deviation: Float) -> RandomNoise { RandomNoise(deviation: deviation) }
}
